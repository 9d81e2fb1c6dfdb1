//! HTTP on one side, the computing thread on the other.

use crate::admin::{Dial, Front, Work};
use crate::answer::{Frame, Made, Used};
use crate::ask::Ask;
use crate::config::Limits;
use crate::crew::{Board, Caller, Member, Wait};
use crate::defaults::Defaults;
use crate::desk::{Desk, briefs};
use crate::grammar::{Grammar, Grammars};
use crate::intake;
use crate::link::frame_max;
use crate::lost::{Loss, Lost};
use crate::metrics::Metrics;
use crate::models::{self, Card};
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;
use crate::shelf::{Record, Shelf};
use crate::tools::Watch;
use crate::worker::head::{Event, Head, forward};
use crate::worker::{Job, Piece, Workshop};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use daemon::Stop;
use daemon::health::Health;
use engine::{DeviceFault, Full, KERNEL_CLASS, Model, PAGE, Residual, Room};
use futures::Stream;
use futures::stream::{SelectAll, StreamExt, select_all};
use meter::{Endpoint, Meter};
use prometheus::Registry;
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
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
    pub defaults: Defaults,
    pub limits: Limits,
}

/// Why a supplier does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("figures cannot be kept: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("the computing thread cannot start: {0}")]
    Thread(std::io::Error),
    #[error("the model's server cannot be asked: {0}")]
    Client(String),
    #[error("SIGHUP cannot be heard: {0}")]
    Signal(std::io::Error),
    #[error(transparent)]
    Device(#[from] DeviceFault),
    #[error(transparent)]
    Lost(#[from] Loss),
}

#[derive(Clone)]
struct Supplier {
    desk: Desk,
    /// What evidence says of the bits of answers.
    class: &'static str,
    limits: Limits,
    dial: Dial,
    room: Room,
    shelf: Shelf,
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    metrics: Metrics,
    stop: Stop,
}

/// Serves until `stop`.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let router = router(parts, stop.clone())?;
    daemon::serve(router, listener, stop).await;
    Ok(())
}

/// The routes, with the computing thread behind them. The thread ends when the routes are dropped.
pub fn router(parts: Parts, stop: Stop) -> Result<Router, ServeError> {
    front(None, parts, stop).map(|front| front.router)
}

/// The routes with what their owner can set and see, and behind them what computes: one thread, or one
/// and the boxes of a pipeline, which are called on the runtime that this is called on. `parts.model`
/// then holds the model's ends.
pub fn front(pipeline: Option<Pipeline>, parts: Parts, stop: Stop) -> Result<Front, ServeError> {
    let class = pipeline
        .as_ref()
        .map_or(KERNEL_CLASS, |pipeline| Residual::from(pipeline.settings.residual).class());
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let (jobs, received) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    tracing::info!(model = parts.name, "{}", parts.model.report());
    let (room, dial) = (room(&parts.model, &parts.limits), Dial::of(&parts.limits));
    let context_max = parts.model.context_max() as u64;
    let grammars = Arc::new(Grammars::new(parts.meter.clone(), parts.model.vocabulary()));
    let lost = Lost::none_yet(stop.clone());
    let workshop = Workshop {
        model: parts.model,
        meter: parts.meter.clone(),
        room,
        cache_mib: parts.limits.cache_mib,
        speculation: parts.limits.speculation,
        answer_limit: Duration::from_secs(parts.limits.answer_s),
        dial: dial.clone(),
        waiting: waiting.clone(),
        metrics: metrics.clone(),
        lost: lost.clone(),
    };
    let work = Work::new(parts.name.clone().into(), metrics.clone(), waiting.clone());
    let mut boxes = None;
    match pipeline {
        None => {
            let mut cache = workshop.model.cache_of(room);
            workshop.model.reserve(&mut cache)?;
            compute(&lost, move || workshop.run(cache, &received))?;
        }
        Some(pipeline) => {
            let (tell, events) = channel();
            let addresses = pipeline.stages.iter().map(|(_, address, _)| address.as_str());
            let board = Board::new(&registry, addresses)?;
            let members = call(&pipeline, &board, &tell, &stop);
            boxes = Some(board.clone());
            compute(&lost, move || forward(&received, &tell))?;
            compute(&lost, move || Head::new(workshop, pipeline, (members, board)).run(&events))?;
        }
    }
    let (limits, shelf) = (parts.limits, Shelf::default());
    let desk = Desk {
        meter: parts.meter,
        name: parts.name.into(),
        defaults: parts.defaults,
        context_max,
        grammars,
    };
    let context_max = context_max.min(desk.meter.context_max().into());
    let card = Card { name: desk.name.clone(), context_max };
    let asked = stop.clone();
    let health = Health::new(registry, move || match asked.is_asked() {
        true => Err("stopping".to_owned()),
        false => Ok(()),
    });
    let front = dial.clone();
    let supplier =
        Supplier { desk, class, limits, dial, room, shelf, jobs, waiting, metrics, stop };
    let api = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .merge(models::routes(card))
        .route(&format!("{EVIDENCE_PATH}{{tag}}"), get(evidence))
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::Path)
        .with_state(supplier);
    Ok(Front { router: health.router().merge(api), dial: front, work: work.over(boxes), lost })
}

/// Runs `work` on a thread of its own. Without it the supplier is none: if it breaks, `lost` knows.
fn compute(lost: &Lost, work: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
    let (thread, witness) =
        (std::thread::Builder::new().name("compute".to_owned()), lost.witness());
    let work = move || {
        let _witness = witness;
        work();
    };
    thread.spawn(work).map(drop).map_err(ServeError::Thread)
}

/// Calls all boxes of a pipeline.
fn call(pipeline: &Pipeline, board: &Board, events: &Sender<Event>, stop: &Stop) -> Vec<Member> {
    let settings = &pipeline.settings;
    let caller = Caller {
        keys: pipeline.keys.clone(),
        wait: Wait {
            ping: Duration::from_millis(settings.ping_ms),
            silence: Duration::from_millis(settings.silence_ms),
        },
        frame_max: frame_max(pipeline.outline.hidden, pipeline.outline.context),
    };
    let member = |(who, (key, address, _)): (usize, &(_, String, _))| {
        let events = events.clone();
        // The thread that would hear of it may have ended.
        let tell = move |news| drop(events.send(Event::News(news)));
        let caller = (caller.clone(), board.seat(who));
        Member::call(who, (*key, address.clone()), caller, tell, stop.clone())
    };
    pipeline.stages.iter().enumerate().map(member).collect()
}

/// As many pages as the memory for them holds, and no more than all sequences could fill.
fn room(model: &Model, limits: &Limits) -> Room {
    let most = limits.sequences.saturating_mul(model.context_max().div_ceil(PAGE));
    // Without layers a page takes nothing here; what other boxes hold is known when they are there.
    let fit = limits.cache_mib.saturating_mul(1 << 20) / model.page_bytes().max(1);
    Room { sequences: limits.sequences, pages: fit.min(most) }
}

async fn chat(State(supplier): State<Supplier>, request: Request) -> Response {
    supplier.answer(Endpoint::Chat, request).await
}

async fn completions(State(supplier): State<Supplier>, request: Request) -> Response {
    supplier.answer(Endpoint::Completions, request).await
}

async fn evidence(State(supplier): State<Supplier>, Path(tag): Path<String>) -> Response {
    supplier.shelf.answer(&tag)
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
        let body = intake::read(body, most).await?;
        let ask = self.desk.take(endpoint, body).await?;
        self.fit(&ask)?;
        let grammar = self.grammar(&ask).await?;
        let seed = seed(&head.headers);
        let record = Record::traces(self.class, ask.choices());
        let tag = self.shelf.tag(&head.headers, &record);
        let pieces = self.order(&ask, seed, grammar.as_ref(), tag.is_some().then_some(&record))?;
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
        let mut response = match ask.asked.stream {
            true => self.stream(frame, ask, pieces),
            false => self.whole(frame, ask, pieces).await?,
        };
        if let Some(tag) = tag {
            response.headers_mut().insert(EVIDENCE_HEADER, tag);
        }
        Ok(response)
    }

    /// Refuses what the memory can never hold.
    fn fit(&self, ask: &Ask) -> Result<(), Refusal> {
        let longest = ask.asked.prompts.iter().map(Vec::len).max().unwrap_or(0) as u64;
        let tokens = (longest + ask.asked.max_tokens) as usize;
        let (needed, all) = (tokens.div_ceil(PAGE), self.room.pages);
        match needed > all {
            true => Err(Refusal::Memory(Full::Never { tokens, needed, all })),
            false => Ok(()),
        }
    }

    async fn grammar(&self, ask: &Ask) -> Result<Option<Grammar>, Refusal> {
        if ask.form.is_none() {
            return Ok(None);
        }
        let (desk, ask) = (self.desk.clone(), ask.clone());
        // The first schema also lays out the vocabulary.
        let compiled = tokio::task::spawn_blocking(move || desk.grammar(&ask)).await;
        let compiled = compiled.map_err(|error| Refusal::Failed(error.to_string()))?;
        Ok(compiled?)
    }

    /// Sends a job for each choice, unless too many wait.
    fn order(
        &self,
        ask: &Ask,
        seed: u64,
        grammar: Option<&Grammar>,
        record: Option<&Record>,
    ) -> Result<Pieces, Refusal> {
        let choices = ask.choices();
        let waiting = self.waiting.fetch_add(choices, Ordering::Relaxed);
        if waiting + choices > self.dial.queue() + self.dial.sequences() {
            self.waiting.fetch_sub(choices, Ordering::Relaxed);
            return Err(Refusal::Busy { waiting });
        }
        let since = Instant::now();
        let mut all: Vec<OfChoice> = Vec::new();
        for (index, brief) in briefs(ask, seed, grammar).into_iter().enumerate() {
            let (pieces, mut received) = unbounded_channel();
            let evidence = record.map(|record| (record.clone(), index));
            let job = Job { brief, evidence, since, pieces };
            self.jobs.send(job).map_err(|_| Refusal::Stopping)?;
            let stream = futures::stream::poll_fn(move |context| received.poll_recv(context));
            let mut watch = Watch::new(&ask.tools);
            let watched = stream.flat_map(move |piece| {
                let pieces = watch.take(piece).into_iter().map(move |piece| (index, piece));
                futures::stream::iter(pieces)
            });
            all.push(Box::pin(watched));
        }
        Ok(select_all(all))
    }

    async fn whole(&self, frame: Frame, ask: Ask, mut pieces: Pieces) -> Result<Response, Refusal> {
        let began = Instant::now();
        let choices = ask.choices();
        let mut made: Vec<Made> = vec![Made::default(); choices];
        while let Some((index, piece)) = pieces.next().await {
            if made.iter().all(|made| made.text.is_empty() && made.calls.is_empty()) {
                self.metrics.first_token(began.elapsed());
            }
            match piece {
                Piece::Text { text, logprobs } => {
                    made[index].text.push_str(&text);
                    made[index].told.extend(logprobs);
                }
                Piece::Calls(calls) => made[index].calls = calls,
                Piece::End(finish) => made[index].finish = Some(finish),
                Piece::Failed(reason) => return Err(Refusal::Failed(reason)),
                Piece::Late(limit) => return Err(Refusal::Late(limit.as_secs())),
            }
        }
        if made.iter().any(|made| made.finish.is_none()) {
            return Err(Refusal::Failed("it broke off".to_owned()));
        }
        let most = ask.asked.max_tokens;
        let out = made.iter().map(|made| self.desk.meter.count(&made.counted()).min(most)).sum();
        let wanted = ask.logprobs.is_some();
        let choice = |(index, made)| frame.choice(index, made, wanted);
        let list = made.iter().enumerate().map(choice).collect();
        let used = Used { prompt: ask.asked.prompt_tokens(), out };
        Ok(Json(frame.whole(list, used)).into_response())
    }

    fn stream(&self, frame: Frame, ask: Ask, pieces: Pieces) -> Response {
        let choices = ask.choices();
        let first: String = (0..choices).filter_map(|index| frame.begins(index)).collect();
        let began = Instant::now();
        let (meter, metrics) = (self.desk.meter.clone(), self.metrics.clone());
        let mut texts = vec![String::new(); choices];
        let (wanted, most) = (ask.logprobs.is_some(), ask.asked.max_tokens);
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
                Piece::Calls(calls) => {
                    for call in &calls {
                        texts[index].push_str(&call.name);
                        texts[index].push_str(&call.arguments);
                    }
                    (shape.calls(index, &calls), None)
                }
                Piece::End(finish) => {
                    let out = meter.count(&texts[index]).min(most);
                    (shape.ends(index, finish), Some(out))
                }
                Piece::Failed(reason) => {
                    *broken = true;
                    (Refusal::Failed(reason).event(), None)
                }
                Piece::Late(limit) => {
                    *broken = true;
                    (Refusal::Late(limit.as_secs()).event(), None)
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

/// The seed that the relay fixes; else a random one. A client's own goes before it.
fn seed(headers: &HeaderMap) -> u64 {
    let relay = headers.get(SEED_HEADER).and_then(|value| value.to_str().ok());
    let relay = relay.and_then(|text| u64::from_str_radix(text, 16).ok());
    relay.unwrap_or_else(|| {
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
