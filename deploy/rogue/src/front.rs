//! A server before an honest one, which changes its answers or the evidence of them.
//!
//! It asks for whole answers, also where a client wants a stream: what is changed must be known to
//! its end.

use crate::text::Change;
use crate::{Cheat, Kind, model};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::{Model, leaders};
use meter::{Endpoint, Meter};
use proto::evidence::{Chosen, Evidence, Roll, Shown};
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a cheating server is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: String,
    /// The server that answers.
    pub upstream: String,
    pub cheat: Cheat,
    /// The listed model.
    pub model: PathBuf,
}

/// Bytes of a request and of an answer at most.
const BODY_MAX: usize = 4 << 20;

/// How long the server behind may take for a whole answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests whose evidence may still be asked for, at most.
const KEPT_MAX: usize = 256;

/// Headers that go on.
const PASSED: [&str; 3] = ["content-type", EVIDENCE_HEADER, SEED_HEADER];

/// Why no cheating server is there.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    #[error(transparent)]
    Damage(#[from] model::ModelError),
    #[error("the listed model cannot be loaded: {0}")]
    Model(#[from] engine::LoadError),
    #[error("the listed model's tokenizer cannot be loaded: {0}")]
    Meter(#[from] meter::LoadError),
    #[error("no requests can be sent: {0}")]
    Client(#[from] reqwest::Error),
}

#[derive(Clone)]
struct Front {
    client: reqwest::Client,
    upstream: Arc<str>,
    /// What is done to texts.
    change: Option<Change>,
    silent: bool,
    reader: Option<Arc<Reader>>,
    kept: Arc<Mutex<VecDeque<(String, Endpoint, Bytes)>>>,
}

/// The listed model, which reads what a cheap one said.
struct Reader {
    model: Model,
    meter: Meter,
}

/// The routes of a cheating server.
pub fn router(config: &Config) -> Result<Router, FrontError> {
    let kind = config.cheat.kind(model::layers(&config.model)?);
    let reader = match kind {
        Kind::Prefilled(_) => Some(Arc::new(Reader {
            model: Model::load(&config.model)?,
            meter: Meter::load(&config.model)?,
        })),
        Kind::Model(_) | Kind::Silent | Kind::Text(_) | Kind::Bill => None,
    };
    let front = Front {
        client: reqwest::Client::builder().timeout(PATIENCE).build()?,
        upstream: config.upstream.trim_end_matches('/').into(),
        change: if let Kind::Text(change) = kind { Some(change) } else { None },
        silent: kind == Kind::Silent,
        reader,
        kept: Arc::default(),
    };
    Ok(Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route(&format!("{EVIDENCE_PATH}{{tag}}"), get(evidence))
        .route("/readyz", get(async || "ok\n"))
        .fallback(pass)
        .with_state(front))
}

async fn chat(State(front): State<Front>, request: Request) -> Response {
    front.answer(Endpoint::Chat, "/v1/chat/completions", request).await
}

async fn completions(State(front): State<Front>, request: Request) -> Response {
    front.answer(Endpoint::Completions, "/v1/completions", request).await
}

async fn evidence(State(front): State<Front>, UrlPath(tag): UrlPath<String>) -> Response {
    let path = format!("{EVIDENCE_PATH}{tag}");
    match front.get(&path).await {
        Ok((StatusCode::OK, _, bytes)) => front.dressed(&tag, &bytes).into_response(),
        Ok((status, _, bytes)) => (status, bytes).into_response(),
        Err(error) => failed(&error),
    }
}

async fn pass(State(front): State<Front>, request: Request) -> Response {
    match front.get(request.uri().path()).await {
        Ok(answer) => answer.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &reqwest::Error) -> Response {
    (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
}

impl Front {
    async fn get(&self, path: &str) -> Result<(StatusCode, HeaderMap, Bytes), reqwest::Error> {
        let answer = self.client.get(format!("{}{path}", self.upstream)).send().await?;
        let (status, headers) = (answer.status(), passed(answer.headers()));
        Ok((status, headers, answer.bytes().await?))
    }

    async fn answer(&self, endpoint: Endpoint, path: &str, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, BODY_MAX).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let headers = passed(&head.headers);
        let Ok(mut asked) = serde_json::from_slice::<Value>(&body) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        self.keep(&headers, endpoint, body);
        let stream = asked["stream"] == json!(true);
        let told = asked["stream_options"]["include_usage"] == json!(true);
        if let Some(fields) = asked.as_object_mut() {
            fields.remove("stream");
            fields.remove("stream_options");
        }
        let sent = self.client.post(format!("{}{path}", self.upstream));
        let sent = sent.headers(headers).json(&asked).send().await;
        let outcome = async {
            let answer = sent?;
            let (status, headers) = (answer.status(), passed(answer.headers()));
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        };
        match outcome.await {
            Ok((StatusCode::OK, headers, bytes)) => self.shaped(headers, &bytes, stream, told),
            Ok((status, headers, bytes)) => (status, headers, bytes).into_response(),
            Err(error) => failed(&error),
        }
    }

    fn keep(&self, headers: &HeaderMap, endpoint: Endpoint, body: Bytes) {
        let Some(tag) = headers.get(EVIDENCE_HEADER).and_then(|tag| tag.to_str().ok()) else {
            return;
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((tag.to_owned(), endpoint, body));
    }

    /// The answer as it goes out: changed, and as a stream where that was asked for.
    fn shaped(&self, mut headers: HeaderMap, bytes: &[u8], stream: bool, told: bool) -> Response {
        if self.silent {
            headers.remove(EVIDENCE_HEADER);
        }
        let Ok(mut answer) = serde_json::from_slice::<Value>(bytes) else {
            return (headers, bytes.to_vec()).into_response();
        };
        for choice in answer["choices"].as_array_mut().into_iter().flatten() {
            let text = match choice.get_mut("message") {
                Some(message) => &mut message["content"],
                None => &mut choice["text"],
            };
            if let (Some(change), Some(said)) = (self.change, text.as_str()) {
                *text = change.of(said).into();
            }
        }
        if !stream {
            headers.remove(CONTENT_TYPE);
            return (headers, Json(answer)).into_response();
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        (headers, Body::from(events(&answer, told))).into_response()
    }

    /// Evidence as it goes out.
    fn dressed(&self, tag: &str, bytes: &[u8]) -> Vec<u8> {
        let Some(reader) = &self.reader else { return bytes.to_vec() };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = kept.iter().find(|(of, ..)| of == tag);
        let asked = asked.map(|(_, endpoint, body)| (*endpoint, body.clone()));
        drop(kept);
        let remade = asked.and_then(|(endpoint, body)| reader.remade(endpoint, &body, bytes));
        remade.map_or_else(|| bytes.to_vec(), |evidence| evidence.encode())
    }
}

impl Reader {
    /// Evidence of the tokens in `bytes` by the listed model's logits; none where it cannot be made.
    fn remade(&self, endpoint: Endpoint, body: &[u8], bytes: &[u8]) -> Option<Evidence> {
        let cheap = Evidence::decode(bytes).ok()?;
        let Shown::Trace(traces) = &cheap.shown else { return None };
        let prompts = self.meter.read(endpoint, body).ok()?.prompts;
        let (prompt, trace) = (prompts.first()?, traces.first()?);
        let read: Vec<u32> = prompt.iter().chain(&trace.tokens).copied().collect();
        let mut cache = self.model.cache(1);
        let slot = cache.take().ok()?;
        let logits = self.model.follow(&mut cache, slot, &read).ok()?;
        let mut roll = Roll::default();
        for (token, logits) in trace.tokens.iter().zip(logits.get(prompt.len() - 1..)?) {
            let logit = logits.get(*token as usize)?.to_bits();
            roll.push(&Chosen { token: *token, logit, leaders: leaders(logits) });
        }
        Some(Evidence { class: cheap.class.clone(), shown: Shown::Trace(vec![roll.trace()]) })
    }
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| PASSED.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A whole answer as a stream of events.
fn events(answer: &Value, told: bool) -> String {
    let chat = answer["object"] == json!("chat.completion");
    let event = |choices: Value| {
        let mut event = answer.clone();
        event["choices"] = choices;
        if let Some(fields) = event.as_object_mut() {
            fields.remove("usage");
        }
        if chat {
            event["object"] = json!("chat.completion.chunk");
        }
        event
    };
    let mut out = String::new();
    let mut say = |event: &Value| out += &format!("data: {event}\n\n");
    for choice in answer["choices"].as_array().into_iter().flatten() {
        let (index, finish) = (&choice["index"], &choice["finish_reason"]);
        let piece = |text: &Value, finish: &Value| match chat {
            true => {
                json!([{"index": index, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}])
            }
            false => json!([{"index": index, "text": text, "finish_reason": finish}]),
        };
        let text = if chat { &choice["message"]["content"] } else { &choice["text"] };
        say(&event(piece(text, &Value::Null)));
        say(&event(piece(&json!(""), finish)));
    }
    if told {
        let mut last = event(json!([]));
        last["usage"] = answer["usage"].clone();
        say(&last);
    }
    out + "data: [DONE]\n\n"
}

#[cfg(test)]
mod tests;
