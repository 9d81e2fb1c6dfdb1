//! A claim: what a supplier says it did in a session, and what becomes of it.

use crate::keys::Address;
use crate::payout::Split;
use crate::seed;
use crate::service::ServiceId;
use crate::session::Session;
use crate::units::{Amount, Cu, Denom, Digest, Height, Price};
use serde::{Deserialize, Serialize};

/// The root of a usage tree, and which relays of it may lack an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRoot {
    pub session_id: Digest,
    pub root: Digest,
    pub sum: Cu,
    pub count: u64,
    /// Relays numbered `unacked_from..unacked_from + inflight_max` need no acknowledgement.
    pub unacked_from: u64,
}

/// Where a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Made, and may still be replaced.
    Claimed,
    /// Drawn: leaves must be shown.
    ProofDue,
    /// Leaves were shown and were right.
    Proven,
    /// Not drawn.
    Spared,
    /// A shown leaf was wrong. There is no second draw.
    Refuted,
    /// No leaf was shown in time.
    Expired,
}

/// A claim on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub operator: Address,
    pub root: ClaimRoot,
    pub phase: Phase,
    pub claimed_at: Height,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub session_id: Digest,
    pub operator: Address,
    pub service: ServiceId,
    pub app: Address,
    pub gateway: Address,
    pub root: ClaimRoot,
    pub phase: Phase,
    pub price: Price,
    pub denom: Denom,
    /// What was paid for it, by the app and where its budget was over-committed by the gateway.
    pub cost: Amount,
    pub split: Split,
    /// What the supplier lost of its stake.
    pub slashed: Amount,
    pub height: Height,
    /// Why not all was paid: the name of a reason; empty where all was.
    pub reason: String,
}

/// What a claim costs at its session's price, rounded down once for the whole claim.
pub fn cost(session: &Session, root: &ClaimRoot) -> Amount {
    session.terms.price.cost(root.sum)
}

/// Whether the claim must be proven, once the seed of the session's reveal height is known.
pub fn must_prove(session: &Session, root: &ClaimRoot, operator: &Address, seed: &Digest) -> bool {
    let proving = &session.terms.proving;
    if cost(session, root) > proving.always_above {
        return true;
    }
    let digest = seed::hash("lode/proof/drawn", &[&seed.0, &session.id.0, &operator.0]);
    seed::falls_within(&digest, proving.rate)
}
