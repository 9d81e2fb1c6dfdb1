//! Calls and subscriptions over WebSocket.

mod topic;

use super::error::RpcError;
use super::methods::{self, Request};
use super::{BODY_MAX, Rpc};
use crate::block::Sealed;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use topic::Topic;

/// Subscriptions of one connection at most.
const SUBSCRIPTIONS_MAX: usize = 16;

/// How often a quiet connection is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long a client may take to receive one message: a slower one is cut.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that may wait to be sent at most; one block of events fits.
const WRITE_BUFFER_MAX: usize = 32 * 1024 * 1024;

pub(super) async fn upgrade(State(rpc): State<Rpc>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(BODY_MAX)
        .max_frame_size(BODY_MAX)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .on_upgrade(move |socket| Connection { rpc, socket, topics: BTreeMap::new() }.run())
}

/// One client: its topics by their query, each with the id that events are answered under.
struct Connection {
    rpc: Rpc,
    socket: WebSocket,
    topics: BTreeMap<String, (Value, Topic)>,
}

/// The connection is to end, with these words.
struct End(&'static str);

impl Connection {
    async fn run(mut self) {
        let End(reason) = match self.talk().await {
            Ok(()) => return,
            Err(end) => end,
        };
        let frame = CloseFrame { code: close_code::POLICY, reason: reason.into() };
        let close = self.socket.send(Message::Close(Some(frame)));
        let _ = tokio::time::timeout(SEND_TIMEOUT, close).await;
    }

    async fn talk(&mut self) -> Result<(), End> {
        let mut blocks = self.rpc.node.subscribe();
        let stop = self.rpc.stop.clone();
        let mut pings = tokio::time::interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.asked() => return Err(End("the node stops")),
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.called(text.as_bytes()).await?,
                    Some(Ok(Message::Binary(bytes))) => self.called(&bytes).await?,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                },
                block = blocks.recv() => match block {
                    Ok(block) => self.happened(&block).await?,
                    Err(RecvError::Lagged(_)) if self.topics.is_empty() => {}
                    Err(_) => return Err(End("the client is not pulling messages fast enough")),
                },
                _ = pings.tick() => self.send(Message::Ping(Default::default())).await?,
            }
        }
    }

    async fn called(&mut self, text: &[u8]) -> Result<(), End> {
        let single = serde_json::from_slice::<Value>(text).ok().filter(Value::is_object);
        let answer = match single.map(methods::read) {
            // A batch, or nothing that can be read: as over HTTP.
            None => methods::call_text(&self.rpc, text).await,
            Some(Err(answer)) => Some(answer),
            Some(Ok(request)) => {
                let id = request.id.clone();
                let result = self.call(request).await;
                id.map(|id| methods::answer(id, result))
            }
        };
        match answer {
            Some(answer) => self.send(Message::Text(answer.to_string().into())).await,
            None => Ok(()),
        }
    }

    async fn call(&mut self, request: Request) -> Result<Value, RpcError> {
        match request.method.as_str() {
            "subscribe" => {
                let query = query_of(request.params)?;
                let topic = Topic::parse(&query)?;
                if self.topics.contains_key(&query) {
                    return Err(RpcError::Internal("already subscribed".to_owned()));
                }
                if self.topics.len() >= SUBSCRIPTIONS_MAX {
                    let reason = format!("{SUBSCRIPTIONS_MAX} subscriptions, no more are taken");
                    return Err(RpcError::Internal(reason));
                }
                self.topics.insert(query, (request.id.unwrap_or_default(), topic));
                Ok(json!({}))
            }
            "unsubscribe" => match self.topics.remove(&query_of(request.params)?) {
                Some(_) => Ok(json!({})),
                None => Err(RpcError::Internal("subscription not found".to_owned())),
            },
            "unsubscribe_all" => {
                self.topics.clear();
                Ok(json!({}))
            }
            _ => methods::call_request(&self.rpc, request).await,
        }
    }

    async fn happened(&mut self, block: &Sealed) -> Result<(), End> {
        let mut messages = Vec::new();
        for (query, (id, topic)) in &self.topics {
            for event in topic.events(block) {
                let result = json!({ "query": query, "data": event.data, "events": event.events });
                messages.push(methods::answer(id.clone(), Ok(result)).to_string());
            }
        }
        for message in messages {
            self.send(Message::Text(message.into())).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End("the connection is broken")),
            Err(_) => Err(End("the client is not pulling messages fast enough")),
        }
    }
}

fn query_of(params: Option<Value>) -> Result<String, RpcError> {
    let query = match params {
        Some(Value::Object(mut params)) => params.remove("query"),
        Some(Value::Array(params)) => params.into_iter().next(),
        _ => None,
    };
    match query {
        Some(Value::String(query)) => Ok(query),
        _ => Err(RpcError::Params("query should be text".to_owned())),
    }
}
