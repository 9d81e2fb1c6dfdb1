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
    /// An audit of it convicted its supplier.
    Convicted,
    /// An audit of it found a fault that cost its supplier stake.
    Fined,
}

/// What happens to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The seed of the reveal height says whether it must be proven.
    Revealed { drawn: bool },
    /// The drawn leaves were shown, and were right or not.
    Shown { right: bool },
    /// An audit of it convicted its supplier.
    Convicted,
    /// An audit of it found a fault, and no ringer was shown to be behind it.
    Fined,
    /// The session is settled.
    Settled,
}

/// What follows for the supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The claim is paid.
    Pay,
    /// The claim is not paid, and costs stake.
    Slash,
    /// The claim is not paid; the conviction cost stake already.
    Refund,
}

/// Something happened to a claim that cannot in its phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a claim that is {phase:?} cannot be {event:?}")]
pub struct OutOfTurn {
    pub phase: Phase,
    pub event: Event,
}

impl Phase {
    /// The phase after `event`, and what follows from it.
    pub fn after(self, event: Event) -> Result<(Phase, Option<Effect>), OutOfTurn> {
        use Event::{Revealed, Settled, Shown};
        use Phase::{Claimed, Convicted, Expired, Fined, ProofDue, Proven, Refuted, Spared};
        Ok(match (self, event) {
            (Claimed, Revealed { drawn: true }) => (ProofDue, None),
            (Claimed, Revealed { drawn: false }) => (Spared, None),
            (ProofDue, Shown { right: true }) => (Proven, None),
            (ProofDue, Shown { right: false }) => (Refuted, None),
            (Proven | Spared, Event::Convicted) => (Convicted, None),
            (Proven | Spared, Event::Fined) => (Fined, None),
            (ProofDue, Settled) => (Expired, Some(Effect::Slash)),
            (Proven, Settled) => (Proven, Some(Effect::Pay)),
            (Spared, Settled) => (Spared, Some(Effect::Pay)),
            (Refuted, Settled) => (Refuted, Some(Effect::Slash)),
            (Convicted, Settled) => (Convicted, Some(Effect::Refund)),
            (Fined, Settled) => (Fined, Some(Effect::Slash)),
            (Claimed, Shown { .. } | Settled)
            | (
                ProofDue | Proven | Spared | Refuted | Expired | Convicted | Fined,
                Revealed { .. },
            )
            | (Proven | Spared | Refuted | Expired | Convicted | Fined, Shown { .. })
            | (
                Claimed | ProofDue | Refuted | Expired | Convicted | Fined,
                Event::Convicted | Event::Fined,
            )
            | (Expired, Settled) => return Err(OutOfTurn { phase: self, event }),
        })
    }
}

/// A claim on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub operator: Address,
    pub root: ClaimRoot,
    pub phase: Phase,
    pub claimed_at: Height,
}

/// Names of the reasons for which a claim, or a part of it, is not paid. They are part of what is
/// stored and never change their meaning.
pub mod reason {
    /// Leaves were drawn, and none were shown in time.
    pub const NOT_PROVEN: &str = "not_proven";
    /// A shown leaf was wrong.
    pub const REFUTED: &str = "refuted";
    /// An audit of it convicted its supplier, or it was shown to bill what cannot be.
    pub const CONVICTED: &str = "convicted";
    /// An audit of it found another model, no transcript, or a bill beyond the recount.
    pub const FAULTY: &str = "faulty";
    /// A supplier lost stake for a bill that cannot be.
    pub const OVERCOUNTED: &str = "overcounted";
    /// The app's budget was used up, and what the gateway's stake backs of this session too.
    pub const OVER_COMMITTED: &str = "over_committed";
    /// It costs less than one unit of the coin.
    pub const BELOW_ONE_UNIT: &str = "below_one_unit";
    /// The chain had no seed for its session, or it was in no phase that can be settled. It does
    /// not happen; if it does, nobody is paid or slashed for it.
    pub const INCONSISTENT: &str = "inconsistent";
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
    if session.terms.weight(cost(session, root)) > proving.always_above {
        return true;
    }
    let digest = seed::hash("lode/proof/drawn", &[&seed.0, &session.id.0, &operator.0]);
    seed::falls_within(&digest, proving.rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(events: &[Event], outcome: &Expect) {
        let mut phase = Phase::Claimed;
        let mut text = String::new();
        for event in events {
            match phase.after(*event) {
                Ok((next, effect)) => {
                    phase = next;
                    text.push_str(&format!("{next:?} {effect:?}\n"));
                }
                Err(refused) => text.push_str(&format!("{refused}\n")),
            }
        }
        outcome.assert_eq(&text);
    }

    const DRAWN: Event = Event::Revealed { drawn: true };

    #[test]
    fn a_claim_that_is_proven_in_time_is_paid() {
        check(
            &[DRAWN, Event::Shown { right: true }, Event::Settled],
            &expect![[r"
                ProofDue None
                Proven None
                Proven Some(Pay)
            "]],
        );
    }

    #[test]
    fn a_claim_without_its_proof_costs_stake() {
        check(
            &[DRAWN, Event::Settled],
            &expect![[r"
                ProofDue None
                Expired Some(Slash)
            "]],
        );
    }

    #[test]
    fn a_refuted_claim_has_no_second_chance() {
        let (wrong, right) = (Event::Shown { right: false }, Event::Shown { right: true });
        check(
            &[DRAWN, wrong, right, DRAWN, Event::Settled],
            &expect![[r"
                ProofDue None
                Refuted None
                a claim that is Refuted cannot be Shown { right: true }
                a claim that is Refuted cannot be Revealed { drawn: true }
                Refuted Some(Slash)
            "]],
        );
    }
}
