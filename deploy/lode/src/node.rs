//! The chain, as the commands for people reach it.

use crate::cli::Node;
use anyhow::Context;
use chain_client::{Chain, Endpoints};
use std::future::Future;

/// Runs `work` on a runtime of one thread: the commands for people do one thing at a time.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// The chain behind `node`.
pub(crate) async fn connect(node: &Node) -> anyhow::Result<Chain> {
    let endpoints = Endpoints::parse(&node.nodes)?;
    Chain::connect(&endpoints)
        .await
        .with_context(|| format!("no chain answers at {}", node.nodes.join(", ")))
}
