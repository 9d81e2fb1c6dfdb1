//! One relay on its way: what is set aside for it, what came, how it ends.
//!
//! Whoever holds a [`Flight`] may drop it at any point: the relay is then settled as one that the
//! client left, in the background.

use crate::acks;
use crate::books::{Outcome, Running};
use crate::count::{Count, Need};
use crate::gateway::Gateway;
use crate::judge::{Judged, Seen, judge};
use crate::pool::{Busy, Open, Place};
use crate::purse::{Due, Reservation};
use proto::relay::{AckEntry, Acked, Receipt, RelayRequest, Signed, Status};
use proto::transcript::Transcript;
use proto::wire::Wire;
use proto::{Amount, Cu, Digest, Time, Usage};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// How often a receipt is asked for that did not come with its answer.
const RECEIPT_TRIES: u32 = 4;

/// How long is waited before the first time, and longer each time after: the miner has to notice
/// that the connection is gone, and to write the receipt.
const RECEIPT_WAIT: Duration = Duration::from_millis(100);

/// How a relay's answer ended, as the gateway saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All of it came.
    Whole,
    /// The client left, and the supplier was told to stop.
    Left,
    /// It broke off after the client had got part of it.
    Broken,
    /// All of it came that there was, with its receipt, but it is no whole answer.
    Short,
    /// The gateway gave up before the client got anything, and asks elsewhere.
    GivenUp,
    /// The miner did not take the relay.
    NotTaken,
}

/// What a relay is made of.
pub(crate) struct Load {
    pub gateway: Gateway,
    pub open: Arc<Open>,
    pub place: Arc<Place>,
    pub key_id: Arc<str>,
    pub request: Signed<RelayRequest>,
    pub need: Need,
    pub count: Box<dyn Count>,
    pub key_hold: Option<Reservation<Due>>,
    pub budget_hold: Reservation<Cu>,
    pub busy: Busy,
    pub started: Time,
    pub sent: Instant,
    pub first_byte: Option<Time>,
    pub transcript: Transcript,
    pub receipt: Option<Signed<Receipt>>,
    /// What it is worth, once that was told to the client.
    pub judged: Option<Judged>,
}

/// A relay on its way.
pub(crate) struct Flight {
    load: Option<Box<Load>>,
}

impl Flight {
    pub(crate) fn new(load: Load) -> Flight {
        Flight { load: Some(Box::new(load)) }
    }

    /// What it is made of.
    pub(crate) fn load(&mut self) -> &mut Load {
        self.load.as_mut().expect("a flight has its load until it ends, which takes it")
    }

    /// What it is made of, to look at.
    pub(crate) fn peek(&self) -> &Load {
        self.load.as_ref().expect("a flight has its load until it ends, which takes it")
    }

    /// Ends it; what follows is done in the background.
    pub(crate) fn end(mut self, end: End) {
        self.settle(end);
    }

    fn settle(&mut self, end: End) {
        if let Some(load) = self.load.take() {
            let gateway = load.gateway.clone();
            gateway.spawn(load.settle(end));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.settle(End::Left);
    }
}

impl Load {
    /// What is acknowledged in the request.
    pub(crate) fn acked(&self) -> &Acked {
        &self.request.body.acked
    }

    /// Its id.
    pub(crate) fn relay_id(&self) -> Digest {
        self.request.body.relay_id
    }

    /// The row that says that it runs.
    pub(crate) fn running(&self) -> Running {
        let body = &self.request.body;
        Running {
            relay_id: body.relay_id,
            key_id: self.key_id.clone(),
            session_id: body.session_id,
            supplier: body.supplier,
            seq: body.seq,
            max_cu: body.max_cu,
            started: self.started,
            request: self.request.encode(),
        }
    }

    /// Bytes of the answer came.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.transcript.push(bytes);
        self.count.push(bytes);
        if self.first_byte.is_none() && self.count.has_begun() {
            let (latency, now) = (self.sent.elapsed(), Instant::now());
            self.first_byte = Some(self.gateway.now());
            self.place.supplier.answered(latency, now);
            self.gateway.metrics.first_byte.observe(latency.as_secs_f64());
        }
    }

    /// What it is worth by what is known.
    pub(crate) fn judge(&mut self, end: End) -> Judged {
        if let Some(judged) = &self.judged {
            return judged.clone();
        }
        let came = self.first_byte.is_some();
        let worthless = match end {
            End::GivenUp | End::NotTaken => true,
            End::Broken | End::Short | End::Left => !came && self.receipt.is_none(),
            End::Whole => false,
        };
        let judged = if worthless {
            Judged { status: Status::Failed, usage: Usage::default(), cu: Cu(0), lie: None }
        } else {
            let usage = Usage { fresh_in: self.need.prompt, cached_in: 0, out: self.count.out() };
            let all_came = match end {
                End::Whole => true,
                End::Short => self.receipt.is_some(),
                End::Left | End::Broken | End::GivenUp | End::NotTaken => false,
            };
            let whole = all_came.then(|| self.transcript.commitment());
            let seen = Seen { usage, whole };
            let (session, seat) = (&self.open.session, &self.place.seat);
            judge(session, seat, &self.request.body, self.receipt.as_ref(), &seen)
        };
        self.judged = Some(judged.clone());
        judged
    }

    /// What `cu` cost, rounded down.
    pub(crate) fn cost(&self, cu: Cu) -> Amount {
        self.open.session.terms.price.cost(cu)
    }

    async fn settle(mut self: Box<Self>, end: End) {
        if self.receipt.is_none() && end != End::NotTaken && !self.find_receipt(end).await {
            return self.void().await;
        }
        if end == End::NotTaken {
            return self.void().await;
        }
        let judged = self.judge(end);
        self.note(&judged, end);
        let due = Due::of(self.open.session.terms.price, judged.cu);
        if let Some(hold) = self.key_hold.take() {
            hold.settle(due);
        }
        let outcome = self.outcome(&judged, due);
        let Load { gateway, open, place, request, budget_hold, busy, .. } = *self;
        budget_hold.settle(judged.cu);
        drop(busy);
        let entry = AckEntry { relay_id: request.body.relay_id, cu: judged.cu };
        let booked = match gateway.books.end(outcome).await {
            Ok(ended) => ended.on_disk().await,
            Err(error) => Err(error),
        };
        match booked {
            Ok(()) => acks::finish(&gateway, &open, &place, request.body.seq, entry),
            // It stays on record as running: the next start settles it.
            Err(error) => tracing::error!(relay = %entry.relay_id, %error, "relay not booked"),
        }
    }

    /// The miner never took it: everything goes back.
    async fn void(self: Box<Self>) {
        let Load { gateway, open, place, request, .. } = *self;
        place.tab().void(request.body.seq);
        if let Err(error) = gateway.books.forget(request.body.relay_id).await {
            warn!(relay = %request.body.relay_id, %error, "relay not forgotten");
        }
        acks::nudge(&gateway, &open, &place);
    }

    /// Asks the miner for a receipt that did not come. Whether the relay is to be settled: not when
    /// the miner does not know of it, and nothing came from it.
    async fn find_receipt(&mut self, end: End) -> bool {
        let gateway = self.gateway.clone();
        let (session, relay) = (self.open.session.id, self.relay_id());
        let base = self.place.seat.endpoint.clone();
        for attempt in 1..=RECEIPT_TRIES {
            tokio::select! {
                () = tokio::time::sleep(RECEIPT_WAIT * attempt * attempt) => {}
                () = gateway.hurry.cancelled() => {}
            }
            match gateway.upstream.receipt(&base, &session, &relay).await {
                Ok(Some(shown)) => {
                    self.receipt = shown.receipt;
                    if self.receipt.is_some() {
                        return true;
                    }
                }
                Ok(None) if self.first_byte.is_none() && end != End::Whole => return false,
                Ok(None) => return true,
                Err(error) => tracing::debug!(%relay, %error, "receipt not found"),
            }
        }
        true
    }

    /// Tells of it in logs and figures.
    fn note(&self, judged: &Judged, end: End) {
        let metrics = &self.gateway.metrics;
        let supplier = self.place.seat.operator;
        let status = match judged.status {
            Status::Completed => "completed",
            Status::Cut => "cut",
            Status::Failed => "failed",
        };
        metrics.relays.with_label_values(&[status]).inc();
        metrics.prompt_tokens.inc_by(judged.usage.fresh_in + judged.usage.cached_in);
        metrics.completion_tokens.inc_by(judged.usage.out);
        metrics.cu.inc_by(judged.cu.0);
        if let Some(lie) = &judged.lie {
            metrics.lies.with_label_values(&[&supplier.to_string()]).inc();
            self.place.supplier.failed(Instant::now());
            warn!(relay = %self.relay_id(), %supplier, %lie, "receipt is not true");
        }
        if matches!(end, End::Broken | End::Short) {
            self.place.supplier.failed(Instant::now());
        }
        info!(
            relay = %self.relay_id(), %supplier, service = %self.open.session.service, status,
            cu = judged.cu.0, receipt = self.receipt.is_some(), ?end, "relay ended"
        );
    }

    fn outcome(&self, judged: &Judged, due: Due) -> Outcome {
        let body = &self.request.body;
        Outcome {
            relay_id: body.relay_id,
            key_id: self.key_id.clone(),
            service: self.open.session.service.clone(),
            session_id: body.session_id,
            supplier: body.supplier,
            seq: body.seq,
            status: judged.status,
            usage: judged.usage,
            cu: judged.cu,
            cost: self.cost(judged.cu),
            due,
            started: self.started,
            first_byte: self.first_byte,
            finished: self.gateway.now(),
            request: self.request.encode(),
            receipt: self.receipt.as_ref().map(Wire::encode),
        }
    }
}
