//! Taking up where the gateway, or the miner's memory of it, left off.
//!
//! The miner tells what it remembers. Of that the gateway believes what it signed itself, and for
//! relays what its own books say; a receipt settles a relay whose end the gateway did not see, and
//! never for more than was set aside. A relay that the books do not know was never shown to a
//! client and is worth nothing.

use crate::acks;
use crate::books::{BooksError, Outcome};
use crate::gateway::Gateway;
use crate::judge::{Judged, Seen, judge};
use crate::pool::{Dead, Open, Place};
use crate::purse::Due;
use crate::tab::Tab;
use crate::upstream::{Remembered, Unacked, Unanswered, read_base64, useful_until};
use proto::leaf::AckHead;
use proto::relay::{AckEntry, Acked, Receipt, RelayRequest, Signed};
use proto::wire::Wire;
use proto::{Cu, Digest, Usage};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// How long is waited at first and at most between two questions to a miner.
const WAIT: std::ops::Range<Duration> = Duration::from_millis(100)..Duration::from_secs(5);

/// Why what a miner remembers cannot be taken up yet.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error("it shows an acknowledgement that this gateway did not sign")]
    NotOurs,
    #[error("{0} relays still run there")]
    Running(usize),
}

/// Takes up a place in the background; no relay goes there until that is done.
pub(crate) fn start(gateway: &Gateway, open: &Arc<Open>, place: &Arc<Place>) {
    if !place.set_recovering(true) {
        resume(gateway, open, place);
    }
}

/// Takes up a place that is marked as not known.
pub(crate) fn resume(gateway: &Gateway, open: &Arc<Open>, place: &Arc<Place>) {
    gateway.spawn(run(gateway.clone(), open.clone(), place.clone()));
}

async fn run(gateway: Gateway, open: Arc<Open>, place: Arc<Place>) {
    let mut wait = WAIT.start;
    while gateway.height() < useful_until(&open.session) {
        match take_up(&gateway, &open, &place).await {
            Ok(()) => {
                info!(supplier = %place.seat.operator, session = %open.session.id, "taken up");
                return;
            }
            Err(error) => warn!(supplier = %place.seat.operator, %error, "not taken up yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(WAIT.end),
            () = gateway.hurry.cancelled() => return,
        }
    }
    give_up(&gateway, &place).await;
}

async fn take_up(gateway: &Gateway, open: &Arc<Open>, place: &Arc<Place>) -> Result<(), NotYet> {
    let session = &open.session;
    let remembered = gateway.upstream.session(&place.seat.endpoint, &session.id).await?;
    let head = head(gateway, open, place, remembered.acked.as_ref())?;
    let ours = gateway.books.next_seq(&session.id, &place.seat.operator).await?;
    merge(place, head, remembered.next_seq.max(ours), &remembered.unacked);
    let mut left = 0;
    for unacked in &remembered.unacked {
        match worth(gateway, open, place, unacked).await? {
            Some(cu) => {
                let entry = AckEntry { relay_id: unacked.relay_id, cu };
                acks::finish(gateway, open, place, unacked.seq, entry);
            }
            None => left += 1,
        }
    }
    forget_unknown(gateway, place, &remembered).await?;
    // Requests may go there while old ones come to their end.
    place.set_recovering(false);
    acks::nudge(gateway, open, place);
    if left > 0 { Err(NotYet::Running(left)) } else { Ok(()) }
}

/// What the miner shows that this gateway signed last.
fn head(
    gateway: &Gateway,
    open: &Open,
    place: &Place,
    shown: Option<&AckHead>,
) -> Result<Acked, NotYet> {
    let Some(shown) = shown else {
        return Ok(Acked::default());
    };
    let key = gateway.secret.public();
    let (chain, session, supplier, acked, signed) = match shown {
        AckHead::Request(r) => {
            let body = &r.body;
            (&body.chain_id, body.session_id, body.supplier, body.acked, r.is_by(&key))
        }
        AckHead::Ack(a) => {
            let body = &a.body;
            (&body.chain_id, body.session_id, body.supplier, body.acked, a.is_by(&key))
        }
    };
    let ours = chain == gateway.chain.chain_id()
        && session == open.session.id
        && supplier == place.seat.operator;
    if ours && signed { Ok(acked) } else { Err(NotYet::NotOurs) }
}

/// Goes on from `head`. What runs goes on running, also what the miner has not got yet.
fn merge(place: &Place, head: Acked, next_seq: u64, unacked: &[Unacked]) {
    let mut tab = place.tab();
    let mut running: BTreeSet<u64> = tab.running().collect();
    running.extend(unacked.iter().map(|relay| relay.seq));
    let next_seq = next_seq.max(tab.next_seq());
    *tab = Tab::recovered(head, next_seq, running);
}

/// What a relay is worth that the miner does not know to be acknowledged; none while it runs.
async fn worth(
    gateway: &Gateway,
    open: &Open,
    place: &Place,
    unacked: &Unacked,
) -> Result<Option<Cu>, NotYet> {
    if let Some(relay) = gateway.books.relay(&unacked.relay_id).await? {
        return Ok(Some(relay.outcome.cu));
    }
    let Some(text) = &unacked.receipt else {
        return Ok(None);
    };
    let Some(dead) = take_dead(place, &unacked.relay_id) else {
        // It runs, or was never shown to a client.
        let runs = gateway.books.running_key(&unacked.relay_id).await?.is_some();
        return Ok((!runs).then_some(Cu(0)));
    };
    let receipt: Signed<Receipt> = read_base64(text)?;
    settle(gateway, open, place, dead, receipt).await.map(Some)
}

fn take_dead(place: &Place, relay_id: &Digest) -> Option<Dead> {
    let mut dead = place.dead.lock().unwrap_or_else(PoisonError::into_inner);
    let at = dead.iter().position(|dead| dead.running.relay_id == *relay_id)?;
    Some(dead.swap_remove(at))
}

async fn settle(
    gateway: &Gateway,
    open: &Open,
    place: &Place,
    dead: Dead,
    receipt: Signed<Receipt>,
) -> Result<Cu, NotYet> {
    let Dead { running, key_hold, budget_hold } = dead;
    let request: Signed<RelayRequest> = Signed::decode(&running.request)
        .map_err(|error| BooksError::BadRow(format!("request: {error}")))?;
    // Nothing of the answer is known any more: the receipt's word is taken, up to the reservation.
    let seen = Seen { usage: most(&receipt.body, running.max_cu, open), whole: None };
    let judged = judge(&open.session, &place.seat, &request.body, Some(&receipt), &seen);
    let due = Due::of(open.session.terms.price, judged.cu);
    let cu = judged.cu;
    let outcome = outcome(gateway, open, running, &judged, due, receipt);
    gateway.books.end(outcome).await?.on_disk().await?;
    if let Some(hold) = key_hold {
        hold.settle(due);
    }
    budget_hold.settle(cu);
    Ok(cu)
}

/// The usage that a receipt says, if that is within what was set aside.
fn most(receipt: &Receipt, max: Cu, open: &Open) -> Usage {
    let weighed = open.session.terms.cu_weights.weigh(receipt.usage).ok();
    if weighed.is_some_and(|cu| cu <= max) { receipt.usage } else { Usage::default() }
}

fn outcome(
    gateway: &Gateway,
    open: &Open,
    running: crate::books::Running,
    judged: &Judged,
    due: Due,
    receipt: Signed<Receipt>,
) -> Outcome {
    Outcome {
        relay_id: running.relay_id,
        key_id: running.key_id,
        service: open.session.service.clone(),
        session_id: running.session_id,
        supplier: running.supplier,
        seq: running.seq,
        status: judged.status,
        usage: judged.usage,
        cu: judged.cu,
        cost: open.session.terms.price.cost(judged.cu),
        due,
        started: running.started,
        first_byte: None,
        finished: gateway.now(),
        request: running.request,
        receipt: Some(receipt.encode()),
    }
}

/// Lets go of relays that the miner never got.
async fn forget_unknown(
    gateway: &Gateway,
    place: &Place,
    remembered: &Remembered,
) -> Result<(), NotYet> {
    let known: BTreeSet<Digest> = remembered.unacked.iter().map(|relay| relay.relay_id).collect();
    let gone: Vec<Digest> = {
        let mut dead = place.dead.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = dead.iter().map(|dead| dead.running.relay_id).filter(|id| !known.contains(id));
        let gone = gone.collect();
        dead.retain(|dead| known.contains(&dead.running.relay_id));
        gone
    };
    for relay_id in gone {
        gateway.books.forget(relay_id).await?;
    }
    Ok(())
}

/// Nothing can be acknowledged any more: what was set aside goes back.
async fn give_up(gateway: &Gateway, place: &Place) {
    let dead = std::mem::take(&mut *place.dead.lock().unwrap_or_else(PoisonError::into_inner));
    for dead in dead {
        warn!(relay = %dead.running.relay_id, "no receipt was ever shown: not billed");
        if let Err(error) = gateway.books.forget(dead.running.relay_id).await {
            warn!(relay = %dead.running.relay_id, %error, "relay not forgotten");
        }
    }
}
