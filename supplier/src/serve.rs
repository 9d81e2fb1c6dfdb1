//! HTTP on one side, the computing thread on the other.

use crate::answer::{Frame, Used};
use crate::ask::{self, Ask};
use crate::config::Limits;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::worker::{Finish, Job, Piece, Told, Workshop};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use daemon::Stop;
use daemon::health::Health;
use engine::Model;
use futures::Stream;
use futures::stream::{SelectAll, StreamExt, select_all};
use meter::{Endpoint, Meter};
use prometheus::Registry;
use proto::names::SEED_HEADER;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

/// What a supplier is made of.
pub struct Parts {
    pub model: Model,
    pub meter: Arc<Meter>,
    /// The name under which the model is served.
    pub name: String,
    pub limits: Limits,
}

/// Why a supplier does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("figures cannot be kept: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("the computing thread cannot start: {0}")]
    Thread(std::io::Error),
    #[error("serving failed: {0}")]
    Listener(std::io::Error),
}

#[derive(Clone)]
struct Supplier {
    meter: Arc<Meter>,
    name: Arc<str>,
    limits: Limits,
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    metrics: Metrics,
    stop: Stop,
}

/// Serves until `stop`.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let router = router(parts, stop.clone())?;
    daemon::serve(router, listener, stop).await.map_err(ServeError::Listener)
}

/// The routes, with the computing thread behind them. The thread ends when the routes are dropped.
pub fn router(parts: Parts, stop: Stop) -> Result<Router, ServeError> {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let (jobs, received) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let workshop = Workshop {
        model: parts.model,
        meter: parts.meter.clone(),
        sequences: parts.limits.sequences,
        answer_limit: Duration::from_secs(parts.limits.answer_s),
        waiting: waiting.clone(),
        metrics: metrics.clone(),
    };
    std::thread::Builder::new()
        .name("compute".to_owned())
        .spawn(move || workshop.run(&received))
        .map_err(ServeError::Thread)?;
    let (meter, name, limits) = (parts.meter, parts.name.into(), parts.limits);
    let asked = stop.clone();
    let health = Health::new(registry, move || match asked.is_asked() {
        true => Err("stopping".to_owned()),
        false => Ok(()),
    });
    let supplier = Supplier { meter, name, limits, jobs, waiting, metrics, stop };
    let api = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v1/models", get(models))
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::Path)
        .with_state(supplier);
    Ok(health.router().merge(api))
}

async fn models(State(supplier): State<Supplier>) -> Json<Value> {
    Json(json!({"object": "list", "data": [{
        "id": &*supplier.name, "object": "model", "created": 0, "owned_by": "lode",
        "max_model_len": supplier.meter.context_max(),
    }]}))
}

async fn chat(State(supplier): State<Supplier>, request: Request) -> Response {
    supplier.answer(Endpoint::Chat, request).await
}

async fn completions(State(supplier): State<Supplier>, request: Request) -> Response {
    supplier.answer(Endpoint::Completions, request).await
}

/// The pieces of one choice.
type OfChoice = Pin<Box<dyn Stream<Item = (usize, Piece)> + Send>>;

/// The pieces of all choices, as they come.
type Pieces = SelectAll<OfChoice>;

impl Supplier {
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
        let (head, body) = request.into_parts();
        let most = self.limits.request_bytes;
        let body = to_bytes(body, most).await.map_err(|_| Refusal::TooLarge(most))?;
        let ask = ask::read(&self.meter, endpoint, &body)?;
        if ask.asked.model != *self.name {
            return Err(Refusal::Model(ask.asked.model));
        }
        let seed = seed(&head.headers, &ask);
        let pieces = self.order(&ask, seed)?;
        let frame = Frame {
            endpoint,
            id: format!(
                "{}-{:016x}",
                if endpoint == Endpoint::Chat { "chatcmpl" } else { "cmpl" },
                seed ^ now_nanos()
            ),
            created: now_nanos() / 1_000_000_000,
            model: ask.asked.model.clone(),
        };
        if ask.asked.stream {
            Ok(self.stream(frame, ask, pieces))
        } else {
            self.whole(frame, ask, pieces).await
        }
    }

    /// Sends a job for each choice, unless too many wait.
    fn order(&self, ask: &Ask, seed: u64) -> Result<Pieces, Refusal> {
        let choices = ask.asked.prompts.len() * ask.asked.n as usize;
        let waiting = self.waiting.fetch_add(choices, Ordering::Relaxed);
        if waiting + choices > self.limits.queue + self.limits.sequences {
            self.waiting.fetch_sub(choices, Ordering::Relaxed);
            return Err(Refusal::Busy { waiting });
        }
        let mut all: Vec<OfChoice> = Vec::new();
        for index in 0..choices {
            let (pieces, mut received) = unbounded_channel();
            let mut sampling = ask.sampling.clone();
            // Each choice has a seed of its own; the first has the one that was given.
            sampling.seed = seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let job = Job {
                prompt: ask.asked.prompts[index / ask.asked.n as usize].clone(),
                max_tokens: ask.asked.max_tokens,
                sampling,
                stop: ask.stop.clone(),
                logprobs: ask.logprobs,
                pieces,
            };
            self.jobs.send(job).map_err(|_| Refusal::Stopping)?;
            let stream = futures::stream::poll_fn(move |context| received.poll_recv(context));
            all.push(Box::pin(stream.map(move |piece| (index, piece))));
        }
        Ok(select_all(all))
    }

    async fn whole(&self, frame: Frame, ask: Ask, mut pieces: Pieces) -> Result<Response, Refusal> {
        let began = Instant::now();
        let choices = ask.asked.prompts.len() * ask.asked.n as usize;
        let mut made: Vec<(String, Vec<Told>, Option<Finish>)> = vec![Default::default(); choices];
        while let Some((index, piece)) = pieces.next().await {
            match piece {
                Piece::Text { text, logprobs } => {
                    if made.iter().all(|(text, ..)| text.is_empty()) {
                        self.metrics.first_token(began.elapsed());
                    }
                    made[index].0.push_str(&text);
                    made[index].1.extend(logprobs);
                }
                Piece::End(finish) => made[index].2 = Some(finish),
                Piece::Failed(reason) => return Err(Refusal::Failed(reason)),
            }
        }
        let out = made.iter().map(|(text, ..)| self.meter.count(text)).sum();
        let mut list = Vec::with_capacity(choices);
        for (index, (text, told, finish)) in made.iter().enumerate() {
            let finish = finish.ok_or_else(|| Refusal::Failed("it broke off".to_owned()))?;
            let told = ask.logprobs.map(|_| told.as_slice());
            list.push(frame.choice(index, text, told, finish));
        }
        let used = Used { prompt: ask.asked.prompt_tokens(), out };
        Ok(Json(frame.whole(list, used)).into_response())
    }

    fn stream(&self, frame: Frame, ask: Ask, pieces: Pieces) -> Response {
        let choices = ask.asked.prompts.len() * ask.asked.n as usize;
        let first: String = (0..choices).filter_map(|index| frame.begins(index)).collect();
        let began = Instant::now();
        let (meter, metrics) = (self.meter.clone(), self.metrics.clone());
        let mut texts = vec![String::new(); choices];
        let wanted = ask.logprobs.is_some();
        let shape = frame.clone();
        let events = pieces.scan(false, move |broken, (index, piece)| {
            if *broken {
                return std::future::ready(None);
            }
            std::future::ready(Some(match piece {
                Piece::Text { text, logprobs } => {
                    if texts.iter().all(String::is_empty) {
                        metrics.first_token(began.elapsed());
                    }
                    texts[index].push_str(&text);
                    (shape.more(index, &text, &logprobs, wanted), None)
                }
                Piece::End(finish) => {
                    let out = meter.count(&texts[index]);
                    (shape.ends(index, finish), Some(out))
                }
                Piece::Failed(reason) => {
                    *broken = true;
                    (format!("data: {}\n\n", json!({"error": {"message": reason, "type": "server_error", "param": null, "code": null}})), None)
                }
            }))
        });
        let body = with_end(first, events, frame, &ask, choices);
        let mut response = Response::new(Body::from_stream(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// The first events, those of the pieces, and once all choices ended the usage and the last line.
fn with_end(
    first: String,
    events: impl Stream<Item = (String, Option<u64>)> + Send + 'static,
    frame: Frame,
    ask: &Ask,
    choices: usize,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let (prompt, include_usage) = (ask.asked.prompt_tokens(), ask.asked.include_usage);
    let (mut out, mut left) = (0, choices);
    let events = events.map(move |(mut event, ended)| {
        if let Some(tokens) = ended {
            out += tokens;
            left -= 1;
            if left == 0 {
                if include_usage {
                    event.push_str(&frame.usage(Used { prompt, out }));
                }
                event.push_str("data: [DONE]\n\n");
            }
        }
        Ok(Bytes::from(event))
    });
    let first = futures::stream::iter((!first.is_empty()).then(|| Ok(Bytes::from(first))));
    first.chain(events)
}

/// The client's seed; else the one that the relay fixes; else a random one.
fn seed(headers: &HeaderMap, ask: &Ask) -> u64 {
    let relay = headers.get(SEED_HEADER).and_then(|value| value.to_str().ok());
    let relay = relay.and_then(|text| u64::from_str_radix(text, 16).ok());
    ask.seed.or(relay).unwrap_or_else(|| {
        let mut bytes = [0; 8];
        match getrandom::fill(&mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes),
            // Without the system's randomness the clock is different enough for sampling.
            Err(_) => now_nanos(),
        }
    })
}

fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
