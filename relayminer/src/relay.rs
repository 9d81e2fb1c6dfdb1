//! One relay: passed on, counted while it flows, receipted, booked.
//!
//! ```text
//! begin --> supplier answers? --> piece, piece, piece … --> end
//!    |        no: failed             |  reader gone, deadline, stop, too much: cut
//!    |                               |  every checkpoint_cu: what it would be billed, booked
//!    '---- each way ends in one receipt: booked, synced, then given out as trailer
//! ```

mod dossier;
mod tally;

use crate::answer::{Answer, Giver, pipe};
use crate::book::{Pending, Record};
use crate::count::Count;
use crate::forward::{Asked, Begun, UpstreamFailed};
use crate::gate::Pass;
use crate::miner::Miner;
use crate::receipt;
use crate::sessions::{BookError, Live};
use bytes::Bytes;
use dossier::Seen;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use proto::Height;
use proto::relay::{Receipt, RelayRequest, Signed, Status};
use std::pin::Pin;
use std::sync::Arc;
use tally::{Tally, Why};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A relay that was let in.
pub(crate) struct Relay {
    pub(crate) live: Arc<Live>,
    pub(crate) request: RelayRequest,
    pub(crate) asked: Asked,
    /// Tokens of the prompt.
    pub(crate) prompt: u64,
    pub(crate) count: Box<dyn Count>,
    /// The height at which it started.
    pub(crate) started: Height,
    /// The record that lets it in, on its way to the disk.
    pub(crate) accepted: Pending,
    /// Its place among those that run.
    pub(crate) pass: Pass,
}

/// The head of an answer, and where the rest comes from.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) answer: Answer,
}

/// A relay while it runs.
struct Run<'a> {
    miner: &'a Miner,
    live: &'a Live,
    request: RelayRequest,
    tally: Tally,
    /// What an auditor may ask for.
    seen: Seen,
}

/// Ends when a relay must.
type Cutoff<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

/// Starts a relay, which runs to its receipt whether the reply is read or not. No reply comes when
/// the book cannot be written.
pub(crate) fn start(miner: &Arc<Miner>, relay: Relay) -> oneshot::Receiver<Reply> {
    let (reply, replied) = oneshot::channel();
    let miner = miner.clone();
    miner.clone().tasks().spawn(async move { run(&miner, relay, reply).await });
    replied
}

async fn run(miner: &Miner, relay: Relay, reply: oneshot::Sender<Reply>) {
    let Relay { live, request, asked, prompt, count, started, accepted, pass } = relay;
    let tally =
        Tally::new(&live.session().terms, request.max_cu, prompt, count, miner.clock().now());
    let seen = Seen::of(asked.path, asked.body.clone());
    let mut run = Run { miner, live: &live, request, tally, seen };
    let deadline = live.session().deadline(started);
    let mut cutoff = std::pin::pin!(miner.cutoff(deadline));
    let (why, giver) = run.deliver(asked, accepted, reply, cutoff.as_mut()).await;
    let receipt = run.conclude(&why).await;
    let relay_id = run.request.relay_id;
    let booked = run.book(Record::Receipt(Box::new(receipt.clone()))).await;
    drop(pass);
    if let Err(error) = booked {
        // Whoever waits for the trailer sees the connection break off instead.
        tracing::error!(relay = %relay_id, %error, "receipt not booked");
        return;
    }
    miner.metrics().ended(&receipt.body);
    tracing::debug!(relay = %relay_id, status = ?receipt.body.status, cu = receipt.body.cu.0, ?why, "relay ended");
    if let Some(giver) = giver {
        let _gone = giver.end(&receipt).await;
    }
}

impl Run<'_> {
    /// Gets the answer and passes it on, to whatever end.
    async fn deliver(
        &mut self,
        asked: Asked,
        accepted: Pending,
        mut reply: oneshot::Sender<Reply>,
        mut cutoff: Cutoff<'_>,
    ) -> (Why, Option<Giver>) {
        let begun = tokio::select! {
            biased;
            () = reply.closed() => None,
            () = &mut cutoff => Some(Err(UpstreamFailed::OutOfTime)),
            begun = self.miner.upstream().ask(asked) => Some(begun),
        };
        // A gateway takes any answer for a sign that its acknowledgements are known here.
        if let Err(error) = accepted.durable().await {
            tracing::error!(relay = %self.request.relay_id, %error, "relay not booked");
            return (Why::Cut, None);
        }
        let (giver, answer) = pipe();
        match begun {
            Some(Ok(begun)) => {
                let (status, headers) = (begun.status, begun.headers.clone());
                self.seen.evidence = begun.evidence;
                if reply.send(Reply { status, headers, answer }).is_err() {
                    return (Why::Gone, None);
                }
                let why = self.flow(begun, &giver, cutoff).await;
                (why, Some(giver))
            }
            Some(Err(failed)) => {
                tracing::warn!(relay = %self.request.relay_id, error = %failed, "supplier failed");
                let why = self.apologise(&failed, reply, answer, &giver).await;
                (why, Some(giver))
            }
            None => (Why::Gone, None),
        }
    }

    /// Passes an answer on, piece by piece.
    async fn flow(&mut self, mut begun: Begun, giver: &Giver, mut cutoff: Cutoff<'_>) -> Why {
        let reader = self.miner.reader_patience();
        loop {
            let piece = tokio::select! {
                biased;
                () = giver.gone() => return Why::Gone,
                () = &mut cutoff => return Why::Cut,
                piece = begun.piece() => piece,
            };
            let data = match piece {
                Ok(Some(data)) => data,
                Ok(None) if begun.status.is_success() => return Why::End,
                Ok(None) => return Why::Refused,
                Err(failed) => {
                    tracing::warn!(relay = %self.request.relay_id, error = %failed, "answer broken off");
                    return Why::Upstream;
                }
            };
            let given = tokio::select! {
                () = &mut cutoff => return Why::Cut,
                given = timeout(reader, giver.give(data.clone())) => given,
            };
            if !matches!(given, Ok(Ok(()))) {
                return Why::Gone;
            }
            self.tally.take(&data, self.miner.clock().now());
            self.seen.take(&data);
            if begun.status.is_success() && self.tally.is_over() {
                tracing::warn!(relay = %self.request.relay_id, "answer is longer than was asked for");
                return Why::Cut;
            }
            if begun.status.is_success() && self.tally.is_checkpoint() {
                self.checkpoint().await;
            }
        }
    }

    /// Answers in the supplier's stead.
    async fn apologise(
        &mut self,
        failed: &UpstreamFailed,
        reply: oneshot::Sender<Reply>,
        answer: Answer,
        giver: &Giver,
    ) -> Why {
        let status = match failed {
            UpstreamFailed::NoFirstByte(_) | UpstreamFailed::OutOfTime => {
                StatusCode::GATEWAY_TIMEOUT
            }
            _ => StatusCode::BAD_GATEWAY,
        };
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
        if reply.send(Reply { status, headers, answer }).is_err() {
            return Why::Upstream;
        }
        let error = serde_json::json!({ "error": {
            "message": failed.to_string(), "type": "upstream_error", "code": "backend_failed",
        }});
        let data = Bytes::from(error.to_string());
        if giver.give(data.clone()).await.is_ok() {
            self.tally.take(&data, self.miner.clock().now());
        }
        Why::Refused
    }

    fn sign(&mut self, status: Status) -> Signed<Receipt> {
        let outcome = self.tally.outcome(status, self.miner.clock().now());
        let weights = self.live.session().terms.cu_weights;
        receipt::sign(self.miner.secret(), &self.request, weights, &outcome)
    }

    /// Books what the relay would be billed if it ended here. Nobody waits for the disk.
    async fn checkpoint(&mut self) {
        let record = Record::Checkpoint(Box::new(self.sign(Status::Cut)));
        let written = self.live.write(self.miner.writer(), |_| Ok::<_, BookError>(record)).await;
        if let Err(error) = written {
            tracing::error!(relay = %self.request.relay_id, %error, "checkpoint not booked");
        }
    }

    async fn book(&mut self, record: Record) -> Result<(), BookError> {
        let pending = self.live.write(self.miner.writer(), |_| Ok::<_, BookError>(record)).await?;
        Ok(pending.durable().await?)
    }
}
