//! The chain, as the commands for people reach it.

use crate::cli::Node;
use chain_client::{Chain, Endpoints};
use std::future::Future;

/// Runs `work` on a runtime of one thread: the commands for people do one thing at a time.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// The chain behind `node`.
pub(crate) async fn connect(node: &Node) -> anyhow::Result<Chain> {
    let endpoints = Endpoints { rpc: node.nodes.clone(), chain_id: None, patience_ms: PATIENCE_MS };
    Ok(Chain::connect(&endpoints).await?)
}

/// How long a person waits for a node that does not answer.
const PATIENCE_MS: u64 = 10_000;
