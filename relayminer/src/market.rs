//! What a relay miner asks of the chain.

use async_trait::async_trait;
use chain_client::{BlockNews, Chain, QueryError, SendError, Sender};
use futures::stream::{BoxStream, StreamExt};
use proto::audit::case::{Case, Docket};
use proto::claim::{Claim, Settled};
use proto::message::Message;
use proto::query::{Clock, GetClaim, GetClock, GetSeed, GetSupplier};
use proto::session::Session;
use proto::supplier::Supplier;
use proto::{Address, Digest, Height};
use tokio::sync::watch;

/// The kind of event that says that a session was opened.
pub const SESSION_OPENED: &str = "lode_session_opened";

/// Why the chain did not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the chain does not answer: {0}")]
pub struct NoAnswer(pub String);

/// Why messages did not get into a block.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotSent {
    /// One of them is refused, so none was done.
    #[error("{0}")]
    Refused(String),
    /// It may be tried again; whether it is in a block, the chain will tell.
    #[error("{0}")]
    Later(String),
}

/// The chain as a relay miner uses it.
#[async_trait]
pub trait Market: Send + Sync {
    /// The chain's id.
    fn chain_id(&self) -> String;

    /// The height of the last block as it grows.
    fn heights(&self) -> watch::Receiver<Height>;

    /// The ids of sessions with a seat of the operator that are opened from now on.
    fn opened(&self) -> BoxStream<'static, Digest>;

    /// A session that is not settled.
    async fn session(&self, id: Digest) -> Result<Option<Session>, NoAnswer>;

    /// A claim that is not settled.
    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<Claim>, NoAnswer>;

    /// The seed of a height that has come.
    async fn seed(&self, height: Height) -> Result<Digest, NoAnswer>;

    /// What became of a claim.
    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, NoAnswer>;

    /// An audit, until it is forgotten.
    async fn audit(&self, id: Digest) -> Result<Option<Case>, NoAnswer>;

    /// What the audits of sessions that began at `start` go by.
    async fn docket(&self, start: Height) -> Result<Option<Docket>, NoAnswer>;

    /// A staked supplier.
    async fn supplier(&self, operator: Address) -> Result<Option<Supplier>, NoAnswer>;

    /// Where the chain's sessions are.
    async fn clock(&self) -> Result<Clock, NoAnswer>;

    /// Gets messages of the operator into a block, all or none, and tells its height.
    async fn send(&self, messages: Vec<Message>) -> Result<Height, NotSent>;
}

#[async_trait]
impl Market for Sender {
    fn chain_id(&self) -> String {
        self.chain().chain_id().to_owned()
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.chain().heights()
    }

    fn opened(&self) -> BoxStream<'static, Digest> {
        let heights = self.chain().heights();
        let from = heights.borrow().plus(1);
        let operator = self.address().to_string();
        let opened = move |news| futures::stream::iter(opened_in(&news, &operator));
        self.chain().blocks(from).flat_map(opened).boxed()
    }

    async fn session(&self, id: Digest) -> Result<Option<Session>, NoAnswer> {
        Ok(self.chain().session(id).await?)
    }

    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<Claim>, NoAnswer> {
        let query = GetClaim { session_id: id, operator: Some(operator) };
        Ok(self.chain().find(&query).await?)
    }

    async fn seed(&self, height: Height) -> Result<Digest, NoAnswer> {
        Ok(self.chain().query(&GetSeed { height }).await?.seed)
    }

    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, NoAnswer> {
        Ok(Chain::settled(self.chain(), id, operator).await?)
    }

    async fn audit(&self, id: Digest) -> Result<Option<Case>, NoAnswer> {
        Ok(self.chain().audit(id).await?)
    }

    async fn docket(&self, start: Height) -> Result<Option<Docket>, NoAnswer> {
        Ok(self.chain().docket(start).await?)
    }

    async fn supplier(&self, operator: Address) -> Result<Option<Supplier>, NoAnswer> {
        Ok(self.chain().find(&GetSupplier { operator: Some(operator) }).await?)
    }

    async fn clock(&self) -> Result<Clock, NoAnswer> {
        Ok(self.chain().query(&GetClock {}).await?)
    }

    async fn send(&self, messages: Vec<Message>) -> Result<Height, NotSent> {
        match Sender::send(self, messages).await {
            Ok(included) => Ok(included.height),
            Err(error @ SendError::Refused { .. }) => Err(NotSent::Refused(error.to_string())),
            Err(error) => Err(NotSent::Later(error.to_string())),
        }
    }
}

impl From<QueryError> for NoAnswer {
    fn from(error: QueryError) -> NoAnswer {
        NoAnswer(error.to_string())
    }
}

fn opened_in(news: &BlockNews, operator: &str) -> Vec<Digest> {
    let seated = |event: &&chain_client::Event| {
        let suppliers = event.get("suppliers").unwrap_or_default();
        event.kind == SESSION_OPENED && suppliers.split(',').any(|supplier| supplier == operator)
    };
    let opened = news.events.iter().filter(seated);
    opened.filter_map(|event| Digest::parse(event.get("session")?).ok()).collect()
}
