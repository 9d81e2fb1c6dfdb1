//! An answer that is streamed: each piece goes on as it came, at once.
//!
//! Only when the client asked for usage, the end of the stream - from the brace of the last `usage`
//! on - waits for the receipt, so that the cost put into it is the one that is billed.

use super::Leave;
use super::attempt::{Missed, Reply, miss, receipt_in, slow};
use crate::count::Ending;
use crate::flight::{End, Flight};
use crate::openai::{Ask, Refusal};
use crate::splice::{self, Finder};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use proto::names::RECEIPT_HEADER;
use proto::{Coin, Digest};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// Bytes after the brace of `usage` that wait for the receipt at most: some numbers and `[DONE]`
/// are less. What is longer is no end of a stream and goes on without a cost.
const HELD_MAX: usize = 16 << 10;

/// Bytes that say nothing yet, and wait for the first that do, at most: the roles of all choices are
/// less. What is longer goes on as it is.
const OPENING_MAX: usize = 64 << 10;

/// A stream that has begun to say something.
pub(super) struct Streamed {
    relay_id: Digest,
    content_type: HeaderValue,
    flow: Box<Flow>,
}

/// The rest of an answer, as a body.
struct Flow {
    /// None once it ended.
    flight: Option<Flight>,
    upstream: Incoming,
    /// The pieces up to the first that says something.
    first: Option<Bytes>,
    splice: Option<Splice>,
    /// What ends the stream, once that is known.
    last: Option<Bytes>,
    trailers: Option<HeaderMap>,
    ended: bool,
    passed: usize,
    bytes_max: usize,
    idle: Duration,
    heard: Instant,
    deadline: Instant,
    alarm: Pin<Box<Sleep>>,
    leave: Option<Leave>,
}

/// Looks for the last `usage` and holds back what follows its brace.
#[derive(Default)]
struct Splice {
    finder: Finder,
    held: Option<BytesMut>,
}

impl Splice {
    /// What may go on of the next piece.
    fn pass(&mut self, piece: Bytes) -> Bytes {
        let mut from = 0;
        // Where the text after the last brace begins, in this piece.
        let mut hold_at = None;
        while let Some(at) = self.finder.find(&piece[from..]) {
            from += at;
            hold_at = Some(from);
        }
        match (self.held.take(), hold_at) {
            (None, None) => piece,
            (None, Some(at)) => {
                self.held = Some(BytesMut::from(&piece[at..]));
                piece.slice(..at)
            }
            (Some(mut held), None) => {
                held.extend_from_slice(&piece);
                if held.len() > HELD_MAX {
                    return held.freeze();
                }
                self.held = Some(held);
                Bytes::new()
            }
            (Some(mut held), Some(at)) => {
                held.extend_from_slice(&piece[..at]);
                self.held = Some(BytesMut::from(&piece[at..]));
                held.freeze()
            }
        }
    }

    /// What was held back, with the cost before it.
    fn finish(&mut self, cost: &Coin) -> Option<Bytes> {
        let held = self.held.take()?;
        let mut out = splice::insert_of(cost).into_bytes();
        if !splice::is_empty_object(&held) {
            out.push(b',');
        }
        out.extend_from_slice(&held);
        Some(out.into())
    }

    /// What was held back, as it came.
    fn release(&mut self) -> Option<Bytes> {
        self.held.take().map(BytesMut::freeze)
    }
}

impl Streamed {
    /// Waits until something is said; until then another supplier can still be asked.
    pub(super) async fn begin(
        mut flight: Flight,
        response: http::Response<Incoming>,
        ask: &Ask,
        until: Instant,
        deadline: Instant,
    ) -> Result<Reply, Missed> {
        let (parts, mut upstream) = response.into_parts();
        let within = until.saturating_duration_since(Instant::now());
        let opened = tokio::time::timeout_at(until.into(), opening(&mut flight, &mut upstream));
        let first = match opened.await {
            Err(_) => return Err(slow(flight, within)),
            Ok(Err(reason)) => return Err(miss(flight, End::GivenUp, reason)),
            Ok(Ok(first)) => first,
        };
        let load = flight.load();
        let settings = &load.gateway.settings;
        let idle = settings.times.idle();
        let sse = HeaderValue::from_static("text/event-stream");
        let flow = Flow {
            upstream,
            splice: ask.include_usage.then(Splice::default),
            last: None,
            trailers: None,
            ended: false,
            passed: first.len(),
            bytes_max: settings.limits.answer_bytes,
            idle,
            heard: Instant::now(),
            deadline,
            alarm: Box::pin(tokio::time::sleep(idle)),
            leave: None,
            first: Some(first),
            flight: None,
        };
        let relay_id = load.relay_id();
        let content_type = parts.headers.get(header::CONTENT_TYPE).cloned().unwrap_or(sse);
        let flow = Box::new(Flow { flight: Some(flight), ..flow });
        Ok(Reply::Streamed(Streamed { relay_id, content_type, flow }))
    }

    pub(super) fn into_response(mut self, leave: Leave) -> Response {
        self.flow.leave = Some(leave);
        let id = HeaderValue::try_from(self.relay_id.to_string()).expect("hex fits a header");
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (HeaderName::from_static(RECEIPT_HEADER), id),
        ];
        (headers, Body::new(self.flow)).into_response()
    }
}

/// What of an answer comes until it says something, or why it never does.
async fn opening(flight: &mut Flight, upstream: &mut Incoming) -> Result<Bytes, String> {
    let mut opening = BytesMut::new();
    let load = flight.load();
    while let Some(frame) = upstream.frame().await {
        match frame.map_err(|error| error.to_string())?.into_data() {
            Ok(data) => {
                load.take(&data);
                opening.extend_from_slice(&data);
            }
            Err(frame) => load.receipt = receipt_in(frame.trailers_ref()),
        }
        if load.count.ending() == Ending::Garbage {
            return Err("it answered what is no completion".to_owned());
        }
        if load.count.has_begun() || opening.len() > OPENING_MAX {
            return Ok(opening.freeze());
        }
    }
    Err("it answered nothing".to_owned())
}

impl Flow {
    fn passing(&mut self, piece: Bytes) -> Bytes {
        match &mut self.splice {
            Some(splice) => splice.pass(piece),
            None => piece,
        }
    }

    fn hear(&mut self, piece: &[u8]) {
        self.heard = Instant::now();
        self.passed = self.passed.saturating_add(piece.len());
        if let Some(flight) = &mut self.flight {
            flight.load().take(piece);
        }
    }

    /// All came: ends the relay, and gives what the client still has to get.
    fn whole(&mut self) {
        self.ended = true;
        let Some(mut flight) = self.flight.take() else {
            return;
        };
        if let Some(splice) = &mut self.splice {
            let load = flight.load();
            let judged = load.judge(End::Whole);
            let cost = Coin::new(load.cost(judged.cu), load.open.session.terms.denom.clone());
            self.last = splice.finish(&cost);
        }
        flight.end(End::Whole);
    }

    /// Nothing more comes: it is whole, or the client is told that it is not.
    fn over(&mut self) {
        let Some(flight) = &mut self.flight else {
            self.ended = true;
            return;
        };
        let load = flight.load();
        load.receipt = receipt_in(self.trailers.as_ref());
        match load.count.ending() {
            Ending::Whole => self.whole(),
            Ending::Open | Ending::Garbage => {
                let reason = "its answer ended before it was whole".to_owned();
                self.broken(End::Short, &Refusal::SupplierFailed { reason });
            }
        }
    }

    /// It ended too soon: ends the relay, and tells the client in the stream's own form.
    fn broken(&mut self, end: End, refusal: &Refusal) {
        self.ended = true;
        if let Some(flight) = self.flight.take() {
            let load = flight.peek();
            tracing::warn!(relay = %load.relay_id(), reason = %refusal, "stream broke off");
            flight.end(end);
        }
        let held = self.splice.as_mut().and_then(Splice::release).unwrap_or_default();
        // The empty line ends an event that may have been cut.
        let event = format!("\n\ndata: {}\n\n", refusal.body());
        self.last = Some([&held[..], event.as_bytes()].concat().into());
    }

    /// Why it must not go on, if it must not.
    fn overdue(&mut self, cx: &mut Context<'_>) -> Option<Refusal> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= self.deadline {
                return Some(Refusal::SupplierSlow { reason: "it took too long".to_owned() });
            }
            if now >= self.heard + self.idle {
                let reason = format!("nothing came for {} ms", self.idle.as_millis());
                return Some(Refusal::SupplierSlow { reason });
            }
            // The alarm is set anew only when it rings, not with each piece.
            let next = (self.heard + self.idle).min(self.deadline);
            self.alarm.as_mut().reset(next.into());
        }
        None
    }

    fn take_last(&mut self) -> Option<Result<Frame<Bytes>, std::convert::Infallible>> {
        let last = self.last.take().map(|last| Ok(Frame::data(last)));
        if last.is_none() {
            self.leave = None;
        }
        last
    }
}

impl http_body::Body for Flow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let flow = self.get_mut();
        if let Some(first) = flow.first.take() {
            let piece = flow.passing(first);
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
        }
        while !flow.ended {
            if let Some(refusal) = flow.overdue(cx) {
                flow.broken(End::Broken, &refusal);
                break;
            }
            match std::task::ready!(Pin::new(&mut flow.upstream).poll_frame(cx)) {
                None => flow.over(),
                Some(Err(error)) => {
                    let reason = error.to_string();
                    flow.broken(End::Broken, &Refusal::SupplierFailed { reason });
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => {
                        flow.hear(&piece);
                        if flow.passed > flow.bytes_max {
                            let reason = format!("its answer has over {} bytes", flow.bytes_max);
                            flow.broken(End::Broken, &Refusal::SupplierFailed { reason });
                            break;
                        }
                        let piece = flow.passing(piece);
                        if !piece.is_empty() {
                            return Poll::Ready(Some(Ok(Frame::data(piece))));
                        }
                    }
                    Err(frame) => flow.trailers = frame.into_trailers().ok(),
                },
            }
        }
        Poll::Ready(flow.take_last())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proto::Amount;

    fn run(pieces: &[&[u8]]) -> (Vec<u8>, usize) {
        let mut splice = Splice::default();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&splice.pass(Bytes::copy_from_slice(piece)));
        }
        let passed = out.len();
        out.extend_from_slice(&splice.finish(&Coin::stake(Amount(7))).unwrap_or_default());
        (out, passed)
    }

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\"}}],\"usage\":null}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":2}}\n\ndata: [DONE]\n\n";

    proptest! {
        #[test]
        fn the_cost_is_put_into_the_last_usage_wherever_the_stream_is_cut(
            cuts in prop::collection::vec(0usize..STREAM.len(), 0..8)
        ) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([STREAM.len()]) {
                pieces.push(&STREAM.as_bytes()[from..cut]);
                from = cut;
            }
            let (out, _) = run(&pieces);
            let expected = STREAM.replace(
                "\"usage\":{\"prompt_tokens\":2",
                "\"usage\":{\"cost\":{\"amount\":\"7\",\"denom\":\"ulode\"},\"prompt_tokens\":2",
            );
            prop_assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
            prop_assert_eq!(splice::take_out(&out), STREAM.as_bytes());
        }
    }

    #[test]
    fn what_does_not_end_is_not_held_back() {
        let long = format!("data: {{\"usage\":{{\"x\":\"{}\"}}}}\n\n", "y".repeat(HELD_MAX + 1));
        let (out, passed) = run(&[long.as_bytes(), b"z"]);
        assert!(passed >= long.len() && out.ends_with(b"z"));
    }
}
