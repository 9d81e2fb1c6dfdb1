//! The nodes of one chain as one that does not fail and never goes back in height.
//!
//! A question goes to the node that answered last; when it fails, is behind of what any node said
//! before, or is of another chain, to the next. After a round without an answer there is a pause,
//! and then another round, until patience ends.

mod client;
mod fault;
mod node;
#[cfg(test)]
mod tests;

pub use fault::{ConnectError, Offline};
pub(crate) use node::{Node, Reply};

use crate::endpoints::Endpoints;
use node::Standing;
use reqwest::Url;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tendermint_rpc::endpoint::{abci_info, status};
use tendermint_rpc::{ResponseError, SimpleRequest};
use tokio::time::Instant;

/// One call of one node takes this long at most: a query that takes longer will not come.
const CALL_MAX: Duration = Duration::from_secs(10);

/// The pause after a round of all nodes: doubled each time, up to the second.
const PAUSE_MIN: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The nodes of one chain.
pub(crate) struct Rpc {
    nodes: Vec<Node>,
    chain_id: OnceLock<String>,
    /// The greatest height that any node said.
    seen: AtomicU64,
    /// The node that answered last.
    current: AtomicUsize,
    patience: Duration,
}

/// What an answer is worth.
pub(crate) enum Judged<T> {
    /// It holds, whatever the height.
    Take(T),
    /// It says how the chain was after the block of that height.
    AsOf(u64, T),
    /// It says how the chain is, but not at which height.
    Undated(T),
    /// This node does not know; another may, or the same one later.
    NotYet(String),
}

/// Reads a reply to `R`: a result, the node's own error, or why it is neither.
pub(crate) fn read<R: SimpleRequest>(
    reply: Reply,
) -> Result<Result<R::Output, ResponseError>, String> {
    match reply {
        Err(error) => Ok(Err(error)),
        Ok(result) => serde_json::from_str::<R::Response>(result.get())
            .map(|response| Ok(response.into()))
            .map_err(|error| format!("an answer that CometBFT 0.38 does not give: {error}")),
    }
}

impl Rpc {
    pub(crate) fn new(endpoints: &Endpoints) -> Result<Rpc, ConnectError> {
        let patience = endpoints.patience();
        let http = node::http(CALL_MAX.min(patience / 2).max(PAUSE_MIN));
        let url = |text: &String| {
            let bad = |reason: String| ConnectError::BadUrl { url: text.clone(), reason };
            let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
            match url.scheme() {
                "http" | "https" => Ok(Node::new(url, http.clone())),
                other => Err(bad(format!("{other} is not http or https"))),
            }
        };
        let nodes = endpoints.rpc.iter().map(url).collect::<Result<Vec<_>, _>>()?;
        if nodes.is_empty() {
            return Err(ConnectError::NoEndpoints);
        }
        Ok(Rpc {
            nodes,
            chain_id: endpoints.chain_id.clone().map(OnceLock::from).unwrap_or_default(),
            seen: AtomicU64::new(0),
            current: AtomicUsize::new(0),
            patience,
        })
    }

    /// Finds out which chain this is: the one that is wanted, or that of the first node.
    pub(crate) async fn identify(&self) -> Result<(), ConnectError> {
        self.ask::<status::Request, _>(status::Request, |answer| match answer {
            Ok(status) => Judged::AsOf(status.sync_info.latest_block_height.value(), ()),
            Err(error) => Judged::NotYet(error.to_string()),
        })
        .await
        .map_err(|offline| self.foreign().unwrap_or(offline.into()))?;
        // A wrong address among right ones is a mistake that would show only when it is needed.
        for node in self.nodes.iter().filter(|node| node.standing() == Standing::Unchecked) {
            let _ = self.check(node).await;
        }
        self.foreign().map_or(Ok(()), Err)
    }

    /// The chain's id; empty before [`Rpc::identify`].
    pub(crate) fn chain_id(&self) -> &str {
        self.chain_id.get().map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// The greatest height that any node said.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    /// Takes note of a height that a node said; whether it is no step back.
    pub(crate) fn advance(&self, height: u64) -> bool {
        self.seen.fetch_max(height, Ordering::AcqRel) <= height
    }

    /// Asks `request`, which must be safe to ask twice, until `judge` takes an answer.
    pub(crate) async fn ask<R, T>(
        &self,
        request: R,
        judge: impl Fn(Result<R::Output, ResponseError>) -> Judged<T> + Send + Sync,
    ) -> Result<T, Offline>
    where
        R: SimpleRequest,
        T: Send,
    {
        let body = request.into_json();
        let judge = |reply| match read::<R>(reply) {
            Ok(answer) => judge(answer),
            Err(reason) => Judged::NotYet(reason),
        };
        self.ask_raw(&body, judge).await
    }

    /// [`Rpc::ask`] for a request and a reply in JSON.
    pub(crate) async fn ask_raw<T: Send>(
        &self,
        body: &str,
        judge: impl Fn(Reply) -> Judged<T> + Send + Sync,
    ) -> Result<T, Offline> {
        let started = Instant::now();
        let mut pause = PAUSE_MIN;
        let mut last = String::new();
        loop {
            for index in self.order() {
                let Some(left) = self.patience.checked_sub(started.elapsed()) else { break };
                let asked = self.ask_node(&self.nodes[index], body, &judge);
                match tokio::time::timeout(left, asked).await {
                    Ok(Ok(answer)) => {
                        self.current.store(index, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Ok(Err(reason)) => last = reason,
                    Err(_) => last = format!("{} is silent", self.nodes[index].name()),
                }
            }
            if started.elapsed() + pause >= self.patience {
                let (nodes, waited) = (self.nodes.len(), started.elapsed());
                return Err(Offline { nodes, waited, reason: last });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The nodes to try, in that order: the one that answered last, those that seem well, the rest.
    pub(crate) fn order(&self) -> Vec<usize> {
        let current = self.current.load(Ordering::Relaxed);
        let mut order: Vec<usize> = (0..self.nodes.len())
            .filter(|index| !matches!(self.nodes[*index].standing(), Standing::Foreign(_)))
            .collect();
        order.sort_by_key(|index| (self.nodes[*index].rests(), *index != current, *index));
        order
    }

    /// Whether `node` is of this chain, asked once; the reason if it is not or does not say.
    pub(crate) async fn check(&self, node: &Node) -> Result<(), String> {
        match node.standing() {
            Standing::Ours => return Ok(()),
            Standing::Foreign(is) => return Err(format!("{} is of the chain {is:?}", node.name())),
            Standing::Unchecked => {}
        }
        let status = self.status(node).await?;
        let is = status.node_info.network.to_string();
        let wanted = self.chain_id.get_or_init(|| is.clone());
        if *wanted == is {
            node.stands(Standing::Ours);
            return Ok(());
        }
        tracing::error!(node = node.name(), is, wanted, "node of another chain is not used");
        let reason = format!("{} is of the chain {is:?}, not {wanted:?}", node.name());
        node.stands(Standing::Foreign(is));
        Err(reason)
    }

    pub(crate) async fn status(&self, node: &Node) -> Result<status::Response, String> {
        use tendermint_rpc::request::RequestMessage;
        let reply = node.call(&status::Request.into_json()).await.map_err(|f| f.to_string())?;
        read::<status::Request>(reply)?.map_err(|error| format!("{}: {error}", node.name()))
    }

    /// The height of the state that a node answers from. Its status may be ahead of it: CometBFT
    /// keeps a block before the application executes it.
    async fn executed(&self, node: &Node) -> Result<u64, String> {
        use tendermint_rpc::request::RequestMessage;
        let reply = node.call(&abci_info::Request.into_json()).await.map_err(|f| f.to_string())?;
        let info = read::<abci_info::Request>(reply)?;
        let info = info.map_err(|error| format!("{}: {error}", node.name()))?;
        Ok(info.response.last_block_height.value())
    }

    async fn ask_node<T: Send>(
        &self,
        node: &Node,
        body: &str,
        judge: &(impl Fn(Reply) -> Judged<T> + Send + Sync),
    ) -> Result<T, String> {
        self.check(node).await?;
        let reply = node.call(body).await.map_err(|fault| fault.to_string())?;
        match judge(reply) {
            Judged::Take(answer) => return Ok(answer),
            Judged::AsOf(height, answer) => {
                self.not_behind(node, height)?;
                return Ok(answer);
            }
            Judged::NotYet(reason) => return Err(format!("{}: {reason}", node.name())),
            Judged::Undated(_) => {}
        }
        // What is asked after the node has executed a height is not older than that height.
        self.not_behind(node, self.executed(node).await?)?;
        match judge(node.call(body).await.map_err(|fault| fault.to_string())?) {
            Judged::Take(answer) | Judged::AsOf(_, answer) | Judged::Undated(answer) => Ok(answer),
            Judged::NotYet(reason) => Err(format!("{}: {reason}", node.name())),
        }
    }

    fn not_behind(&self, node: &Node, height: u64) -> Result<(), String> {
        if self.advance(height) {
            return Ok(());
        }
        let seen = self.seen();
        Err(format!("{} is at height {height}, but height {seen} was seen", node.name()))
    }

    fn foreign(&self) -> Option<ConnectError> {
        self.nodes.iter().find_map(|node| match node.standing() {
            Standing::Foreign(is) => {
                let (node, wanted) = (node.name(), self.chain_id().to_owned());
                Some(ConnectError::OtherChain { node, is, wanted })
            }
            Standing::Ours | Standing::Unchecked => None,
        })
    }
}
