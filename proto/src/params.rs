//! What governance sets, and which settings it cannot have.

use crate::audit::Audited;
use crate::audit::{self, AUDIT_WINDOW_MIN};
use crate::coins::{self, AllowedCoin, CoinsRefused, Value};
use crate::names::{ACK_TAIL_MAX, PROOF_DRAWS_MAX, SUPPLIERS_PER_SESSION_MAX};
use crate::payout::{Shares, SharesRefused};
use crate::price;
use crate::units::{Amount, Denom, Ppm};
use serde::{Deserialize, Serialize};

/// Lengths in blocks of the windows that follow a session. See [`crate::session`] for the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    pub grace: u64,
    pub claim: u64,
    pub proof: u64,
    pub audit: u64,
}

/// How claims are checked. Amounts are of the coin that stakes are made of; the cost of a claim in
/// another one is weighed against them by its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proving {
    /// How often a claim must be proven.
    pub rate: Ppm,
    /// Leaves shown of a claim that must be proven.
    pub draws: u32,
    /// Claims that weigh more than this must always be proven.
    pub always_above: Amount,
    /// What a failed proof costs, in parts of a million of the claim's cost.
    pub penalty_rate: Ppm,
    /// What a failed proof costs at least.
    pub penalty_min: Amount,
}

impl Proving {
    /// What a refuted or expired claim loses of its supplier's stake, if its cost weighs `weight`.
    pub fn penalty(&self, weight: Amount) -> Amount {
        self.penalty_rate.of(weight).max(self.penalty_min)
    }
}

/// All parameters of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Blocks of a session.
    pub session_length: u64,
    pub windows: Windows,
    /// Blocks that one relay may take at most.
    pub relay_max: u64,
    pub suppliers_per_session: u32,
    /// Relays of one gateway, session and supplier that may be unacknowledged.
    pub inflight_max: u32,
    pub request_max_bytes: u32,
    /// Compute units after which a running answer is booked in between.
    pub checkpoint_cu: u64,
    pub shares: Shares,
    pub proving: Proving,
    pub price: price::Params,
    pub supplier_stake_min: Amount,
    pub gateway_stake_min: Amount,
    /// The stake of one owner beyond which weight does not grow.
    pub owner_cap: Amount,
    /// Blocks until a stake returns.
    pub unbonding: u64,
    /// Blocks that a jailed supplier waits at least.
    pub jail: u64,
    /// Blocks for which a settled claim can be looked up.
    pub history: u64,
    /// Most settlements in one block; the rest waits in order.
    pub settlements_per_block: u32,
    pub audits: audit::Params,
    /// Coins in which services may be priced beside that of stakes, sorted by their names.
    pub coins: Vec<AllowedCoin>,
}

/// Sessions and windows are no longer than this: heights must never come near overflow, and
/// nobody waits a year of blocks for pay.
pub const WINDOW_MAX: u64 = 1 << 22;

/// A request's body is never allowed to be larger than this.
pub const REQUEST_BYTES_MAX: u32 = 16 << 20;

/// Settlements in one block that a parameter may ask for at most: the work of a block is bounded.
pub const SETTLEMENTS_MAX: u32 = 100_000;

/// Why parameters are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsRefused {
    #[error("{name} is {value}, but must be in {min}..={max}")]
    OutOfRange { name: &'static str, value: u64, min: u64, max: u64 },
    #[error(
        "a relay may take {relay_max} blocks, but claims close {claim} blocks after the last one may start: relay_max must be less than the claim window"
    )]
    RelayOutlivesClaims { relay_max: u64, claim: u64 },
    #[error(
        "stake returns after {unbonding} blocks, but a session can still cost it {liable} blocks after its start: unbonding must be longer"
    )]
    StakeFlees { unbonding: u64, liable: u64 },
    #[error(
        "a fabricated claim loses {penalty_rate} ppm and is caught {rate} ppm of the time: {product} is under 1,000,000, so lying pays; raise the penalty or the rate"
    )]
    LyingPays { penalty_rate: u32, rate: u32, product: u64 },
    #[error(transparent)]
    Shares(#[from] SharesRefused),
    #[error(transparent)]
    Audits(#[from] audit::params::AuditsRefused),
    #[error(transparent)]
    Coins(#[from] CoinsRefused),
    #[error("the price rule: {0}")]
    Price(String),
}

impl Params {
    /// The parameters of the real network: blocks of some five seconds, sessions of five minutes.
    pub fn standard() -> Params {
        Params {
            session_length: 60,
            windows: Windows { grace: 4, claim: 130, proof: 20, audit: 20 },
            relay_max: 120,
            suppliers_per_session: 5,
            inflight_max: 64,
            request_max_bytes: 1 << 20,
            checkpoint_cu: 4096,
            shares: Shares::standard(),
            proving: Proving {
                rate: Ppm(250_000),
                draws: 4,
                always_above: Amount(10_000_000),
                penalty_rate: Ppm(5_000_000),
                penalty_min: Amount(1_000_000),
            },
            price: price::Params::default(),
            supplier_stake_min: Amount(1_000_000_000),
            gateway_stake_min: Amount(1_000_000_000),
            owner_cap: Amount(100_000_000_000),
            unbonding: 20_000,
            jail: 600,
            history: 120_000,
            settlements_per_block: 10_000,
            audits: audit::Params::standard(),
            coins: Vec::new(),
        }
    }

    /// The parameters of a network on one machine: a session is ten blocks, and pay comes within
    /// about fifty.
    pub fn dev() -> Params {
        Params {
            session_length: 10,
            windows: Windows { grace: 3, claim: 24, proof: 6, audit: AUDIT_WINDOW_MIN },
            relay_max: 22,
            suppliers_per_session: 5,
            inflight_max: 64,
            unbonding: 60,
            jail: 20,
            history: 100_000,
            // What is played with here is nobody's secret, and shows audits without more ado.
            audits: audit::Params { unchosen: Audited::Full, ..audit::Params::standard() },
            ..Params::standard()
        }
    }

    /// Blocks from a session's start until nothing of it can cost a stake any more.
    pub fn liable(&self) -> u64 {
        let w = &self.windows;
        self.session_length + w.grace + w.claim + 1 + w.proof + w.audit
    }

    /// What a coin weighs against stake, if services may be priced in it.
    pub fn value(&self, denom: &Denom) -> Option<Value> {
        coins::value(&self.coins, denom)
    }

    /// Whether a market can run on these parameters without a way to earn by lying.
    pub fn check(&self) -> Result<(), ParamsRefused> {
        self.check_ranges()?;
        if self.relay_max >= self.windows.claim {
            return Err(ParamsRefused::RelayOutlivesClaims {
                relay_max: self.relay_max,
                claim: self.windows.claim,
            });
        }
        if self.unbonding <= self.liable() {
            return Err(ParamsRefused::StakeFlees {
                unbonding: self.unbonding,
                liable: self.liable(),
            });
        }
        self.shares.check()?;
        coins::check(&self.coins)?;
        self.check_proving()?;
        self.audits.check(self.shares.audits, self.shares.supplier, self.supplier_stake_min)?;
        let price = self.price.check().and_then(|()| self.check_wash());
        price.map_err(|refused| ParamsRefused::Price(refused.to_string()))
    }

    // Who pays itself as supplier, source and auditor at once loses what is burned and the treasury's.
    fn check_wash(&self) -> Result<(), price::ParamsRefused> {
        let Shares { supplier, treasury, burn, .. } = self.shares;
        self.price.check_wash(supplier, Ppm(treasury.0.saturating_add(burn.0)))
    }

    fn check_ranges(&self) -> Result<(), ParamsRefused> {
        let ranges = [
            ("session_length", self.session_length, 2, WINDOW_MAX),
            ("windows.grace", self.windows.grace, 1, self.session_length),
            ("windows.claim", self.windows.claim, 2, WINDOW_MAX),
            ("windows.proof", self.windows.proof, 2, WINDOW_MAX),
            ("windows.audit", self.windows.audit, AUDIT_WINDOW_MIN, WINDOW_MAX),
            ("relay_max", self.relay_max, 1, WINDOW_MAX),
            (
                "suppliers_per_session",
                self.suppliers_per_session.into(),
                1,
                SUPPLIERS_PER_SESSION_MAX as u64,
            ),
            ("inflight_max", self.inflight_max.into(), 1, ACK_TAIL_MAX as u64),
            ("request_max_bytes", self.request_max_bytes.into(), 1024, REQUEST_BYTES_MAX.into()),
            ("checkpoint_cu", self.checkpoint_cu, 1, u64::MAX),
            ("proving.draws", self.proving.draws.into(), 1, PROOF_DRAWS_MAX as u64),
            ("proving.rate", self.proving.rate.0.into(), 1, Ppm::ONE.0.into()),
            ("unbonding", self.unbonding, 1, WINDOW_MAX),
            ("jail", self.jail, 1, WINDOW_MAX),
            ("history", self.history, 1, WINDOW_MAX),
            ("settlements_per_block", self.settlements_per_block.into(), 1, SETTLEMENTS_MAX.into()),
        ];
        for (name, value, min, max) in ranges {
            if !(min..=max).contains(&value) {
                return Err(ParamsRefused::OutOfRange { name, value, min, max });
            }
        }
        Ok(())
    }

    // A fraction f of a claim of cost V is fabricated: it gains f*V. With m >= 1 draws by weight it
    // is caught with rate * (1 - (1-f)^m) >= rate * f, and then loses penalty_rate * V. So lying
    // never pays when penalty_rate * rate >= 1. In another coin than that of stakes this holds as far
    // as its value is what the coin is worth: the margin over 1 is how far it may be off.
    fn check_proving(&self) -> Result<(), ParamsRefused> {
        let Proving { rate, penalty_rate, .. } = self.proving;
        let product = u64::from(rate.0) * u64::from(penalty_rate.0) / 1_000_000;
        if product < 1_000_000 {
            return Err(ParamsRefused::LyingPays {
                penalty_rate: penalty_rate.0,
                rate: rate.0,
                product,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(change: impl FnOnce(&mut Params), outcome: &Expect) {
        let mut params = Params::standard();
        change(&mut params);
        let text = params.check().map_or_else(|refused| refused.to_string(), |()| "ok".into());
        outcome.assert_eq(&text);
    }

    #[test]
    fn the_shipped_parameters_can_be_had() {
        assert_eq!(Params::standard().check(), Ok(()));
        assert_eq!(Params::dev().check(), Ok(()));
    }

    #[test]
    fn a_relay_cannot_outlive_the_claim_window() {
        check(
            |p| p.relay_max = 130,
            &expect![
                "a relay may take 130 blocks, but claims close 130 blocks after the last one may start: relay_max must be less than the claim window"
            ],
        );
    }

    #[test]
    fn lying_cannot_be_made_to_pay() {
        check(
            |p| p.proving.rate = Ppm(100_000),
            &expect![
                "a fabricated claim loses 5000000 ppm and is caught 100000 ppm of the time: 500000 is under 1,000,000, so lying pays; raise the penalty or the rate"
            ],
        );
    }

    #[test]
    fn stake_stays_until_it_cannot_be_liable() {
        check(
            |p| p.unbonding = 200,
            &expect![
                "stake returns after 200 blocks, but a session can still cost it 235 blocks after its start: unbonding must be longer"
            ],
        );
    }

    #[test]
    fn a_window_of_no_blocks_is_refused() {
        check(|p| p.windows.proof = 0, &expect!["windows.proof is 0, but must be in 2..=4194304"]);
    }
}
