//! Suppliers before committees that all see the same evidence: how rarely the honest are convicted, how
//! soon others are, and what cheating until then returns.

use super::Return;
use crate::dice::Dice;
use proto::audit::case::Stage;
use proto::audit::ruling::{Bench, Reputation, unanimous};
use proto::audit::standing::Test;
use proto::audit::{self, Identity};
use proto::params::Params;
use proto::service::ServiceId;
use proto::{Address, Ppm};

/// How often the audit of a cheated answer fails, and that of an honest one, in a million.
pub const POWER: u64 = 850_000;
pub const BAD_LUCK: u64 = 20_000;

/// Audits after which a cheat that was not convicted is followed no longer: at the network's rate
/// those of 40,000 claims.
pub const HORIZON: u64 = 2_000;

/// A test that is made for rarer cheats than the network's: it finds those sooner and frequent ones
/// later, and suspects the honest as rarely. The chain accepts it.
pub fn for_rare_cheats() -> Test {
    // 10 in 2^-16.
    Test { honest: Ppm(20_000), cheat: Ppm(50_000), threshold: 655_360 }
}

/// A supplier before its committees.
pub struct Career {
    dice: Dice,
    test: Test,
    params: audit::Params,
    kept: Reputation,
}

impl Career {
    pub fn new(seed: u64, test: Test) -> Career {
        let service = ServiceId::new("m").unwrap();
        let kept = Reputation::new(Address([1; 20]), service);
        Career { dice: Dice(seed), test, params: audit::Params::standard(), kept }
    }

    /// One audit that fails with so many chances in a million. Gives whether it convicted.
    pub fn audit(&mut self, fails: u64, wrong: Identity) -> bool {
        let identity = if self.dice.chance(fails) { wrong } else { Identity::Same };
        let bench = Bench { test: &self.test, judged: true };
        let (stage, kept) = unanimous(bench, &self.params, &self.kept, identity);
        self.kept = kept;
        stage == Stage::Convicted
    }
}

/// How often an audit fails of who cheats in `cheats` of a million answers.
pub fn fails(cheats: u64) -> u64 {
    (cheats * POWER + (1_000_000 - cheats) * BAD_LUCK) / 1_000_000
}

/// Audits until who cheats in `cheats` of a million answers is convicted, if it is within `horizon`.
pub fn until_conviction(
    test: Test,
    seed: u64,
    cheats: u64,
    wrong: Identity,
    horizon: u64,
) -> Option<u64> {
    let mut career = Career::new(seed, test);
    (1..=horizon).find(|_| career.audit(fails(cheats), wrong))
}

/// The fewest parts of its answers, in a million, in which the cheat that the parameters' test is made
/// for cheats: who cheats in less is found late or never, by any test that spares the honest.
pub fn tested(params: &Params) -> u64 {
    let Test { honest: Ppm(honest), cheat: Ppm(cheat), .. } = params.audits.test;
    let apart = u64::from(cheat - honest) * 1_000_000;
    (apart / POWER.saturating_sub(honest.into()).max(1)).min(1_000_000)
}

/// What cheating in `cheats` of a million answers returns on the least stake, on average over so many
/// careers: the pay of what was cheated, less the slash. Its claims cost what is typical.
pub fn cheating(params: &Params, cheats: u64, wrong: Identity, careers: u64) -> Return {
    let audits = &params.audits;
    let stake = params.supplier_stake_min.0 as f64;
    let slash = audits.slash_rate.of(params.supplier_stake_min).0 as f64;
    let pay = params.shares.supplier.of(audits.claim_typical).0 as f64;
    let mut gained = 0.0;
    for seed in 1..=careers {
        let found = until_conviction(audits.test, seed, cheats, wrong, HORIZON);
        let claims = found.unwrap_or(HORIZON) as f64 * 1e6 / f64::from(audits.rate.0);
        gained += claims * pay * cheats as f64 / 1e6;
        gained -= if found.is_some() { slash } else { 0.0 };
    }
    let how = if wrong == Identity::Withheld { "gives out no transcript of" } else { "cheats in" };
    let name = format!("supplier: {how} {} % of its answers", cheats as f64 / 1e4);
    Return::of(name, gained / careers as f64, stake)
}

/// Honest until it is rich: no credit is left for what it cheats then.
pub fn honest_first(params: &Params, audits_before: u64, careers: u64) -> Return {
    let audits = &params.audits;
    let pay = params.shares.supplier.of(audits.claim_typical).0 as f64;
    let slash = audits.slash_rate.of(params.supplier_stake_min).0 as f64;
    let mut gained = 0.0;
    for seed in 1..=careers {
        let mut career = Career::new(seed, audits.test);
        for _ in 0..audits_before {
            assert!(!career.audit(0, Identity::Differs), "convicted of nothing");
        }
        let found = (1..=HORIZON).find(|_| career.audit(fails(1_000_000), Identity::Differs));
        gained += found.unwrap_or(HORIZON) as f64 * 1e6 / f64::from(audits.rate.0) * pay;
        gained -= if found.is_some() { slash } else { 0.0 };
    }
    let name = format!("supplier: honest for {audits_before} audits, then cheats in all");
    Return::of(name, gained / careers as f64, params.supplier_stake_min.0 as f64)
}
