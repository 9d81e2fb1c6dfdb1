//! Calls: one, several in a batch, or one by URI; and which method does what.

use super::error::RpcError;
use super::params::Params;
use super::{Rpc, blocks, info, txs};
use serde::Deserialize;
use serde_json::{Value, json};

/// The version of CometBFT whose shape this is; clients choose their dialect by it.
pub(crate) const COMETBFT_VERSION: &str = "0.38.17";

/// Calls in one batch at most.
pub(super) const BATCH_MAX: usize = 32;

/// What a caller sends.
#[derive(Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) id: Option<Value>,
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: Option<Value>,
}

macro_rules! methods {
    ($($name:literal ($($param:literal),*) => $call:path;)*) => {
        /// All methods that are called by HTTP.
        pub(super) const NAMES: &[&str] = &[$($name),*];

        /// The parameters of `method`, in their order.
        fn parameters(method: &str) -> Option<&'static [&'static str]> {
            Some(match method {
                $($name => &[$($param),*],)*
                _ => return None,
            })
        }

        /// Calls a method that answers at once.
        fn dispatch(rpc: &Rpc, method: &str, params: &Params) -> Result<Value, RpcError> {
            match method {
                $($name => $call(&rpc.node, params),)*
                other => Err(RpcError::Method(other.to_owned())),
            }
        }
    };
}

methods! {
    "abci_info"() => info::abci_info;
    "abci_query"("path", "data", "height", "prove") => info::abci_query;
    "block"("height") => blocks::block;
    "block_by_hash"("hash") => blocks::block_by_hash;
    "block_results"("height") => blocks::block_results;
    "block_search"("query", "page", "per_page", "order_by") => blocks::block_search;
    "blockchain"("minHeight", "maxHeight") => blocks::blockchain;
    "broadcast_tx_async"("tx") => txs::broadcast_async;
    "broadcast_tx_commit"("tx") => txs::broadcast_sync;
    "broadcast_tx_sync"("tx") => txs::broadcast_sync;
    "check_tx"("tx") => txs::check;
    "commit"("height") => blocks::commit;
    "consensus_params"("height") => info::consensus_params;
    "genesis"() => info::genesis;
    "header"("height") => blocks::header;
    "header_by_hash"("hash") => blocks::header_by_hash;
    "health"() => info::health;
    "lode_seed"("height") => blocks::seed;
    "net_info"() => info::net_info;
    "num_unconfirmed_txs"() => txs::num_unconfirmed;
    "status"() => info::status;
    "tx"("hash", "prove") => txs::tx;
    "tx_search"("query", "prove", "page", "per_page", "order_by") => txs::search;
    "unconfirmed_txs"("limit") => txs::unconfirmed;
    "validators"("height", "page", "per_page") => info::validators;
}

/// Answers a body: a call or a batch. `None`: nobody waits for an answer.
pub(super) async fn call_text(rpc: &Rpc, body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(calls)) if calls.len() > BATCH_MAX => {
            let reason = format!("{} calls in a batch, at most {BATCH_MAX}", calls.len());
            Some(failure(Value::Null, &RpcError::Request(reason)))
        }
        Ok(Value::Array(calls)) => {
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                answers.extend(call_value(rpc, call).await);
            }
            (!answers.is_empty()).then_some(Value::Array(answers))
        }
        Ok(call) => call_value(rpc, call).await,
        Err(bad) => Some(failure(Value::Null, &RpcError::Parse(bad.to_string()))),
    }
}

/// Answers a call by URI.
pub(super) async fn call_uri(rpc: &Rpc, method: String, query: &str) -> Value {
    let id = json!(-1);
    let result = match Params::from_uri(query) {
        Ok(params) => call(rpc, method, params).await,
        Err(bad) => Err(bad),
    };
    answer(id, result)
}

/// Reads one call.
pub(super) fn read(value: Value) -> Result<Request, Value> {
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    serde_json::from_value(value).map_err(|bad| failure(id, &RpcError::Request(bad.to_string())))
}

/// Calls what `request` names.
pub(super) async fn call_request(rpc: &Rpc, request: Request) -> Result<Value, RpcError> {
    let names =
        parameters(&request.method).ok_or_else(|| RpcError::Method(request.method.clone()))?;
    let params = Params::read(request.params, names)?;
    call(rpc, request.method, params).await
}

/// A JSON-RPC answer.
pub(super) fn answer(id: Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => failure(id, &error),
    }
}

async fn call_value(rpc: &Rpc, value: Value) -> Option<Value> {
    let request = match read(value) {
        Ok(request) => request,
        Err(answer) => return Some(answer),
    };
    let id = request.id.clone();
    let result = call_request(rpc, request).await;
    // A call without an id wants no answer.
    id.map(|id| answer(id, result))
}

async fn call(rpc: &Rpc, method: String, params: Params) -> Result<Value, RpcError> {
    if method == "broadcast_tx_commit" {
        return txs::broadcast_commit(rpc, params).await;
    }
    let rpc = rpc.clone();
    // The disk and signatures block: not on the threads that serve others.
    let done = tokio::task::spawn_blocking(move || dispatch(&rpc, &method, &params)).await;
    done.unwrap_or_else(|_| Err(RpcError::Internal("the call panicked".to_owned())))
}

fn failure(id: Value, error: &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": error.to_json() })
}
