//! Questions over ABCI, by gRPC path: the Cosmos SDK's about accounts, coins and transactions, and
//! the market's own.

mod auth;
mod bank;
mod page;
mod service;

use crate::node::Node;
use crate::store::Snapshot;
use prost::Message;
use std::sync::Arc;

/// What the market's questions begin with.
const MARKET: &str = "/lode.market.v1.Query/";

/// An answer to a question, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u32,
    pub(crate) codespace: String,
    pub(crate) log: String,
    pub(crate) value: Vec<u8>,
    pub(crate) height: u64,
}

/// Why a question has no answer, in the words that gRPC clients look for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("rpc error: code = NotFound desc = {0}: key not found")]
    NotFound(String),
    #[error("rpc error: code = InvalidArgument desc = {0}: invalid request")]
    Invalid(String),
    #[error("{0}: unknown request")]
    UnknownPath(String),
    #[error("{0}: invalid height")]
    Height(String),
    #[error("rpc error: code = Unknown desc = {log}")]
    Refused { codespace: &'static str, code: u32, log: String },
    #[error("{log}")]
    Market { code: u32, log: String },
    #[error("{0}: I/O error")]
    Unreadable(String),
}

impl NoAnswer {
    /// The SDK's code, or the market's.
    fn code(&self) -> u32 {
        match self {
            NoAnswer::NotFound(_) => 22,
            NoAnswer::Invalid(_) => 18,
            NoAnswer::UnknownPath(_) => 6,
            NoAnswer::Height(_) => 26,
            NoAnswer::Refused { code, .. } | NoAnswer::Market { code, .. } => *code,
            NoAnswer::Unreadable(_) => 39,
        }
    }

    fn codespace(&self) -> &'static str {
        match self {
            NoAnswer::Refused { codespace, .. } => codespace,
            NoAnswer::Market { .. } => "lode",
            _ => "sdk",
        }
    }
}

/// Answers `data` asked of `path`, about the state after `height` (0: the last).
pub(crate) fn answer(node: &Arc<Node>, path: &str, data: &[u8], height: u64) -> Answer {
    let value = state_at(node, height).and_then(|state| {
        let value = route(node, &state, path, data)?;
        state.check().map_err(|bad| NoAnswer::Unreadable(bad.to_string()))?;
        Ok((value, state.block.height.0))
    });
    match value {
        Ok((value, height)) => Answer { value, height, ..Answer::default() },
        Err(none) => Answer {
            code: none.code(),
            codespace: none.codespace().to_owned(),
            log: none.to_string(),
            value: Vec::new(),
            height: node.tip().height,
        },
    }
}

fn state_at(node: &Node, height: u64) -> Result<Arc<Snapshot>, NoAnswer> {
    let last = node.tip().height;
    if height == 0 {
        return Ok(node.store.latest());
    }
    if height > last {
        let reason = format!("height {height} is in the future, the last block is {last}");
        return Err(NoAnswer::Height(reason));
    }
    node.store.at(height).ok_or_else(|| {
        NoAnswer::Height(format!(
            "the state after height {height} is pruned: this node keeps that of the last {} heights, up to {last}",
            crate::store::SNAPSHOTS_KEPT
        ))
    })
}

fn route(node: &Arc<Node>, state: &Snapshot, path: &str, data: &[u8]) -> Result<Vec<u8>, NoAnswer> {
    if path.starts_with(MARKET) {
        return node.query_market(state, path, data).map_err(|refused| NoAnswer::Market {
            code: refused.code(),
            log: refused.to_string(),
        });
    }
    let unknown = || NoAnswer::UnknownPath(format!("unknown query path {path:?}"));
    let (service, method) = path.trim_start_matches('/').split_once('/').ok_or_else(unknown)?;
    let answered = match service {
        "cosmos.auth.v1beta1.Query" => auth::answer(state, method, data)?,
        "cosmos.bank.v1beta1.Query" => bank::answer(state, method, data)?,
        "cosmos.tx.v1beta1.Service" | "cosmos.base.tendermint.v1beta1.Service" => {
            service::answer(node, service, method, data)?
        }
        _ => None,
    };
    answered.ok_or_else(unknown)
}

/// Reads a question.
fn read<T: Message + Default>(data: &[u8]) -> Result<T, NoAnswer> {
    T::decode(data).map_err(|bad| NoAnswer::Invalid(bad.to_string()))
}

/// Reads an address in a question.
fn address(text: &str) -> Result<proto::Address, NoAnswer> {
    proto::Address::parse(text).map_err(|bad| NoAnswer::Invalid(bad.to_string()))
}
