//! One answer on its way from the model's server to the client.

use super::Remote;
use super::passage::{Garbage, Passage};
use crate::refusal::Refusal;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream;
use meter::Endpoint;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of one event, or of an answer that is not streamed, at most.
const EVENT_MAX: usize = 16 << 20;

/// Bytes of a server's error that are read at most.
const ERROR_MAX: usize = 4096;

/// Why an answer ends before its end. The connection to the client is broken off, so that nobody takes
/// what came for the whole.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the model's server broke off: {0}")]
    Off(String),
    #[error(transparent)]
    Garbage(#[from] Garbage),
    #[error("the model's server closed before its answer's end")]
    Early,
    #[error("the model's server sent an event of more than {EVENT_MAX} bytes")]
    Long,
    #[error("the model's server was silent for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the answer took longer than {0} s")]
    Late(u64),
}

/// Asks the server. Returns when its answer begins.
pub(super) async fn ask(
    remote: &Remote,
    endpoint: Endpoint,
    fields: &Map<String, Value>,
    patience: Duration,
) -> Result<reqwest::Response, Refusal> {
    let path = match endpoint {
        Endpoint::Chat => "/v1/chat/completions",
        Endpoint::Completions => "/v1/completions",
    };
    let url = format!("{}{path}", remote.server.url.trim_end_matches('/'));
    let asked = remote.client.post(url).json(fields).send();
    let answer = tokio::time::timeout(patience, asked).await;
    let answer = answer.map_err(|_| Refusal::Late(patience.as_secs()))?;
    let answer = answer.map_err(|error| Refusal::Away(told(&error)))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let mut text = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        text.extend_from_slice(&piece[..piece.len().min(ERROR_MAX - text.len())]);
        if text.len() == ERROR_MAX {
            break;
        }
    }
    let said: Value = serde_json::from_slice(&text).unwrap_or_default();
    let message = said["error"]["message"].as_str().or(said["message"].as_str());
    let message = message.unwrap_or("it gave no reason").to_owned();
    match status.as_u16() {
        400 | 413 | 422 => Err(Refusal::Backend(message)),
        429 => Err(Refusal::Busy { waiting: remote.limits.sequences }),
        _ => Err(Refusal::Away(format!("the model's server answered {status}: {message}"))),
    }
}

/// The whole answer.
pub(super) async fn whole(
    remote: &Remote,
    mut passage: Passage,
    answer: reqwest::Response,
    since: Instant,
) -> Result<Response, Refusal> {
    let mut bytes = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Refusal::Away(told(&error)))?;
        if bytes.len() + piece.len() > EVENT_MAX {
            return Err(Refusal::Away(Broken::Long.to_string()));
        }
        bytes.extend_from_slice(&piece);
    }
    remote.metrics.first_token(since.elapsed());
    let text = passage.whole(&bytes).map_err(|error| Refusal::Away(error.to_string()))?;
    ended(remote, &mut passage);
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], text).into_response())
}

/// A stream under way.
struct Flow {
    remote: Remote,
    passage: Passage,
    pieces: stream::BoxStream<'static, reqwest::Result<Bytes>>,
    /// The beginning of a line.
    rest: Vec<u8>,
    since: Instant,
    spoke: Option<Instant>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

/// The answer as it comes. Dropping it ends the server's work.
pub(super) fn stream(
    remote: Remote,
    passage: Passage,
    answer: reqwest::Response,
    place: OwnedSemaphorePermit,
    since: Instant,
) -> Response {
    let pieces = answer.bytes_stream().boxed();
    let (rest, spoke, over) = (Vec::new(), None, false);
    remote.metrics.running.inc();
    let flow = Flow { remote, passage, pieces, rest, since, spoke, over, _place: place };
    let body = stream::unfold(flow, async |mut flow| {
        let next = flow.next().await?;
        if let Err(broken) = &next {
            flow.over = true;
            tracing::warn!(%broken, "an answer ends early");
        }
        Some((next, flow))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

impl Flow {
    /// The next events that the client gets; none at the end.
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        let limit = Duration::from_secs(self.remote.limits.answer_s);
        while !self.over {
            let server = &self.remote.server;
            let idle = if self.spoke.is_some() { server.idle_ms } else { server.first_token_ms };
            let idle = Duration::from_millis(idle);
            let left = limit.saturating_sub(self.since.elapsed());
            let piece = match tokio::time::timeout(left.min(idle), self.pieces.next()).await {
                Err(_) if left <= idle => return Some(Err(Broken::Late(limit.as_secs()))),
                Err(_) => return Some(Err(Broken::Silent(idle))),
                Ok(None) => {
                    self.over = true;
                    ended(&self.remote, &mut self.passage);
                    return (!self.passage.done).then_some(Err(Broken::Early));
                }
                Ok(Some(Err(error))) => return Some(Err(Broken::Off(told(&error)))),
                Ok(Some(Ok(piece))) => piece,
            };
            match self.take(&piece) {
                Ok(events) if events.is_empty() => {}
                Ok(events) => {
                    self.spoken();
                    return Some(Ok(events.into()));
                }
                Err(broken) => return Some(Err(broken)),
            }
        }
        None
    }

    /// The events that a piece completes.
    fn take(&mut self, piece: &[u8]) -> Result<String, Broken> {
        if self.rest.len() + piece.len() > EVENT_MAX {
            return Err(Broken::Long);
        }
        self.rest.extend_from_slice(piece);
        let mut events = String::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let data = std::str::from_utf8(data.trim_ascii());
            let data = data.map_err(|error| Garbage(error.to_string()))?;
            if !data.is_empty()
                && let Some(event) = self.passage.event(data)?
            {
                events.push_str(&event);
            }
        }
        Ok(events)
    }

    fn spoken(&mut self) {
        match self.spoke.replace(Instant::now()) {
            None => self.remote.metrics.first_token(self.since.elapsed()),
            Some(spoke) => self.remote.metrics.between(spoke.elapsed()),
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.remote.metrics.running.dec();
    }
}

fn ended(remote: &Remote, passage: &mut Passage) {
    remote.metrics.tokens.inc_by(passage.delivered.out());
    if passage.done {
        remote.watched.answered();
    }
    if passage.usage_holds() == Some(false) {
        remote.metrics.usage_wrong.inc();
        let (claimed, counted) = (passage.claimed, passage.delivered.out());
        tracing::warn!(
            ?claimed,
            counted,
            "the model's server says another usage than its text has"
        );
    }
}

/// An error with its causes, without the address, which may hold a password.
pub(super) fn told(error: &reqwest::Error) -> String {
    let mut text = "the model's server cannot be asked".to_owned();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
