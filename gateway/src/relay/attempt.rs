//! One try at one supplier.

use super::Job;
use super::answer::Streamed;
use super::whole::{self, Whole};
use crate::count::{Count, Need};
use crate::flight::{End, Flight, Load};
use crate::gateway::{Gateway, relay_id};
use crate::openai::Refusal;
use crate::pool::{Desk, Picked, Tried};
use crate::purse::Due;
use crate::recover;
use crate::upstream::{Unanswered, collect, read_base64};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;
use proto::names::RECEIPT_TRAILER;
use proto::relay::{Envelope, Receipt, RelayRequest, Signable, Signed, Status, body_digest};
use proto::transcript::Transcript;
use proto::wire::Wire;
use proto::{Address, Digest};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Instant;
use tracing::warn;

/// Bytes of an answer that says that something is wrong at most.
const ERROR_MAX: usize = 64 << 10;

/// A relay that is ready to go.
pub(super) struct Attempt {
    flight: Flight,
    envelope: HeaderValue,
    on_disk: crate::books::Ended,
}

/// Why an attempt gave no answer.
pub(super) enum Missed {
    /// Nobody else would do better.
    Final(Refusal),
    /// The miner did not take it, and may later.
    Refused(Refusal),
    /// The supplier failed.
    Failed(Refusal),
}

/// An answer for the client.
pub(super) enum Reply {
    Whole(Whole),
    Streamed(Streamed),
}

impl Reply {
    pub(super) fn into_response(self, job: Job) -> Response {
        match self {
            Reply::Whole(whole) => whole.into_response(),
            Reply::Streamed(streamed) => streamed.into_response(job.leave),
        }
    }
}

/// What a relay miner says when it does not take a relay.
#[derive(Deserialize)]
struct MinerError {
    error: MinerErrorBody,
}

#[derive(Deserialize)]
struct MinerErrorBody {
    message: String,
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
}

/// Bytes of a body from which on it is counted on a thread of its own: long prompts take long.
const COUNT_ASIDE: usize = 16 << 10;

async fn counted(desk: &Desk, job: &Job) -> Result<(Need, Box<dyn Count>), Refusal> {
    let (counter, endpoint) = (desk.counter.clone(), job.ask.endpoint);
    if job.body.len() < COUNT_ASIDE {
        return counter.begin(endpoint, &job.body);
    }
    let body = job.body.clone();
    let counted = tokio::task::spawn_blocking(move || counter.begin(endpoint, &body)).await;
    let failed = |error: tokio::task::JoinError| Refusal::Invalid {
        reason: format!("the request could not be counted: {error}"),
        param: None,
        code: None,
    };
    counted.map_err(failed)?
}

impl Attempt {
    /// Picks a place and sets aside what the answer may cost, there and on the key.
    pub(super) async fn prepare(
        gateway: &Gateway,
        desk: &Arc<Desk>,
        job: &Job,
        tried: &Tried,
    ) -> Result<Attempt, Refusal> {
        let (need, count) = counted(desk, job).await?;
        let height = gateway.height();
        let id = relay_id().map_err(|_| Refusal::BooksFailed)?;
        let dice = [0, 4]
            .map(|at| u32::from_le_bytes([id.0[at], id.0[at + 1], id.0[at + 2], id.0[at + 3]]));
        // The id's own bits are as random as any, and it says nothing of the choice to others.
        let weigh = |session: &proto::session::Session| need.weight(session.terms.cu_weights);
        let picked = desk.pick(height, weigh, tried, dice, Instant::now())?;
        let Picked { open, place, max_cu, hold } = picked;
        let terms = &open.session.terms;
        let max = terms.request_max_bytes as usize;
        if job.body.len() > max {
            return Err(Refusal::TooLarge { max });
        }
        let key_hold = job.account.reserve(Due::of(terms.price, max_cu))?;
        let (seq, acked, entries) = {
            let mut tab = place.tab();
            let seq = tab.begin();
            let (acked, entries) = tab.carry();
            (seq, acked, entries)
        };
        let request = RelayRequest {
            chain_id: gateway.chain.chain_id().to_owned(),
            session_id: open.session.id,
            supplier: place.seat.operator,
            relay_id: id,
            seq,
            request_digest: body_digest(&job.body),
            max_cu,
            issued_at: height,
            acked,
        };
        let request = request.sign(&gateway.secret);
        let envelope = Envelope { request: request.clone(), entries };
        let envelope =
            HeaderValue::try_from(BASE64.encode(envelope.encode())).expect("base64 fits a header");
        let busy = place.supplier.ask(Instant::now());
        let flight = Flight::new(Load {
            gateway: gateway.clone(),
            open,
            place,
            key_id: job.account.id.clone(),
            request,
            need,
            count,
            key_hold: Some(key_hold),
            budget_hold: hold,
            busy,
            started: gateway.now(),
            sent: Instant::now(),
            first_byte: None,
            transcript: Transcript::new(),
            receipt: None,
            judged: None,
        });
        flight.book(envelope).await
    }

    pub(super) fn session(&self) -> Digest {
        self.flight.peek().open.session.id
    }

    pub(super) fn operator(&self) -> Address {
        self.flight.peek().place.seat.operator
    }

    /// Sends it, and waits until the answer begins, or is whole when it is not streamed.
    pub(super) async fn run(
        self,
        gateway: &Gateway,
        job: &Job,
        deadline: Instant,
    ) -> Result<Reply, Missed> {
        let Attempt { mut flight, envelope, on_disk } = self;
        let Some(uri) = flight.peek().place.uri(job.ask.endpoint.path()) else {
            return Err(miss(flight, End::NotTaken, "its endpoint is no address".into()));
        };
        let times = &gateway.settings.times;
        let begin = if job.ask.stream { times.first_byte() } else { times.total() };
        let until = (Instant::now() + begin).min(deadline);
        let sent = gateway.upstream.relay(uri, envelope, job.body.clone());
        let response = match tokio::time::timeout_at(until.into(), sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.was_not_sent() => {
                return Err(miss(flight, End::NotTaken, error.to_string()));
            }
            Ok(Err(error)) => return Err(miss(flight, End::GivenUp, error.to_string())),
            Err(_) => return Err(slow(flight, begin)),
        };
        if !response.status().is_success() {
            return refused(flight, response).await;
        }
        let acked = *flight.load().acked();
        flight.load().place.tab().confirm(&acked);
        let reply = if job.ask.stream {
            Streamed::begin(flight, response, &job.ask, until, deadline).await?
        } else {
            whole::collect(flight, response, until).await?
        };
        // The client gets nothing before its charge is on disk.
        on_disk.on_disk().await.map_err(|_| Missed::Final(Refusal::BooksFailed))?;
        Ok(reply)
    }
}

impl Flight {
    /// Books it as running; the disk is waited for later, while the supplier works.
    async fn book(mut self, envelope: HeaderValue) -> Result<Attempt, Refusal> {
        let running = self.load().running();
        let books = self.load().gateway.books.clone();
        match books.begin(running).await {
            Ok(on_disk) => Ok(Attempt { flight: self, envelope, on_disk }),
            Err(_) => {
                self.end(End::NotTaken);
                Err(Refusal::BooksFailed)
            }
        }
    }
}

/// Ends an attempt that failed at the supplier.
pub(super) fn miss(flight: Flight, end: End, reason: String) -> Missed {
    let place = flight.peek().place.clone();
    warn!(supplier = %place.seat.operator, relay = %flight.peek().relay_id(), reason, "supplier failed");
    place.supplier.failed(Instant::now());
    flight.end(end);
    Missed::Failed(Refusal::SupplierFailed { reason })
}

/// Ends an attempt that took too long.
pub(super) fn slow(flight: Flight, within: std::time::Duration) -> Missed {
    let reason = Unanswered::Slow(within).to_string();
    let _ = miss(flight, End::GivenUp, reason.clone());
    Missed::Failed(Refusal::SupplierSlow { reason })
}

/// The receipt in a trailer, if one is there and can be read.
pub(super) fn receipt_in(trailers: Option<&HeaderMap>) -> Option<Signed<Receipt>> {
    let text = trailers?.get(RECEIPT_TRAILER)?.to_str().ok()?;
    read_base64(text).ok()
}

/// An answer that is no completion: the miner's refusal, or the supplier's error with a receipt.
async fn refused(mut flight: Flight, response: http::Response<Incoming>) -> Result<Reply, Missed> {
    let (parts, body) = response.into_parts();
    let (body, trailers) = match collect(body, ERROR_MAX).await {
        Ok(collected) => collected,
        Err(error) => return Err(miss(flight, End::GivenUp, error.to_string())),
    };
    if let Some(receipt) = receipt_in(trailers.as_ref()) {
        let load = flight.load();
        let acked = *load.acked();
        load.place.tab().confirm(&acked);
        load.receipt = Some(receipt);
        return Err(supplier_error(flight, parts.status, &body));
    }
    let said: Option<MinerError> = serde_json::from_slice(&body).ok();
    match said.map(|said| said.error).filter(|error| error.kind == "relay_refused") {
        Some(error) => Err(miner_refusal(flight, &error)),
        None => Err(miss(flight, End::GivenUp, format!("it answered {}", parts.status))),
    }
}

/// Errors of the client are passed on as they are; others are the supplier's.
fn supplier_error(flight: Flight, status: StatusCode, body: &[u8]) -> Missed {
    let clients = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY];
    if clients.contains(&status) {
        let refusal = Refusal::Passed {
            status: status.as_u16(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        flight.end_failed();
        return Missed::Final(refusal);
    }
    let place = flight.peek().place.clone();
    // Whoever has no room is no worse for it: it may be asked again in a moment.
    if status == StatusCode::TOO_MANY_REQUESTS {
        let model = flight.peek().open.session.service.to_string();
        let reason = "the suppliers have no room just now: try again in a second".to_owned();
        flight.end_failed();
        return Missed::Refused(Refusal::NoSupplier { model, reason });
    }
    warn!(supplier = %place.seat.operator, %status, "supplier failed");
    place.supplier.failed(Instant::now());
    flight.end_failed();
    Missed::Failed(Refusal::SupplierFailed { reason: format!("it answered {status}") })
}

fn miner_refusal(flight: Flight, error: &MinerErrorBody) -> Missed {
    let load = flight.peek();
    let (gateway, open, place) = (load.gateway.clone(), load.open.clone(), load.place.clone());
    let code = error.code.as_deref().unwrap_or_default();
    warn!(supplier = %place.seat.operator, code, message = error.message, "relay refused");
    let relay = load.relay_id();
    flight.end(End::NotTaken);
    let model = open.session.service.to_string();
    let refusal = Refusal::NoSupplier { model, reason: error.message.clone() };
    match code {
        "too_large" => {
            Missed::Final(Refusal::TooLarge { max: open.session.terms.request_max_bytes as usize })
        }
        "ack_mismatch" => {
            recover::start(&gateway, &open, &place);
            Missed::Refused(refusal)
        }
        "unknown_session" | "session_over" | "inflight" | "over_budget" => Missed::Refused(refusal),
        // It cannot work, or does not understand: both are its failure.
        _ => {
            place.supplier.failed(Instant::now());
            tracing::debug!(%relay, "supplier failed");
            Missed::Failed(refusal)
        }
    }
}

impl Flight {
    /// Ends it with the receipt of a failure: whatever the supplier wrote into it, the client got no
    /// completion.
    fn end_failed(mut self) {
        let load = self.load();
        let failed = load.receipt.as_ref().is_some_and(|r| r.body.status == Status::Failed);
        let end = if failed { End::Whole } else { End::GivenUp };
        if !failed {
            load.receipt = None;
        }
        self.end(end);
    }
}
