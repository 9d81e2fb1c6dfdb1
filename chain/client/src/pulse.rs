//! How high the chain is: nodes are asked now and then, and at once when one says that a block came.

use crate::rpc::{Judged, Node, Rpc};
use futures::{SinkExt, StreamExt};
use proto::Height;
use std::sync::Arc;
use std::time::Duration;
use tendermint_rpc::ResponseError;
use tendermint_rpc::endpoint::status;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The pause between two questions for the height, if no word of a block comes in between.
const POLL: Duration = Duration::from_millis(500);

/// Bytes of one event at most: it holds its whole block.
const EVENT_BYTES_MAX: usize = 32 << 20;

/// A WebSocket on which nothing came for this long is dead: CometBFT pings every 27 s.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The pause before a WebSocket is opened again.
const REOPEN: Duration = Duration::from_secs(2);

const SUBSCRIBE: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"query":"tm.event='NewBlock'"}}"#;

/// Follows the chain's height until it is dropped.
pub(crate) struct Pulse {
    heights: watch::Receiver<Height>,
    _tasks: JoinSet<()>,
}

impl Pulse {
    pub(crate) fn start(rpc: Arc<Rpc>) -> Pulse {
        let (sender, heights) = watch::channel(Height(rpc.seen()));
        let hint = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(rpc.clone(), hint.clone()));
        tasks.spawn(follow(rpc, hint, sender));
        Pulse { heights, _tasks: tasks }
    }

    pub(crate) fn heights(&self) -> watch::Receiver<Height> {
        self.heights.clone()
    }
}

async fn follow(rpc: Arc<Rpc>, hint: Arc<Notify>, heights: watch::Sender<Height>) {
    let judge = |answer: Result<status::Response, ResponseError>| match answer {
        Ok(status) => Judged::AsOf(status.sync_info.latest_block_height.value(), ()),
        Err(error) => Judged::NotYet(error.to_string()),
    };
    loop {
        if let Err(error) = rpc.ask(status::Request, judge).await {
            tracing::warn!(%error, "the chain's height is not known");
        }
        let seen = Height(rpc.seen());
        heights.send_if_modified(|height| std::mem::replace(height, seen) < seen);
        let _ = tokio::time::timeout(POLL, hint.notified()).await;
    }
}

async fn listen(rpc: Arc<Rpc>, hint: Arc<Notify>) {
    loop {
        if let Some(index) = rpc.order().first() {
            let node = &rpc.nodes()[*index];
            if let Err(reason) = hear(node, &hint).await {
                tracing::debug!(node = node.name(), reason, "no word of blocks; polling goes on");
            }
        }
        tokio::time::sleep(REOPEN).await;
    }
}

/// Passes on each word of a block from `node` until its WebSocket breaks.
async fn hear(node: &Node, hint: &Notify) -> Result<(), String> {
    let mut url = node.url().clone();
    if url.scheme() != "http" || url.set_scheme("ws").is_err() {
        return Err("events come over plain http only".to_owned());
    }
    url.path_segments_mut().map_err(|()| "a base address")?.pop_if_empty().push("websocket");
    let config = WebSocketConfig::default()
        .max_message_size(Some(EVENT_BYTES_MAX))
        .max_frame_size(Some(EVENT_BYTES_MAX));
    let opened = connect_async_with_config(url.as_str(), Some(config), true);
    let (mut socket, _) = tokio::time::timeout(SILENCE_MAX, opened)
        .await
        .map_err(|_| "no handshake")?
        .map_err(|error| error.to_string())?;
    let subscribe = Message::text(SUBSCRIBE);
    socket.send(subscribe).await.map_err(|error| error.to_string())?;
    loop {
        match tokio::time::timeout(SILENCE_MAX, socket.next()).await {
            Err(_) => return Err("it is silent".to_owned()),
            Ok(None) => return Err("it was closed".to_owned()),
            Ok(Some(Err(error))) => return Err(error.to_string()),
            Ok(Some(Ok(message))) if message.is_text() => hint.notify_one(),
            // Pings are answered by the library as it is polled.
            Ok(Some(Ok(_))) => {}
        }
    }
}
