//! A session: who serves an app for some blocks, on terms that never change.
//!
//! ```text
//! start            end     +grace        +claim      +1        +proof      +audit
//!   |---- session ---|       |             |          |           |           |
//!   [-------- serve ---------)             |          |           |           |
//!                            [--- claim ---)          |           |           |
//!                                          [- reveal -)           |           |
//!                                                     [-- proof --)           |
//!                                                                 [-- audit --)
//!                                                                             settle
//! ```
//! Windows are half-open and touch: each height is in one. A relay belongs to the session in which
//! it started, however long it takes within `relay_max`.

use crate::audit::Audited;
use crate::coins::Value;
use crate::keys::{Address, RelayKey};
use crate::params::{Params, Proving, Windows};
use crate::payout::{Shares, Split};
use crate::seed;
use crate::service::{Service, ServiceId};
use crate::supplier::PayoutShare;
use crate::units::{Amount, Cu, Denom, Digest, Height, Price};
use crate::usage::CuWeights;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a session was opened with. Nothing that prices or times its relays reads a parameter again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub protocol_version: u32,
    pub price: Price,
    pub denom: Denom,
    pub source: Address,
    pub cu_weights: CuWeights,
    pub tokenizer_hash: Digest,
    pub template_hash: Digest,
    pub context_max: u32,
    pub windows: Windows,
    pub relay_max: u64,
    pub inflight_max: u32,
    pub request_max_bytes: u32,
    pub checkpoint_cu: u64,
    pub shares: Shares,
    pub proving: Proving,
    /// What the coin weighs against stake.
    pub value: Value,
    /// Which of its relays auditors may read.
    pub audited: Audited,
}

impl Terms {
    /// The terms of a session that opens at `price`, in a coin of that value.
    pub fn of(service: &Service, params: &Params, price: Price, value: Value) -> Terms {
        Terms {
            protocol_version: crate::names::PROTOCOL_VERSION,
            price,
            denom: service.denom.clone(),
            source: service.source,
            cu_weights: service.cu_weights,
            tokenizer_hash: service.tokenizer_hash,
            template_hash: service.template_hash,
            context_max: service.context_max,
            windows: params.windows,
            relay_max: params.relay_max,
            inflight_max: params.inflight_max,
            request_max_bytes: params.request_max_bytes,
            checkpoint_cu: params.checkpoint_cu,
            shares: params.shares,
            proving: params.proving,
            value,
            audited: params.audits.unchosen,
        }
    }

    /// Shares out what a claim costs. Only the coin of stakes is this chain's own to burn: of any
    /// other the treasury, which is no single party's either, gets what would be burned.
    pub fn split(&self, cost: Amount) -> Split {
        let split = self.shares.split(cost);
        if self.denom == Denom::stake() { split } else { split.unburned() }
    }

    /// What `cost` weighs in the coin that stakes are made of, rounded up.
    pub fn weight(&self, cost: Amount) -> Amount {
        self.value.in_stake(cost)
    }

    /// What a refuted or expired claim that would have cost `cost` loses of its supplier's stake.
    pub fn penalty(&self, cost: Amount) -> Amount {
        self.proving.penalty(self.weight(cost))
    }
}

/// A drawn supplier as it was when the session opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub operator: Address,
    pub relay_key: RelayKey,
    pub endpoint: String,
    /// Among whom its share is split; never empty.
    pub payouts: Vec<PayoutShare>,
}

/// An opened session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: Digest,
    pub service: ServiceId,
    pub app: Address,
    pub gateway: Address,
    pub gateway_key: RelayKey,
    /// The first height of the session.
    pub start: Height,
    /// The first height after it.
    pub end: Height,
    /// What the app locked.
    pub budget: Amount,
    pub seats: Vec<Seat>,
    pub terms: Terms,
}

impl Session {
    /// The id of the session that `gateway` opens for `app` at `start`.
    pub fn id_of(
        chain_id: &str,
        service: &ServiceId,
        app: &Address,
        gateway: &Address,
        start: Height,
    ) -> Digest {
        seed::hash(
            "lode/session",
            &[
                chain_id.as_bytes(),
                service.as_str().as_bytes(),
                &app.0,
                &gateway.0,
                &start.0.to_be_bytes(),
            ],
        )
    }

    /// The supplier of this session whose operator that is.
    pub fn seat(&self, operator: &Address) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.operator == *operator)
    }

    /// When relays may start.
    pub fn serve_window(&self) -> Range<Height> {
        self.start..self.end.plus(self.terms.windows.grace)
    }

    /// When claims are taken. In it a claim may be replaced.
    pub fn claim_window(&self) -> Range<Height> {
        let start = self.serve_window().end;
        start..start.plus(self.terms.windows.claim)
    }

    /// The height whose seed says which claims must be proven, and by which leaves: fixed after the
    /// last claim.
    pub fn reveal_height(&self) -> Height {
        self.claim_window().end
    }

    /// When proofs are taken.
    pub fn proof_window(&self) -> Range<Height> {
        let start = self.reveal_height().plus(1);
        start..start.plus(self.terms.windows.proof)
    }

    /// When audits of proven usage run.
    pub fn audit_window(&self) -> Range<Height> {
        let start = self.proof_window().end;
        start..start.plus(self.terms.windows.audit)
    }

    /// The height at whose end the session is settled, or soon after when blocks are full.
    pub fn settle_height(&self) -> Height {
        self.audit_window().end
    }

    /// The first height at which a relay that started at `started` must be over.
    pub fn deadline(&self, started: Height) -> Height {
        started.plus(self.terms.relay_max)
    }

    /// The most compute units that one supplier may claim: all that the budget buys.
    pub fn budget_cu(&self) -> Cu {
        self.terms.price.buys(self.budget)
    }

    /// What over-commitment of this session may cost the gateway's stake, in the session's coin: each
    /// supplier may serve up to the whole budget, and the app pays one budget.
    pub fn exposure(&self) -> Amount {
        exposure(self.budget, self.seats.len())
    }
}

/// What over-commitment of `budget` over `suppliers` may cost a gateway at most.
pub fn exposure(budget: Amount, suppliers: usize) -> Amount {
    Amount(budget.0.saturating_mul(suppliers.saturating_sub(1) as u128))
}

/// The first height of the session that `height` is in, for sessions of `length` blocks.
/// Sessions begin at heights 1, 1 + length, 1 + 2 * length and so on.
pub fn start_of(height: Height, length: u64) -> Height {
    let since = height.0.saturating_sub(1);
    Height(height.0.saturating_sub(since.checked_rem(length).unwrap_or(0)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_touch_and_each_height_is_in_one() {
        for height in 1..100 {
            let start = start_of(Height(height), 10);
            assert!(start.0 <= height && height < start.0 + 10, "{height}: {start}");
            assert_eq!((start.0 - 1) % 10, 0);
        }
    }

    #[test]
    fn what_cannot_be_burned_here_goes_to_the_treasury() {
        let terms = |denom: &str| Terms {
            protocol_version: 1,
            price: Price(1),
            denom: Denom::new(denom).unwrap(),
            source: Address([1; 20]),
            cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 1 },
            tokenizer_hash: Digest::default(),
            template_hash: Digest::default(),
            context_max: 1,
            windows: Params::dev().windows,
            relay_max: 1,
            inflight_max: 1,
            request_max_bytes: 1,
            checkpoint_cu: 1,
            shares: Shares::standard(),
            proving: Params::dev().proving,
            value: Value { stake: 5, units: 2 },
            audited: Audited::Full,
        };
        let (own, other) = (terms("ulode").split(Amount(101)), terms("uusd").split(Amount(101)));
        assert_eq!((own.treasury, own.burn), (Amount(2), Amount(8)));
        assert_eq!((other.treasury, other.burn), (Amount(10), Amount(0)));
        assert_eq!((own.supplier, own.source), (other.supplier, other.source));
        assert_eq!(terms("uusd").penalty(Amount(1_000_001)), Amount(12_500_015));
    }

    #[test]
    fn a_gateway_is_exposed_to_what_the_app_does_not_pay() {
        assert_eq!(exposure(Amount(100), 5), Amount(400));
        assert_eq!(exposure(Amount(100), 1), Amount(0));
    }
}
