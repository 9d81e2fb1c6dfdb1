//! What sessions earn: expected before the claim, and what came.

use crate::book::{self, Book, End, OpenRefused};
use crate::duties::LATEST_CLAIM;
use crate::tree::{Reason, Selection, select};
use proto::claim::{self, ClaimRoot, Settled, must_prove};
use proto::payout::{Split, divide};
use proto::service::ServiceId;
use proto::session::Session;
use proto::{Address, Amount, Cu, Denom, Digest, Height, Price};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What all sessions earn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payouts {
    /// By coin.
    pub totals: BTreeMap<Denom, Total>,
    /// The newest first.
    pub payouts: Vec<Payout>,
}

/// What one coin adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The supplier's share of what is not settled.
    pub expected: Amount,
    /// What came of what is settled.
    pub paid: Amount,
    /// What failed proofs cost of the stake (in the coin that stakes are made of).
    pub slashed: Amount,
}

/// Where a session stands for its supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Served, or waiting for its claim window.
    Open,
    /// Claimed; whether it must be proven is not known.
    Claimed,
    /// Drawn, and not proven so far.
    ProofDue,
    Proven,
    /// The chain found a drawn leaf wrong.
    Refuted,
    /// Claimed and not drawn.
    Spared,
    Settled,
    /// Over without a claim.
    Unclaimed,
}

/// What one session earns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub session_id: Digest,
    pub service: ServiceId,
    pub app: Address,
    pub gateway: Address,
    pub start: Height,
    pub end: Height,
    /// When it is settled, or was.
    pub settles: Height,
    pub price: Price,
    pub denom: Denom,
    pub stage: Stage,
    /// Relays that ended.
    pub relays: u64,
    /// What their receipts add up to.
    pub cu: Cu,
    /// What the claim earns, or what it would if it were made of the book as it is.
    pub expected: Due,
    pub claim: Option<ClaimRoot>,
    pub settled: Option<Settled>,
    /// What the supplier's payout accounts got.
    pub paid: Vec<Paid>,
    /// What of `cu` earns nothing, by reason.
    pub losses: Vec<Loss>,
}

/// What a claim is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub cu: Cu,
    /// Price times `cu`, rounded down once.
    pub cost: Amount,
    pub split: Split,
}

/// A part of the supplier's share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    pub to: Address,
    pub amount: Amount,
}

/// Compute units that earn nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub reason: Reason,
    pub relays: u64,
    pub cu: Cu,
}

impl Due {
    /// What `cu` of a session is worth.
    pub fn of(session: &Session, cu: Cu) -> Due {
        let root = ClaimRoot {
            session_id: session.id,
            root: Digest::default(),
            sum: cu,
            count: 0,
            unacked_from: 0,
        };
        let cost = claim::cost(session, &root);
        Due { cu, cost, split: session.terms.split(cost) }
    }
}

/// What all books in a folder earn, read from the disk.
pub fn read(folder: &Path) -> Result<Payouts, OpenRefused> {
    let disk = |source| OpenRefused::Disk { path: folder.to_owned(), source };
    let mut payouts = Vec::new();
    for path in book::list(folder).map_err(disk)? {
        payouts.extend(book::scan(&path, u64::MAX)?.map(|book| payout(&book)));
    }
    Ok(sum(payouts))
}

/// What sessions earn together.
pub fn sum(mut payouts: Vec<Payout>) -> Payouts {
    payouts.sort_by_key(|payout| (std::cmp::Reverse(payout.start), payout.session_id));
    let mut totals: BTreeMap<Denom, Total> = BTreeMap::new();
    for payout in &payouts {
        let total = totals.entry(payout.denom.clone()).or_default();
        match (&payout.settled, payout.stage) {
            (Some(settled), _) => {
                total.paid.0 = total.paid.0.saturating_add(settled.split.supplier.0);
                if !settled.slashed.is_zero() {
                    let stake = totals.entry(Denom::stake()).or_default();
                    stake.slashed.0 = stake.slashed.0.saturating_add(settled.slashed.0);
                }
            }
            (None, Stage::Unclaimed) => {}
            (None, _) => {
                let share = payout.expected.split.supplier.0;
                total.expected.0 = total.expected.0.saturating_add(share);
            }
        }
    }
    Payouts { totals, payouts }
}

/// What one book earns.
pub fn payout(book: &Book) -> Payout {
    let session = book.session();
    let selection = select(book);
    let claim = book.included().map(|(root, _)| root);
    let settled = match book.end() {
        Some(End::Settled(settled)) => Some((**settled).clone()),
        Some(End::Unclaimed(_)) | None => None,
    };
    let supplier = settled.as_ref().map(|settled| settled.split.supplier);
    Payout {
        session_id: session.id,
        service: session.service.clone(),
        app: session.app,
        gateway: session.gateway,
        start: session.start,
        end: session.end,
        settles: book.end().map_or(session.settle_height(), End::height),
        price: session.terms.price,
        denom: session.terms.denom.clone(),
        stage: stage(book),
        relays: (book.relays().len() - book.running()) as u64,
        cu: book.booked(),
        expected: Due::of(session, claim.map_or(selection.sum, |root| root.sum)),
        claim,
        settled,
        paid: supplier.map_or_else(Vec::new, |amount| paid(book, amount)),
        losses: losses(&selection),
    }
}

/// The last height at which a session's claim can be made in time.
pub fn latest_claim(session: &Session) -> Height {
    session.claim_window().end.minus(LATEST_CLAIM)
}

/// Who of the supplier's accounts gets what of its share.
pub(crate) fn paid(book: &Book, amount: Amount) -> Vec<Paid> {
    let payouts = book.seat().map_or(&[][..], |seat| &seat.payouts);
    let parts: Vec<_> = payouts.iter().map(|payout| payout.share).collect();
    let amounts = divide(amount, &parts);
    payouts.iter().zip(amounts).map(|(payout, amount)| Paid { to: payout.to, amount }).collect()
}

fn stage(book: &Book) -> Stage {
    match (book.end(), book.included(), book.drawn()) {
        (Some(End::Settled(_)), _, _) => Stage::Settled,
        (Some(End::Unclaimed(_)), _, _) => Stage::Unclaimed,
        (None, None, _) => Stage::Open,
        (None, Some(_), None) => Stage::Claimed,
        (None, Some((root, _)), Some(seed)) => {
            let drawn = must_prove(book.session(), &root, &book.opened().operator, &seed);
            match (drawn, book.shown()) {
                (false, _) => Stage::Spared,
                (true, None) => Stage::ProofDue,
                (true, Some((_, true))) => Stage::Proven,
                (true, Some((_, false))) => Stage::Refuted,
            }
        }
    }
}

fn losses(selection: &Selection) -> Vec<Loss> {
    let mut by_reason: BTreeMap<Reason, Loss> = BTreeMap::new();
    for lost in &selection.lost {
        let reason = lost.reason;
        let loss = by_reason.entry(reason).or_insert(Loss { reason, relays: 0, cu: Cu(0) });
        loss.relays += 1;
        loss.cu = Cu(loss.cu.0.saturating_add(lost.cu.0));
    }
    by_reason.into_values().collect()
}
