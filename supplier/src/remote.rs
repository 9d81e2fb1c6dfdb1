//! A supplier whose model another server runs: vLLM, llama-server, SGLang, Ollama, anything that speaks
//! OpenAI's API. What that server says of itself is never passed on as ours.
//!
//! ```text
//!  relay miner --> remote --> passage --> the model's server
//!                    |          usage counted anew, log probabilities kept as evidence
//!                    '-- watch: does it name the model, does it still answer; child: start it again
//! ```

mod child;
mod flow;
mod passage;
mod watch;

pub use child::Child;

use crate::admin::{Dial, Front, Work};
use crate::ask::{self, Ask};
use crate::config::{Limits, Server};
use crate::defaults::Defaults;
use crate::intake;
use crate::lost::Lost;
use crate::metrics::Metrics;
use crate::models::{self, Card};
use crate::refusal::Refusal;
use crate::serve::ServeError;
use crate::shelf::{Record, Shelf};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use daemon::Stop;
use daemon::health::Health;
use meter::{Delivered, Endpoint, Meter};
use passage::Passage;
use prometheus::Registry;
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use watch::State as Watched;

/// What a supplier before another server is made of.
pub struct Parts {
    pub server: Server,
    /// The server's key, if it wants one.
    pub api_key: Option<String>,
    /// Who starts the server, where that is our business.
    pub child: Option<Child>,
    pub meter: Arc<Meter>,
    /// The name under which the model is served here.
    pub name: String,
    pub limits: Limits,
}

/// A server that runs the model.
#[derive(Clone)]
struct Remote {
    server: Arc<Server>,
    client: reqwest::Client,
    /// Its name for the model.
    model: Arc<str>,
    meter: Arc<Meter>,
    name: Arc<str>,
    limits: Limits,
    /// Room for as many answers as the limits allowed at the start; the dial may allow fewer.
    places: Arc<Semaphore>,
    dial: Dial,
    waiting: Arc<AtomicUsize>,
    shelf: Shelf,
    metrics: Metrics,
    watched: Arc<Watched>,
    stop: Stop,
}

/// The routes, and what watches the server until `stop`.
pub fn router(parts: Parts, stop: Stop) -> Result<Router, ServeError> {
    front(parts, stop).map(|front| front.router)
}

/// The routes with what their owner can set and see.
pub fn front(parts: Parts, stop: Stop) -> Result<Front, ServeError> {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let client = client(&parts).map_err(|error| ServeError::Client(error.to_string()))?;
    let model = parts.server.model.clone().unwrap_or_else(|| parts.name.clone());
    let remote = Remote {
        client,
        model: model.into(),
        meter: parts.meter,
        name: parts.name.into(),
        limits: parts.limits,
        places: Arc::new(Semaphore::new(parts.limits.sequences)),
        dial: Dial::of(&parts.limits),
        waiting: Arc::default(),
        shelf: Shelf::default(),
        metrics,
        watched: Arc::default(),
        server: Arc::new(parts.server),
        stop: stop.clone(),
    };
    tokio::spawn(watch::follow(remote.clone(), parts.child));
    let (ready, lost) = (remote.watched.clone(), Lost::none_yet(stop.clone()));
    let health = Health::new(registry, move || match stop.is_asked() {
        true => Err("stopping".to_owned()),
        false => ready.ready(),
    });
    let (dial, metrics, waiting) =
        (remote.dial.clone(), remote.metrics.clone(), remote.waiting.clone());
    let work = Work::new(remote.name.clone(), metrics, waiting);
    let context_max = remote.meter.context_max().into();
    let card = Card { name: remote.name.clone(), context_max };
    let api = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .merge(models::routes(card))
        .route(&format!("{EVIDENCE_PATH}{{tag}}"), get(evidence))
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::Path)
        .with_state(remote);
    Ok(Front { router: health.router().merge(api), dial, work, lost })
}

fn client(parts: &Parts) -> Result<reqwest::Client, reqwest::Error> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &parts.api_key
        && let Ok(mut value) = axum::http::HeaderValue::from_str(&format!("Bearer {key}"))
    {
        value.set_sensitive(true);
        headers.insert(axum::http::header::AUTHORIZATION, value);
    }
    reqwest::Client::builder()
        .default_headers(headers)
        .connect_timeout(Duration::from_millis(parts.server.connect_ms))
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
}

async fn evidence(State(remote): State<Remote>, Path(tag): Path<String>) -> Response {
    remote.shelf.answer(&tag)
}

async fn chat(State(remote): State<Remote>, request: Request) -> Response {
    remote.answer(Endpoint::Chat, request).await
}

async fn completions(State(remote): State<Remote>, request: Request) -> Response {
    remote.answer(Endpoint::Completions, request).await
}

impl Remote {
    async fn answer(self, endpoint: Endpoint, request: Request) -> Response {
        match self.begin(endpoint, request).await {
            Ok(response) => {
                self.metrics.requests.inc();
                response
            }
            Err(refusal) => {
                self.metrics.refused.inc();
                refusal.into_response()
            }
        }
    }

    async fn begin(&self, endpoint: Endpoint, request: Request) -> Result<Response, Refusal> {
        if self.stop.is_asked() {
            return Err(Refusal::Stopping);
        }
        self.watched.ready().map_err(Refusal::Away)?;
        let since = Instant::now();
        let (head, body) = request.into_parts();
        let most = self.limits.request_bytes;
        let body = intake::read(body, most).await?;
        let ask = ask::read(&self.meter, &Defaults::default(), endpoint, &body)?;
        if ask.asked.model != *self.name {
            return Err(Refusal::Model(ask.asked.model));
        }
        let place = self.place().await?;
        let record = Record::none(&self.server.kind);
        let tag = self.shelf.tag(&head.headers, &record);
        let passage = self.passage(endpoint, &ask, record);
        let fields = ask::fields(&body)?;
        let seed = seed(&head.headers);
        let fields = passage.body(&fields, &self.model, seed, self.server.logprobs);
        let limit = Duration::from_secs(self.limits.answer_s);
        let patience = match ask.asked.stream {
            true => Duration::from_millis(self.server.first_token_ms),
            false => limit,
        };
        let begun = flow::ask(self, endpoint, &fields, patience).await?;
        let mut response = match ask.asked.stream {
            true => flow::stream(self.clone(), passage, begun, place, since),
            false => {
                let whole = flow::whole(self, passage, begun, since);
                let whole = tokio::time::timeout(limit, whole).await;
                whole.map_err(|_| Refusal::Late(limit.as_secs()))??
            }
        };
        if let Some(tag) = tag {
            response.headers_mut().insert(EVIDENCE_HEADER, tag);
        }
        Ok(response)
    }

    fn passage(&self, endpoint: Endpoint, ask: &Ask, record: Record) -> Passage {
        Passage {
            endpoint,
            name: self.name.clone(),
            prompt: ask.asked.prompt_tokens(),
            logprobs: ask.logprobs.is_some(),
            usage: ask.asked.include_usage,
            record,
            delivered: Delivered::new(self.meter.clone(), ask.asked.stream),
            claimed: None,
            done: false,
        }
    }

    /// A place among the answers that are made side by side, after at most `limits.queue` others.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        // Also a client that leaves while it waits leaves the queue.
        self.metrics.waiting.inc();
        let _waits = Waits(&self.waiting, &self.metrics);
        let running = self.limits.sequences.saturating_sub(self.places.available_permits());
        let left = self.dial.sequences().saturating_sub(running);
        // Who waits for a place gets the next one, also where the dial allows fewer than there are.
        let queue =
            if self.dial.sequences() < self.limits.sequences { 0 } else { self.dial.queue() };
        if waiting >= left + queue {
            return Err(Refusal::Busy { waiting });
        }
        self.places.clone().acquire_owned().await.map_err(|_| Refusal::Stopping)
    }
}

/// The seed that the relay fixes; without one, any will do.
fn seed(headers: &HeaderMap) -> u64 {
    let seed = headers.get(SEED_HEADER).and_then(|value| value.to_str().ok());
    seed.and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(0)
}

struct Waits<'a>(&'a AtomicUsize, &'a Metrics);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        self.1.waiting.dec();
    }
}
