//! Why messages are not in a block.

use crate::chain::QueryError;
use crate::rpc::Offline;
use proto::{Address, Digest, Height};
use std::time::Duration;

/// Why messages are not in a block, or not known to be.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Final. The chain will not do it; when it has a height, the fee is paid.
    #[error("the transaction is refused{} ({codespace} {code}): {log}", included(.height))]
    Refused {
        codespace: String,
        code: u32,
        log: String,
        /// The transaction, unless it was refused before it was signed.
        hash: Option<Digest>,
        /// The block in which it failed, unless it was refused before.
        height: Option<Height>,
    },
    /// Final. Nothing happened, and nothing will by this transaction: it may be sent again.
    #[error(
        "the transaction {hash} was not included by height {last}, the last that it allowed: nothing happened"
    )]
    Lost { hash: Digest, last: Height },
    /// It may be in a block or come into one by the height `last`: ask for its hash before the same is
    /// sent again.
    #[error(
        "whether the transaction {hash} is in a block is not known after {} s ({reason}): look it up before sending the same again",
        waited.as_secs()
    )]
    Unknown { hash: Digest, last: Height, waited: Duration, reason: String },
    /// Nothing was sent.
    #[error("nothing was sent: {0}")]
    Offline(#[from] Offline),
    /// Nothing was sent.
    #[error("{0} is not on the chain: send it coins first")]
    NoAccount(Address),
    /// Nothing was sent.
    #[error("a message must be signed by {wanted}, but this key is of {is}")]
    OtherSigner { wanted: Address, is: Address },
    /// Nothing was sent.
    #[error("nothing was sent: {0}")]
    Garbled(String),
}

impl SendError {
    /// Whether the same messages may be sent again without danger of doing them twice.
    pub fn may_send_again(&self) -> bool {
        !matches!(self, SendError::Unknown { .. })
    }
}

impl From<QueryError> for SendError {
    fn from(error: QueryError) -> SendError {
        match error {
            QueryError::Offline(offline) => SendError::Offline(offline),
            QueryError::Refused { codespace, code, log, .. } => {
                SendError::Refused { codespace, code, log, hash: None, height: None }
            }
            QueryError::Garbled { .. } => SendError::Garbled(error.to_string()),
        }
    }
}

fn included(height: &Option<Height>) -> String {
    height.map(|height| format!(" in block {height}")).unwrap_or_default()
}
