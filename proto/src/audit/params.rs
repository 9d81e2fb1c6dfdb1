//! What audits go by, and which settings would let somebody earn by lying or by doing nothing.

use super::committee;
use super::fine::{Fault, Fines};
use super::probe::Audited;
use super::standing::{Test, TestRefused};
use super::verdict::Quality;
use crate::keys::Address;
use crate::params::ParamsRefused;
use crate::units::{Amount, Ppm};
use serde::{Deserialize, Serialize};

/// What auditors lose of their bond, each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Penalties {
    /// For a verdict that the final one contradicts.
    pub outlier: Amount,
    /// For a commitment whose verdict was not revealed.
    pub unrevealed: Amount,
    /// For a seat that was not taken.
    pub skipped: Amount,
    /// For a verdict that contradicts what a planted answer was known to be.
    pub ringer: Amount,
}

/// All parameters of audits. A docket keeps those that it was drawn with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// How often a final claim is audited.
    pub rate: Ppm,
    /// Who sits on a first committee, on average.
    pub committee: u32,
    /// Who sits on a second one, on average.
    pub large_committee: u32,
    /// How far a quality may lie from the median.
    pub tolerance: Quality,
    /// What a verdict earns when its audit is completed, whatever it says.
    pub fee: Amount,
    /// What claims cost on average at least: the fee and the slash are measured against it.
    pub claim_typical: Amount,
    /// Less than this is bonded by nobody who sits.
    pub bond_min: Amount,
    pub penalties: Penalties,
    /// How many of all audits are planted and known to be bad, at least: what the operators of
    /// ringers undertake.
    pub ringer_rate: Ppm,
    /// Who may plant ringers.
    pub ringers: Vec<Address>,
    /// What a convicted supplier loses of its stake.
    pub slash_rate: Ppm,
    pub test: Test,
    /// What a supplier loses of its stake that is shown to bill what cannot be.
    pub overcount_rate: Ppm,
    /// What holds for apps that did not choose which traffic may be read.
    pub unchosen: Audited,
    /// What an operator deposits for each probe, and loses when it does not open it.
    pub probe_deposit: Amount,
    /// What a confirmed fault costs by itself.
    pub fines: Fines,
}

/// Who sits on a first committee on average, at least: whom nobody can contradict could lie for free.
pub const COMMITTEE_MIN: u32 = 2;

/// Who sits on a committee on average, at most.
pub const COMMITTEE_MAX: u32 = 64;

/// Operators of ringers at most: each is trusted not to plant for itself.
pub const RINGER_OPERATORS_MAX: usize = 16;

/// A bond covers so many of the largest penalty at least: one bad day ends no auditor.
pub const BOND_COVERS: u128 = 16;

/// How often an audit of a cheated answer fails, which the tests of identity reach at least.
const POWER: u64 = 850_000;

/// A guess of any kind is apart from the median at least once in so many audits.
const GUESS_APART: u128 = 2;

/// Why parameters of audits are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditsRefused {
    #[error("the sequential test: {0}")]
    Test(#[from] TestRefused),
    #[error(
        "a first committee of {committee} and a second of {large}: the first must be at least {COMMITTEE_MIN}, the second larger, and at most {COMMITTEE_MAX}"
    )]
    Committees { committee: u32, large: u32 },
    #[error("what holds for apps that did not choose must be full or probes")]
    Unchosen,
    #[error("a probe without a deposit costs nothing when it is not opened: raise probe_deposit")]
    NoDeposit,
    #[error("{count} may plant ringers, but at most {RINGER_OPERATORS_MAX} can")]
    RingerOperators { count: usize },
    #[error(
        "a verdict earns {fee}, and the penalty of {name} is {penalty}: it must be at least {least}, or guessing pays"
    )]
    GuessingPays { name: &'static str, fee: Amount, penalty: Amount, least: Amount },
    #[error(
        "who does not reveal loses {unrevealed}, but what it hides may cost {hidden}: raise penalties.unrevealed to that"
    )]
    HidingPays { unrevealed: Amount, hidden: Amount },
    #[error(
        "a bond of {bond_min} does not cover {BOND_COVERS} penalties of {penalty}: raise bond_min"
    )]
    BondTooSmall { bond_min: Amount, penalty: Amount },
    #[error(
        "audits of a typical claim cost {cost} on average, but their share of it is {share}: lower the fee, the rate or the committee"
    )]
    Unaffordable { cost: Amount, share: Amount },
    #[error(
        "a supplier that cheats until it is convicted gains {gain} in some {claims} claims, but loses {slash}: raise the rate, slash_rate or the least stake"
    )]
    CheatingPays { gain: Amount, claims: u64, slash: Amount },
    #[error(
        "of each coin that it is paid for cheated answers a supplier keeps {share} ppm, but loses {loses} ppm with fines.{name} = {times}: at least {least} are needed, or a higher rate"
    )]
    RareCheatingPays { name: &'static str, times: u32, share: u32, loses: u128, least: u128 },
    #[error(
        "a typical claim of {claim} is fined with {fine} in {rate} ppm of cases, more than the least stake of {stake} covers: lower fines, or raise the least stake"
    )]
    FineUncovered { claim: Amount, fine: Amount, rate: u32, stake: Amount },
}

impl Params {
    /// Every twentieth claim, three auditors, and what follows from that.
    pub fn standard() -> Params {
        Params {
            rate: Ppm(50_000),
            committee: 3,
            large_committee: 9,
            tolerance: Quality::QUARTER,
            fee: Amount(20_000),
            claim_typical: Amount(250_000),
            bond_min: Amount(100_000_000),
            penalties: Penalties {
                outlier: Amount(200_000),
                unrevealed: Amount(500_000),
                skipped: Amount(40_000),
                ringer: Amount(500_000),
            },
            ringer_rate: Ppm(50_000),
            ringers: Vec::new(),
            slash_rate: Ppm(200_000),
            test: Test::standard(),
            overcount_rate: Ppm(200_000),
            // Nobody's traffic is read who did not say that it may be.
            unchosen: Audited::Probes,
            probe_deposit: Amount(1_000_000),
            fines: Fines::standard(),
        }
    }

    /// Whether auditors and suppliers do best by being honest. `share` is the audits' part of a
    /// claim, `supplier` the supplier's, `stake` the least that a supplier stakes.
    pub fn check(&self, share: Ppm, supplier: Ppm, stake: Amount) -> Result<(), ParamsRefused> {
        self.check_ranges()?;
        self.test.check().map_err(AuditsRefused::from)?;
        self.check_committees()?;
        self.check_auditors()?;
        self.check_fee(share)?;
        self.check_fines(supplier, stake)?;
        Ok(self.check_suppliers(supplier, stake)?)
    }

    fn check_ranges(&self) -> Result<(), ParamsRefused> {
        let whole = u64::from(Ppm::ONE.0);
        for (name, rate) in [
            ("audits.rate", self.rate),
            ("audits.ringer_rate", self.ringer_rate),
            ("audits.slash_rate", self.slash_rate),
            ("audits.overcount_rate", self.overcount_rate),
        ] {
            let value = u64::from(rate.0);
            if !(1..=whole).contains(&value) {
                return Err(ParamsRefused::OutOfRange { name, value, min: 1, max: whole });
            }
        }
        Ok(())
    }

    fn check_committees(&self) -> Result<(), AuditsRefused> {
        let (committee, large) = (self.committee, self.large_committee);
        if committee < COMMITTEE_MIN || large <= committee || large > COMMITTEE_MAX {
            return Err(AuditsRefused::Committees { committee, large });
        }
        if self.unchosen == Audited::Unchosen {
            return Err(AuditsRefused::Unchosen);
        }
        if self.probe_deposit.is_zero() {
            return Err(AuditsRefused::NoDeposit);
        }
        let count = self.ringers.len();
        if count > RINGER_OPERATORS_MAX {
            return Err(AuditsRefused::RingerOperators { count });
        }
        Ok(())
    }

    // What is caught with a chance p and costs a penalty of at least fee / p does not pay. Who
    // always says that all is well is apart from nobody but where something is not: the bad ringers
    // see to that, so the chance is their rate.
    fn check_auditors(&self) -> Result<(), AuditsRefused> {
        let (fee, Penalties { outlier, unrevealed, skipped, ringer }) = (self.fee, self.penalties);
        let rate = u128::from(self.ringer_rate.0.max(1));
        let by_ringer = fee.0.saturating_mul(Ppm::ONE.0.into()).div_ceil(rate);
        let all = [
            ("outlier", outlier, fee.0.saturating_mul(GUESS_APART)),
            ("skipped", skipped, fee.0),
            ("ringer", ringer, by_ringer),
        ];
        for (name, penalty, least) in all {
            if penalty.0 < least {
                return Err(AuditsRefused::GuessingPays {
                    name,
                    fee,
                    penalty,
                    least: Amount(least),
                });
            }
        }
        let hidden = outlier.max(ringer);
        if unrevealed < hidden {
            return Err(AuditsRefused::HidingPays { unrevealed, hidden });
        }
        let (bond_min, penalty) = (self.bond_min, unrevealed.max(skipped));
        if bond_min.0 < penalty.0.saturating_mul(BOND_COVERS) {
            return Err(AuditsRefused::BondTooSmall { bond_min, penalty });
        }
        Ok(())
    }

    fn check_fee(&self, share: Ppm) -> Result<(), AuditsRefused> {
        let fees = Amount(self.fee.0.saturating_mul(self.committee.into()));
        let (cost, share) = (self.rate.of(fees), share.of(self.claim_typical));
        if cost > share { Err(AuditsRefused::Unaffordable { cost, share }) } else { Ok(()) }
    }

    // The score of a cheat drifts upwards by the divergence of the two hypotheses with each audit.
    // It cheats in a part of its answers, and that part of its pay is counted as gain in full.
    fn check_suppliers(&self, supplier: Ppm, stake: Amount) -> Result<(), AuditsRefused> {
        let Test { honest: Ppm(honest), cheat: Ppm(cheat), threshold } = self.test;
        let (up, down) = (i128::from(self.test.gain()), i128::from(self.test.loss()));
        let whole = i128::from(Ppm::ONE.0);
        let drift = (i128::from(cheat) * up - (whole - i128::from(cheat)) * down) / whole;
        let audits = (i128::from(threshold) + up) / drift.max(1) + 1;
        let claims = audits * whole / i128::from(self.rate.0.max(1));
        let apart = u64::from(cheat - honest);
        let part = apart * u64::from(Ppm::ONE.0) / POWER.saturating_sub(honest.into()).max(1);
        let part = Ppm(u32::try_from(part).unwrap_or(Ppm::ONE.0).min(Ppm::ONE.0));
        let gain = part.of(supplier.of(self.claim_typical));
        let gain = Amount(gain.0.saturating_mul(claims.unsigned_abs()));
        let slash = self.slash_rate.of(stake);
        if gain >= slash {
            let claims = u64::try_from(claims).unwrap_or(u64::MAX);
            return Err(AuditsRefused::CheatingPays { gain, claims, slash });
        }
        Ok(())
    }

    // What is lost of a cheated coin on average must be more than what is kept of it: rate * power *
    // times > share. In which part of its answers a supplier cheats falls out, so this holds for every
    // part. Larger claims than the stake covers are drawn more often, until they always are.
    fn check_fines(&self, supplier: Ppm, stake: Amount) -> Result<(), AuditsRefused> {
        let whole = u128::from(Ppm::ONE.0);
        let caught = u128::from(self.rate.0) * u128::from(POWER);
        for (name, times) in [("exact", self.fines.exact), ("banded", self.fines.banded)] {
            let share = supplier.0;
            let loses = caught * u128::from(times) / whole;
            if loses <= share.into() {
                let least = (u128::from(share) * whole) / caught.max(1) + 1;
                return Err(AuditsRefused::RareCheatingPays { name, times, share, loses, least });
            }
        }
        let (claim, rate) = (self.claim_typical, self.rate);
        let most = Fault::ALL.map(|fault| self.fines.of(fault, claim));
        let fine = most[0].max(most[1]);
        if rate.of(fine) > stake {
            return Err(AuditsRefused::FineUncovered { claim, fine, rate: rate.0, stake });
        }
        Ok(())
    }

    /// How many sit on a committee of a round, on average.
    pub fn size(&self, round: super::Round) -> u32 {
        match round {
            super::Round::First => self.committee,
            super::Round::Second => self.large_committee,
        }
    }

    /// How many of `auditors` must speak in a round.
    pub fn quorum(&self, round: super::Round, auditors: usize) -> usize {
        committee::quorum(self.size(round), auditors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payout::Shares;
    use expect_test::{Expect, expect};

    fn check(change: impl FnOnce(&mut Params), outcome: &Expect) {
        let mut params = Params::standard();
        change(&mut params);
        let shares = Shares::standard();
        let checked = params.check(shares.audits, shares.supplier, Amount(1_000_000_000));
        let text = checked.map_or_else(|refused| refused.to_string(), |()| "ok".into());
        outcome.assert_eq(&text);
    }

    #[test]
    fn the_shipped_parameters_can_be_had() {
        check(|_| {}, &expect!["ok"]);
    }

    #[test]
    fn neither_guessing_nor_hiding_can_be_made_to_pay() {
        check(
            |p| p.penalties.ringer = Amount(399_999),
            &expect![
                "a verdict earns 20000, and the penalty of ringer is 399999: it must be at least 400000, or guessing pays"
            ],
        );
        check(
            |p| p.penalties.skipped = Amount(0),
            &expect![
                "a verdict earns 20000, and the penalty of skipped is 0: it must be at least 20000, or guessing pays"
            ],
        );
        check(
            |p| p.penalties.unrevealed = Amount(499_999),
            &expect![
                "who does not reveal loses 499999, but what it hides may cost 500000: raise penalties.unrevealed to that"
            ],
        );
        check(
            |p| p.bond_min = Amount(7_999_999),
            &expect!["a bond of 7999999 does not cover 16 penalties of 500000: raise bond_min"],
        );
    }

    #[test]
    fn a_fee_that_the_audits_share_cannot_pay_is_refused() {
        check(
            |p| p.rate = Ppm(600_000),
            &expect![
                "audits of a typical claim cost 36000 on average, but their share of it is 7500: lower the fee, the rate or the committee"
            ],
        );
    }

    #[test]
    fn cheating_until_conviction_cannot_be_made_to_pay() {
        check(
            |p| (p.rate, p.fines) = (Ppm(10_000), Fines { exact: 250, banded: 125 }),
            &expect![
                "a supplier that cheats until it is convicted gains 204816000 in some 3200 claims, but loses 200000000: raise the rate, slash_rate or the least stake"
            ],
        );
    }

    #[test]
    fn cheating_however_rarely_cannot_be_made_to_pay() {
        check(
            |p| p.fines.banded = 20,
            &expect![
                "of each coin that it is paid for cheated answers a supplier keeps 850000 ppm, but loses 850000 ppm with fines.banded = 20: at least 21 are needed, or a higher rate"
            ],
        );
        check(
            |p| p.fines.exact = 0,
            &expect![
                "of each coin that it is paid for cheated answers a supplier keeps 850000 ppm, but loses 0 ppm with fines.exact = 0: at least 21 are needed, or a higher rate"
            ],
        );
        check(
            |p| p.fines.exact = u32::MAX,
            &expect![
                "a typical claim of 250000 is fined with 1073741823750000 in 50000 ppm of cases, more than the least stake of 1000000000 covers: lower fines, or raise the least stake"
            ],
        );
    }

    #[test]
    fn a_second_committee_is_larger_than_the_first() {
        check(
            |p| p.large_committee = 3,
            &expect![
                "a first committee of 3 and a second of 3: the first must be at least 2, the second larger, and at most 64"
            ],
        );
    }
}
