//! A chain that can be asked: the market's records, accounts, transactions, blocks.

mod accounts;
mod lookup;
mod market;

pub use accounts::AccountState;
pub use lookup::{TxFound, TxPage};

use crate::endpoints::Endpoints;
use crate::pulse::Pulse;
use crate::rpc::{ConnectError, Judged, Offline, Rpc};
use proto::Height;
use proto::query::Query;
use proto::wire::{BadWire, Wire};
use std::sync::Arc;
use tendermint_rpc::ResponseError;
use tendermint_rpc::client::Client;
use tendermint_rpc::endpoint::{abci_query, status};
use tokio::sync::watch;

/// The code (of codespace `sdk`) with which the Cosmos SDK says that a record is not there.
const SDK_NOT_FOUND: u32 = 22;

/// A connection to a chain. Clones share it.
#[derive(Clone)]
pub struct Chain {
    parts: Arc<Parts>,
}

struct Parts {
    rpc: Arc<Rpc>,
    pulse: Pulse,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Nobody answered. Asking again later may help.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// The chain answered, and this is its answer.
    #[error("{question} is refused ({codespace} {code}): {log}")]
    Refused { question: String, codespace: String, code: u32, log: String },
    /// The answer cannot be read.
    #[error("the answer to {question} cannot be read: {reason}")]
    Garbled { question: String, reason: String },
}

impl QueryError {
    /// Whether the chain says that there is no such record.
    pub fn is_not_found(&self) -> bool {
        match self {
            QueryError::Refused { codespace, code, .. } => {
                let market = codespace == "lode" && *code == proto::query::NOT_FOUND;
                market || (codespace == "sdk" && *code == SDK_NOT_FOUND)
            }
            QueryError::Offline(_) | QueryError::Garbled { .. } => false,
        }
    }

    fn garbled(question: &str, reason: impl ToString) -> QueryError {
        QueryError::Garbled { question: question.to_owned(), reason: reason.to_string() }
    }
}

impl Chain {
    /// Connects to the chain that the nodes at `endpoints` are of. One of them must answer; an
    /// answer of another chain is an error also when others are right.
    pub async fn connect(endpoints: &Endpoints) -> Result<Chain, ConnectError> {
        let rpc = Arc::new(Rpc::new(endpoints)?);
        rpc.identify().await?;
        let pulse = Pulse::start(rpc.clone());
        Ok(Chain { parts: Arc::new(Parts { rpc, pulse }) })
    }

    /// The chain's id.
    pub fn chain_id(&self) -> &str {
        self.rpc().chain_id()
    }

    /// The height of the last block, never less than any height that was seen before.
    pub async fn height(&self) -> Result<Height, QueryError> {
        let judge = |answer: Result<status::Response, ResponseError>| match answer {
            Ok(status) => {
                let height = status.sync_info.latest_block_height.value();
                Judged::AsOf(height, Height(height))
            }
            Err(error) => Judged::NotYet(error.to_string()),
        };
        Ok(self.rpc().ask(status::Request, judge).await?)
    }

    /// The height of the last block as it grows. It ends when the last [`Chain`] goes.
    pub fn heights(&self) -> watch::Receiver<Height> {
        self.parts.pulse.heights()
    }

    /// Asks the market. The answer is not older than anything that was seen before.
    pub async fn query<Q: Query>(&self, query: &Q) -> Result<Q::Answer, QueryError> {
        let bytes = self.abci(Q::PATH, query.encode()).await?;
        Q::Answer::decode(&bytes).map_err(|bad: BadWire| QueryError::garbled(Q::PATH, bad))
    }

    /// Asks the market for a record that may not be there.
    pub async fn find<Q: Query>(&self, query: &Q) -> Result<Option<Q::Answer>, QueryError> {
        match self.query(query).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// CometBFT's RPC itself, for what has no method here. Requests may be repeated, and answers
    /// may be of any node's height.
    pub fn comet(&self) -> &impl Client {
        self.rpc()
    }

    pub(crate) fn rpc(&self) -> &Rpc {
        &self.parts.rpc
    }

    /// The value at a gRPC `path` for a request in protobuf.
    pub(crate) async fn abci(&self, path: &str, data: Vec<u8>) -> Result<Vec<u8>, QueryError> {
        let request = abci_query::Request::new(Some(path.to_owned()), data, None, false);
        let judge = |answer: Result<abci_query::Response, ResponseError>| match answer {
            Ok(abci_query::Response { response }) => match response.height.value() {
                0 => Judged::Undated(response),
                height => Judged::AsOf(height, response),
            },
            Err(error) => Judged::NotYet(error.to_string()),
        };
        let answer = self.rpc().ask(request, judge).await?;
        if answer.code.is_ok() {
            return Ok(answer.value);
        }
        Err(QueryError::Refused {
            question: path.to_owned(),
            codespace: answer.codespace,
            code: answer.code.value(),
            log: answer.log,
        })
    }

    /// [`Chain::abci`] for the Cosmos SDK's own modules.
    async fn sdk<A: prost::Message + Default>(
        &self,
        path: &str,
        request: &impl prost::Message,
    ) -> Result<A, QueryError> {
        let bytes = self.abci(path, request.encode_to_vec()).await?;
        A::decode(bytes.as_slice()).map_err(|error| QueryError::garbled(path, error))
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({})", self.chain_id())
    }
}
