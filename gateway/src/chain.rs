//! What the gateway needs of a chain, so that tests can stand in for one.

use async_trait::async_trait;
use chain_client::{QueryError, Sender};
use proto::claim::{ClaimRoot, Settled};
use proto::message::{Message, OpenSession};
use proto::params::Params;
use proto::price::State as PriceState;
use proto::query::{App, Clock, GetClaim, ListServices, PAGE_MAX};
use proto::service::{Service, ServiceId};
use proto::session::Session;
use proto::supplier::Gateway;
use proto::{Address, Digest, Height};
use tokio::sync::watch;

/// Pages of services that are read at most: more are no one gateway's business.
const PAGES_MAX: usize = 16;

/// Why the chain did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The chain says no, and will say so again until something changes.
    #[error("the chain refused: {0}")]
    Refused(String),
    /// It could not be asked, or its answer is not known.
    #[error("the chain could not be asked: {0}")]
    Unreachable(String),
}

/// A chain, and the account that the gateway has on it.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// The chain's id.
    fn chain_id(&self) -> &str;

    /// The gateway's account, which signs what is sent.
    fn account(&self) -> Address;

    /// The height of the last block, as it grows.
    fn heights(&self) -> watch::Receiver<Height>;

    /// Where the chain's sessions are.
    async fn clock(&self) -> Result<Clock, ChainError>;

    /// The parameters that sessions open with.
    async fn params(&self) -> Result<Params, ChainError>;

    /// All services.
    async fn services(&self) -> Result<Vec<Service>, ChainError>;

    /// Where a service's price stands.
    async fn price(&self, service: &ServiceId) -> Result<Option<PriceState>, ChainError>;

    /// What the account has staked as a gateway.
    async fn staked(&self) -> Result<Option<Gateway>, ChainError>;

    /// What an app has in the market.
    async fn app(&self, app: Address) -> Result<Option<App>, ChainError>;

    /// A session that is not settled.
    async fn session(&self, id: Digest) -> Result<Option<Session>, ChainError>;

    /// A supplier's claim that is not settled.
    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<ClaimRoot>, ChainError>;

    /// What became of a supplier's claim.
    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, ChainError>;

    /// Opens a session, and waits until that is in a block.
    async fn open_session(&self, open: OpenSession) -> Result<(), ChainError>;
}

impl From<QueryError> for ChainError {
    fn from(error: QueryError) -> ChainError {
        match error {
            QueryError::Refused { .. } => ChainError::Refused(error.to_string()),
            QueryError::Offline(_) | QueryError::Garbled { .. } => {
                ChainError::Unreachable(error.to_string())
            }
        }
    }
}

#[async_trait]
impl Chain for Sender {
    fn chain_id(&self) -> &str {
        self.chain().chain_id()
    }

    fn account(&self) -> Address {
        self.address()
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.chain().heights()
    }

    async fn clock(&self) -> Result<Clock, ChainError> {
        Ok(self.chain().clock().await?)
    }

    async fn params(&self) -> Result<Params, ChainError> {
        Ok(self.chain().params().await?)
    }

    async fn services(&self) -> Result<Vec<Service>, ChainError> {
        let mut services: Vec<Service> = Vec::new();
        for _ in 0..PAGES_MAX {
            let after = services.last().map(|service| service.id.clone());
            let page = self.chain().query(&ListServices { after, limit: PAGE_MAX }).await?;
            let last = page.services.len() < PAGE_MAX as usize;
            services.extend(page.services);
            if last {
                break;
            }
        }
        Ok(services)
    }

    async fn price(&self, service: &ServiceId) -> Result<Option<PriceState>, ChainError> {
        Ok(self.chain().price(service).await?)
    }

    async fn staked(&self) -> Result<Option<Gateway>, ChainError> {
        Ok(self.chain().gateway(self.address()).await?)
    }

    async fn app(&self, app: Address) -> Result<Option<App>, ChainError> {
        Ok(self.chain().app(app).await?)
    }

    async fn session(&self, id: Digest) -> Result<Option<Session>, ChainError> {
        Ok(self.chain().session(id).await?)
    }

    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<ClaimRoot>, ChainError> {
        let query = GetClaim { session_id: id, operator: Some(operator) };
        Ok(self.chain().find(&query).await?.map(|claim| claim.root))
    }

    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, ChainError> {
        Ok(self.chain().settled(id, operator).await?)
    }

    async fn open_session(&self, open: OpenSession) -> Result<(), ChainError> {
        let sent = self.send(vec![Message::OpenSession(open)]).await;
        sent.map(drop).map_err(|error| ChainError::Refused(error.to_string()))
    }
}
