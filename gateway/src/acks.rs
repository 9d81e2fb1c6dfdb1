//! Acknowledgements that no request carries.
//!
//! While a place owes any, one task waits a moment for a request to carry them and sends them by
//! itself when none does, again and again until the session's claims are closed.

use crate::gateway::Gateway;
use crate::pool::{Open, Place};
use crate::recover;
use crate::upstream::{Unanswered, useful_until};
use http::StatusCode;
use proto::relay::{Ack, AckEntry, AckUpdate, Acked, Signable};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tracing::{debug, error, warn};

/// How long is waited at most between two tries.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// A relay is booked: it may be acknowledged.
pub(crate) fn finish(
    gateway: &Gateway,
    open: &Arc<Open>,
    place: &Arc<Place>,
    seq: u64,
    entry: AckEntry,
) {
    if let Err(overflow) = place.tab().finish(seq, entry) {
        error!(relay = %entry.relay_id, error = %overflow, "relay not acknowledged");
    }
    nudge(gateway, open, place);
}

/// Sees to it that what a place owes is sent.
pub(crate) fn nudge(gateway: &Gateway, open: &Arc<Open>, place: &Arc<Place>) {
    if place.tab().owes() && !place.acking.swap(true, Ordering::AcqRel) {
        let task = send_until_square(gateway.clone(), open.clone(), place.clone());
        gateway.spawn(task);
    }
}

async fn send_until_square(gateway: Gateway, open: Arc<Open>, place: Arc<Place>) {
    let patience = gateway.settings.times.ack();
    let mut wait = patience;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = gateway.hurry.cancelled() => {}
        }
        let last_try = gateway.hurry.is_cancelled();
        let (acked, entries) = {
            let tab = place.tab();
            if !tab.owes() {
                // Under the lock: who finishes a relay after this finds that nobody sends.
                place.acking.store(false, Ordering::Release);
                return;
            }
            tab.carry()
        };
        match send(&gateway, &open, &place, acked, entries).await {
            Ok(()) => wait = patience,
            Err(error) => {
                debug!(supplier = %place.seat.operator, %error, "acknowledgement not taken");
                wait = (wait * 2).min(RETRY_MAX);
                if last_try || gateway.height() >= useful_until(&open.session) {
                    warn!(supplier = %place.seat.operator, session = %open.session.id, "relays stay unacknowledged");
                    place.acking.store(false, Ordering::Release);
                    return;
                }
            }
        }
    }
}

async fn send(
    gateway: &Gateway,
    open: &Arc<Open>,
    place: &Arc<Place>,
    acked: Acked,
    entries: Vec<AckEntry>,
) -> Result<(), Unanswered> {
    let ack = Ack {
        chain_id: gateway.chain.chain_id().to_owned(),
        session_id: open.session.id,
        supplier: place.seat.operator,
        acked,
    };
    let update = AckUpdate { ack: ack.sign(&gateway.secret), entries };
    let sent = gateway.upstream.acknowledge(&place.seat.endpoint, &update).await;
    gateway.metrics.acks.inc();
    match sent {
        Ok(()) => {
            place.tab().confirm(&acked);
            Ok(())
        }
        Err(Unanswered::Status(StatusCode::CONFLICT)) => {
            recover::start(gateway, open, place);
            Err(Unanswered::Status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error),
    }
}
