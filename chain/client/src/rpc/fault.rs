//! What goes wrong between here and a node.

use std::time::Duration;

/// Why one call of one node had no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{node} is not reached: {reason}")]
    Unreachable { node: String, reason: String },
    #[error("{node} did not answer: {reason}")]
    Broken { node: String, reason: String },
    #[error("{node} answered with more than {max} bytes")]
    TooLong { node: String, max: usize },
    #[error("{node} answered with what is no JSON-RPC: {reason}")]
    Garbled { node: String, reason: String },
}

impl Fault {
    /// Whether the node never got the question.
    pub(crate) fn before_sending(&self) -> bool {
        match self {
            Fault::Unreachable { .. } => true,
            Fault::Broken { .. } | Fault::TooLong { .. } | Fault::Garbled { .. } => false,
        }
    }
}

/// No node gave an answer that could be used. Asking again later may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "none of {nodes} nodes of the chain gave an answer within {} ms; the last reason: {reason}",
    waited.as_millis()
)]
pub struct Offline {
    pub nodes: usize,
    pub waited: Duration,
    pub reason: String,
}

/// Why there is no connection to a chain.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no RPC endpoint is given: name at least one, such as http://127.0.0.1:26657")]
    NoEndpoints,
    #[error(
        "{url:?} is not the address of an RPC endpoint ({reason}): it should look like http://127.0.0.1:26657"
    )]
    BadUrl { url: String, reason: String },
    #[error("{node} is of the chain {is:?}, but {wanted:?} is wanted: check the endpoints")]
    OtherChain { node: String, is: String, wanted: String },
    #[error(transparent)]
    Offline(#[from] Offline),
}
