//! Suppliers before committees that all see the same evidence: how rarely the honest are convicted, how
//! soon others are, and what cheating until then returns.

use super::Return;
use crate::dice::Dice;
use proto::audit::case::Stage;
use proto::audit::fine::Fault;
use proto::audit::ruling::{Bench, Foreseen, Reputation, unanimous};
use proto::audit::standing::Test;
use proto::audit::{self, Identity};
use proto::params::Params;
use proto::service::ServiceId;
use proto::{Address, Ppm};

/// How often the audit of a cheated answer fails, in a million.
pub const POWER: u64 = 850_000;

/// How often that of an honest one looks wrong within bands, in a million. Within a kernel class none
/// does.
pub const BAD_LUCK: u64 = 20_000;

/// Audits after which a cheat that was not convicted is followed no longer: at the network's rate
/// those of 40,000 claims.
pub const HORIZON: u64 = 2_000;

/// How a supplier that is not honest goes about it, and how that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// Another model, where comparisons are exact.
    Exact,
    /// Another model, where they are within bands.
    Banded,
    /// Shows nothing of what it cheats in, and all of the rest.
    Hides,
}

impl Cheat {
    pub const ALL: [Cheat; 3] = [Cheat::Exact, Cheat::Banded, Cheat::Hides];

    fn shows(self) -> Identity {
        match self {
            Cheat::Exact => Identity::Differs,
            Cheat::Banded => Identity::Unlike,
            Cheat::Hides => Identity::Withheld,
        }
    }

    /// How often an audit fails of who cheats in `cheats` of a million answers.
    pub fn fails(self, cheats: u64) -> u64 {
        let (power, luck) = match self {
            Cheat::Exact => (POWER, 0),
            Cheat::Banded => (POWER, BAD_LUCK),
            Cheat::Hides => (1_000_000, 0),
        };
        (cheats * power + (1_000_000 - cheats) * luck) / 1_000_000
    }

    fn name(self) -> &'static str {
        match self {
            Cheat::Exact => "cheats in",
            Cheat::Banded => "in a banded service, cheats in",
            Cheat::Hides => "cheats in, and gives out no transcript of,",
        }
    }
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

    /// One audit that fails with so many chances in a million.
    pub fn audit(&mut self, fails: u64, wrong: Identity) -> (Stage, Option<Fault>) {
        let identity = if self.dice.chance(fails) { wrong } else { Identity::Same };
        let bench = Bench { test: &self.test, judged: true };
        let Foreseen { stage, kept, fault } = unanimous(bench, &self.params, &self.kept, identity);
        self.kept = kept;
        (stage, fault)
    }

    /// One audit of a cheat. Gives whether it convicted.
    pub fn convicts(&mut self, fails: u64, wrong: Identity) -> bool {
        self.audit(fails, wrong).0 == Stage::Convicted
    }
}

/// The fewest parts of its answers, in a million, in which the cheat that the parameters' test is made
/// for cheats.
pub fn tested(params: &Params) -> u64 {
    let Test { honest: Ppm(honest), cheat: Ppm(cheat), .. } = params.audits.test;
    let apart = u64::from(cheat - honest) * 1_000_000;
    (apart / POWER.saturating_sub(honest.into()).max(1)).min(1_000_000)
}

/// What a claim that costs what is typical is worth to its supplier, and what it loses by an audit.
struct Stakes {
    stake: f64,
    claim: f64,
    pay: f64,
    slash: f64,
    claims_per_audit: f64,
}

impl Stakes {
    fn of(params: &Params) -> Stakes {
        let audits = &params.audits;
        let (stake, claim) = (params.supplier_stake_min, audits.claim_typical);
        let rate = audits.fines.rate(audits.rate, claim, stake);
        Stakes {
            stake: stake.0 as f64,
            claim: claim.0 as f64,
            pay: params.shares.supplier.of(claim).0 as f64,
            slash: audits.slash_rate.of(stake).0 as f64,
            claims_per_audit: 1e6 / f64::from(rate.0),
        }
    }

    /// What one audit costs, of whose claim nothing is paid then.
    fn lost(&self, params: &Params, (stage, fault): (Stage, Option<Fault>)) -> f64 {
        let claim = proto::Amount(self.claim as u128);
        let fine = fault.map_or(0.0, |fault| params.audits.fines.of(fault, claim).0 as f64);
        let slash = if stage == Stage::Convicted { self.slash.max(fine) } else { fine };
        slash.min(self.stake)
    }
}

/// What cheating in `cheats` of a million answers returns on the least stake, on average over so many
/// careers: the pay of what was cheated, less fines and the slash that ends it. Its claims cost what is
/// typical, and an honest supplier's fines are not counted against it.
pub fn cheating(params: &Params, cheats: u64, how: Cheat, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let mut gained = 0.0;
    for seed in 1..=careers {
        let mut career = Career::new(seed, params.audits.test);
        for _ in 0..HORIZON {
            gained += stakes.claims_per_audit * stakes.pay * cheats as f64 / 1e6;
            let outcome = career.audit(how.fails(cheats), how.shows());
            gained -= stakes.lost(params, outcome);
            if outcome.0 == Stage::Convicted {
                break;
            }
        }
    }
    let name = format!("supplier: {} {} % of its answers", how.name(), cheats as f64 / 1e4);
    Return::of(name, gained / careers as f64, stakes.stake)
}

/// Honest until it is rich: no credit is left for what it cheats then.
pub fn honest_first(params: &Params, audits_before: u64, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let mut gained = 0.0;
    for seed in 1..=careers {
        let mut career = Career::new(seed, params.audits.test);
        for _ in 0..audits_before {
            let outcome = career.audit(0, Identity::Differs);
            assert_eq!(outcome, (Stage::Passed, None), "something was found of the honest");
        }
        for _ in 0..HORIZON {
            gained += stakes.claims_per_audit * stakes.pay;
            let outcome = career.audit(Cheat::Exact.fails(1_000_000), Identity::Differs);
            gained -= stakes.lost(params, outcome);
            if outcome.0 == Stage::Convicted {
                break;
            }
        }
    }
    let name = format!("supplier: honest for {audits_before} audits, then cheats in all");
    Return::of(name, gained / careers as f64, stakes.stake)
}

/// Looks at its own standing, which is public, and cheats only while the score is nothing: so it is
/// hardly ever convicted. What that returns on the least stake.
pub fn watchful(params: &Params, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let mut gained = 0.0;
    for seed in 1..=careers {
        let mut career = Career::new(seed, params.audits.test);
        for _ in 0..HORIZON {
            let cheats = if career.kept.standing.score == 0 { 1_000_000 } else { 0 };
            gained += stakes.claims_per_audit * stakes.pay * cheats as f64 / 1e6;
            let outcome = career.audit(Cheat::Exact.fails(cheats), Identity::Differs);
            gained -= stakes.lost(params, outcome);
        }
    }
    let name = "supplier: cheats in all while its score is nothing, else in none";
    Return::of(name, gained / careers as f64, stakes.stake)
}

/// What fines cost an honest supplier whose audits fail by bad luck with so many chances in a million,
/// for each coin that it earns.
pub fn bad_luck(params: &Params, luck: u64, wrong: Identity, audits: u64) -> Return {
    let stakes = Stakes::of(params);
    let mut career = Career::new(1, params.audits.test);
    let lost: f64 = (0..audits).map(|_| stakes.lost(params, career.audit(luck, wrong))).sum();
    let earned = audits as f64 * stakes.claims_per_audit * stakes.pay;
    let name =
        format!("supplier: honest, {} % of its audits fail by bad luck", luck as f64 / 10_000.0);
    Return::of(name, -lost, earned)
}
