//! What became of relays: claims, proofs that relays are in them, settlements. Fetched once they
//! are there, kept in the books before the miner prunes its own.

use crate::books::BooksError;
use crate::chain::ChainError;
use crate::gateway::Gateway;
use crate::upstream::Unanswered;
use futures::future::join_all;
use proto::session::{Seat, Session};
use proto::{Digest, Height, Time};
use std::time::Duration;
use tracing::{debug, info};

/// Proofs that are asked of one miner at once.
const AT_ONCE: usize = 4;

/// Proofs that are asked of one miner in one round: each block brings another round.
const PER_ROUND: u32 = 512;

/// Blocks after settlement for which a session's last pieces are asked for.
const LATE: u64 = 500;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// The pause between two looks for rows that are too old.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Why what became of relays is not known yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKnown {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error(transparent)]
    Supplier(#[from] Unanswered),
}

/// Follows sessions to their end until the gateway stops.
pub(crate) async fn run(gateway: Gateway) {
    let mut heights = gateway.chain.heights();
    loop {
        let height = *heights.borrow_and_update();
        if let Err(error) = round(&gateway, height).await {
            debug!(%height, %error, "what became of relays is not known");
        }
        tokio::select! {
            changed = heights.changed() => if changed.is_err() { return },
            () = gateway.hurry.cancelled() => return,
        }
    }
}

/// Removes old rows until the gateway stops.
pub(crate) async fn prune(gateway: Gateway) {
    let keep = u64::from(gateway.settings.records.keep_days).saturating_mul(DAY);
    loop {
        let before = Time(gateway.now().0.saturating_sub(keep));
        if let Err(error) = gateway.books.prune(before).await {
            debug!(%error, "old rows not removed");
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = gateway.hurry.cancelled() => return,
        }
    }
}

async fn round(gateway: &Gateway, height: Height) -> Result<(), NotKnown> {
    for session in gateway.books.open_sessions().await? {
        if height < session.claim_window().end {
            continue;
        }
        let mut settled = true;
        for seat in &session.seats {
            settled &= follow(gateway, &session, seat).await?;
        }
        if height >= session.settle_height()
            && (settled || height > session.settle_height().plus(LATE))
        {
            gateway.books.close_session(session.id).await?.on_disk().await?;
            info!(session = %session.id, "session closed");
        }
    }
    Ok(())
}

/// Brings the books up to what is known of one supplier's claim. Whether nothing more will come.
async fn follow(gateway: &Gateway, session: &Session, seat: &Seat) -> Result<bool, NotKnown> {
    let booked = gateway.books.claim(&session.id, &seat.operator).await?;
    let (mut claim, mut settled) = (booked.claim, booked.settled);
    if settled.is_none() {
        settled = gateway.chain.settled(session.id, seat.operator).await?;
        if let Some(settled) = &settled {
            claim = Some(settled.root);
            gateway.books.claimed(seat.operator, settled.root).await?;
            gateway.books.settled(settled.clone()).await?;
        } else if claim.is_none() {
            claim = gateway.chain.claim(session.id, seat.operator).await?;
            if let Some(claim) = claim {
                gateway.books.claimed(seat.operator, claim).await?;
            }
        }
    }
    if claim.is_none() {
        // Nothing was claimed: at the end of all windows nothing will be.
        return Ok(gateway.height() >= session.settle_height());
    }
    let left = if gateway.settings.records.fetch_proofs {
        open_some(gateway, session, seat).await?
    } else {
        0
    };
    Ok(settled.is_some() && left == 0)
}

/// Asks for proofs that are not on record. How many relays were left without one.
async fn open_some(gateway: &Gateway, session: &Session, seat: &Seat) -> Result<usize, NotKnown> {
    let relays = gateway.books.unopened(&session.id, &seat.operator, PER_ROUND).await?;
    let full = relays.len() == PER_ROUND as usize;
    let mut missing = 0;
    for some in relays.chunks(AT_ONCE) {
        let fetched = some.iter().map(|relay| fetch(gateway, session, seat, relay));
        let got = join_all(fetched).await;
        missing += got.iter().filter(|got| !matches!(got, Ok(true))).count();
    }
    Ok(missing + usize::from(full))
}

/// Asks a miner for the proof of a relay, and books it. Whether it is there.
pub(crate) async fn fetch(
    gateway: &Gateway,
    session: &Session,
    seat: &Seat,
    relay: &Digest,
) -> Result<bool, NotKnown> {
    let shown = gateway.upstream.receipt(&seat.endpoint, &session.id, relay).await?;
    let Some(opening) = shown.and_then(|shown| shown.opening) else {
        return Ok(false);
    };
    // What the miner shows is checked when a document is made of it; here it is only kept.
    if opening.leaf.request.body.relay_id != *relay {
        return Ok(false);
    }
    gateway.books.opened(*relay, opening).await?.on_disk().await?;
    Ok(true)
}
