//! What a supplier's owner can do while it runs: look, let it drain, change its limits.
//!
//! ```text
//! GET  /status   what it does, as JSON
//! POST /drain    no new answers; what runs is finished, then the process ends
//! POST /reload   limits are read again from the configuration, as with SIGHUP
//! ```

use crate::config::Limits;
use crate::crew::Board;
use crate::lost::Lost;
use crate::metrics::Metrics;
use crate::serve::ServeError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use daemon::Stop;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// Limits that may change while answers are made.
#[derive(Clone, Debug)]
pub struct Dial(Arc<[AtomicUsize; 2]>);

/// Reads the limits again; says what is wrong with them otherwise.
pub type Reload = Arc<dyn Fn() -> Result<Limits, String> + Send + Sync>;

/// The routes of a supplier, with what its owner can set and see.
pub struct Front {
    pub router: Router,
    pub dial: Dial,
    pub work: Work,
    pub(crate) lost: Lost,
}

/// What a supplier does, in figures.
#[derive(Clone)]
pub struct Work {
    name: Arc<str>,
    metrics: Metrics,
    waiting: Arc<AtomicUsize>,
    since: Instant,
    boxes: Option<Board>,
}

/// The owner's side of a supplier.
pub struct Owner {
    /// Where it is asked; it answers whoever can reach it.
    pub listener: Option<TcpListener>,
    pub reload: Reload,
    /// The admin address of the relay miner beside it, to tell of earnings.
    pub miner: Option<String>,
    /// How long answers may take after the wish to stop.
    pub drain: Duration,
}

#[derive(Clone)]
struct Admin {
    dial: Dial,
    reload: Reload,
    stop: Stop,
    work: Work,
    miner: Option<Arc<str>>,
    client: reqwest::Client,
}

/// Between two log lines about the work.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long a relay miner may take to tell of payouts.
const MINER_LIMIT: Duration = Duration::from_secs(3);

/// Serves a supplier until `stop`; then answers that run are finished, within `owner.drain`.
pub async fn serve(
    front: Front,
    owner: Owner,
    listener: TcpListener,
    stop: Stop,
) -> Result<(), ServeError> {
    let Front { router, dial, work, lost } = front;
    let (reload, miner, client) =
        (owner.reload, owner.miner.map(Into::into), reqwest::Client::new());
    let admin = Admin { dial, reload, stop: stop.clone(), work, miner, client };
    let beside = Stop::new();
    let mut tasks = JoinSet::new();
    if let Some(listener) = owner.listener {
        let (routes, beside) = (admin.clone().router(), beside.clone());
        tasks.spawn(daemon::serve(routes, listener, beside));
    }
    let mut hangups = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
    let hung = admin.clone();
    tasks.spawn(async move {
        while hangups.recv().await.is_some() {
            if let Err(reason) = hung.set() {
                tracing::error!(reason, "limits stay as they are");
            }
        }
    });
    tasks.spawn(async move { admin.tell().await });
    daemon::serve_within(router, listener, stop, owner.drain).await;
    beside.ask();
    tasks.shutdown().await;
    Ok(lost.check()?)
}

impl Work {
    pub(crate) fn new(name: Arc<str>, metrics: Metrics, waiting: Arc<AtomicUsize>) -> Work {
        Work { name, metrics, waiting, since: Instant::now(), boxes: None }
    }

    /// With the boxes that the model runs on, if it runs on several.
    pub(crate) fn over(self, boxes: Option<Board>) -> Work {
        Work { boxes, ..self }
    }

    fn json(&self) -> Value {
        let mut told = json!({
            "model": &*self.name,
            "seconds": self.since.elapsed().as_secs(),
            "running": self.metrics.running.get(),
            "waiting": self.waiting.load(Ordering::Relaxed),
            "requests": self.metrics.requests.get(),
            "refused": self.metrics.refused.get(),
            "tokens": self.metrics.tokens.get(),
            "prompt_tokens_reused": self.metrics.reused.get(),
            "speculated": { "tokens": self.metrics.guessed.get(), "accepted": self.metrics.guessed_right.get() },
            "cache_pages": self.metrics.cache_pages.get(),
        });
        if let Some(boxes) = &self.boxes {
            told["pipeline"] = boxes.json();
        }
        told
    }
}

impl Dial {
    /// The limits that a supplier begins with.
    pub fn of(limits: &Limits) -> Dial {
        Dial(Arc::new([AtomicUsize::new(limits.sequences), AtomicUsize::new(limits.queue)]))
    }

    /// Answers side by side at most.
    pub fn sequences(&self) -> usize {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Answers that wait at most.
    pub fn queue(&self) -> usize {
        self.0[1].load(Ordering::Relaxed)
    }

    /// Sets both. What runs or waits already goes on.
    pub fn set(&self, limits: &Limits) {
        self.0[0].store(limits.sequences, Ordering::Relaxed);
        self.0[1].store(limits.queue, Ordering::Relaxed);
    }
}

impl Admin {
    /// Reads the limits again and sets those that may change.
    fn set(&self) -> Result<(), String> {
        let limits = (self.reload)()?;
        self.dial.set(&limits);
        tracing::info!(sequences = limits.sequences, queue = limits.queue, "limits are set");
        Ok(())
    }

    fn router(self) -> Router {
        Router::new()
            .route("/status", get(status))
            .route("/drain", post(drain))
            .route("/reload", post(reload))
            .with_state(self)
    }

    /// Tells of the work once in a while, where there is some.
    async fn tell(&self) {
        let mut before = self.work.metrics.tokens.get();
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            let tokens = self.work.metrics.tokens.get();
            if tokens == before {
                continue;
            }
            let rate = (tokens - before) as f64 / TELL_EVERY.as_secs_f64();
            let (running, waiting) =
                (self.work.metrics.running.get(), self.work.waiting.load(Ordering::Relaxed));
            let earned = self.earnings().await.map(|earned| earned.to_string());
            tracing::info!(
                tokens_per_s = format!("{rate:.1}"),
                running,
                waiting,
                earned = earned.unwrap_or_default(),
                "at work"
            );
            before = tokens;
        }
    }

    /// What the relay miner beside it expects and got, by coin.
    async fn earnings(&self) -> Option<Value> {
        let url = format!("{}/lode/payouts", self.miner.as_deref()?.trim_end_matches('/'));
        let asked = self.client.get(url).timeout(MINER_LIMIT).send().await;
        let answer = asked.ok()?.json::<Value>().await.ok()?;
        Some(answer["totals"].clone())
    }
}

async fn status(State(admin): State<Admin>) -> Json<Value> {
    let mut status = admin.work.json();
    status["limits"] = json!({"sequences": admin.dial.sequences(), "queue": admin.dial.queue()});
    status["draining"] = admin.stop.is_asked().into();
    if let Some(earned) = admin.earnings().await {
        status["earned"] = earned;
    }
    Json(status)
}

async fn drain(State(admin): State<Admin>) -> Response {
    tracing::info!("draining: no new answers are taken");
    admin.stop.ask();
    (StatusCode::ACCEPTED, "draining\n").into_response()
}

async fn reload(State(admin): State<Admin>) -> Response {
    match admin.set() {
        Ok(()) => "limits are set\n".into_response(),
        Err(reason) => (StatusCode::BAD_REQUEST, reason + "\n").into_response(),
    }
}
