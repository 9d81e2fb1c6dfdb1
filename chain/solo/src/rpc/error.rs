//! Why a call has no result, as JSON-RPC 2.0 and CometBFT write it.

use crate::index::SearchRefused;
use crate::mempool::MempoolRefused;
use crate::store::StoreError;
use serde_json::{Value, json};

/// What a caller is told instead of a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum RpcError {
    #[error("{0}")]
    Parse(String),
    #[error("{0}")]
    Request(String),
    #[error("{0:?} is no method of this node")]
    Method(String),
    #[error("{0}")]
    Params(String),
    /// What CometBFT calls internal: everything that a right call may run into.
    #[error("{0}")]
    Internal(String),
}

impl RpcError {
    /// The `error` object.
    pub(super) fn to_json(&self) -> Value {
        let (code, message) = match self {
            RpcError::Parse(_) => (-32_700, "Parse error. Invalid JSON"),
            RpcError::Request(_) => (-32_600, "Invalid Request"),
            RpcError::Method(_) => (-32_601, "Method not found"),
            RpcError::Params(_) => (-32_602, "Invalid params"),
            RpcError::Internal(_) => (-32_603, "Internal error"),
        };
        json!({ "code": code, "message": message, "data": self.to_string() })
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> RpcError {
        RpcError::Internal(error.to_string())
    }
}

impl From<SearchRefused> for RpcError {
    fn from(error: SearchRefused) -> RpcError {
        RpcError::Internal(error.to_string())
    }
}

impl From<MempoolRefused> for RpcError {
    fn from(error: MempoolRefused) -> RpcError {
        RpcError::Internal(error.to_string())
    }
}
