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

    /// How often an audit of a cheated answer fails, and of an honest one.
    fn chances(self) -> (u64, u64) {
        match self {
            Cheat::Exact => (POWER, 0),
            Cheat::Banded => (POWER, BAD_LUCK),
            Cheat::Hides => (1_000_000, 0),
        }
    }

    /// How often an audit fails of who cheats in `cheats` of a million answers.
    pub fn fails(self, cheats: u64) -> u64 {
        let (power, luck) = self.chances();
        (cheats * power + (1_000_000 - cheats) * luck) / 1_000_000
    }

    fn fault(self) -> Fault {
        match self {
            Cheat::Exact | Cheat::Hides => Fault::Exact,
            Cheat::Banded => Fault::Banded,
        }
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
        let service = ServiceId::new("m").expect("it is a name");
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

    fn fine(&self, params: &Params, fault: Fault) -> f64 {
        let claim = proto::Amount(self.claim as u128);
        params.audits.fines.of(fault, claim).min(params.supplier_stake_min).0 as f64
    }

    /// What the claims of one audit bring who cheats in `cheats` of a million answers, less what it is
    /// fined on average beyond what an honest supplier is.
    fn between_audits(&self, params: &Params, how: Cheat, cheats: u64) -> f64 {
        let pay = self.claims_per_audit * self.pay * cheats as f64 / 1e6;
        let more = how.fails(cheats).saturating_sub(how.fails(0)) as f64 / 1e6;
        pay - more * self.fine(params, how.fault())
    }
}

/// What cheating in `cheats` of a million answers returns on the least stake, on average over so many
/// careers: the pay of what was cheated, less fines and the slash that ends it. Its claims cost what is
/// typical. Fines are counted by their average, beyond an honest supplier's; convictions as they fall.
pub fn cheating(params: &Params, cheats: u64, how: Cheat, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let gained: f64 =
        (1..=careers).map(|seed| stakes.career(params, (seed, 0), how, |_| cheats)).sum();
    let name = format!("supplier: {} {} % of its answers", how.name(), cheats as f64 / 1e4);
    Return::of(name, gained / careers as f64, stakes.stake)
}

/// Honest until it is rich: no credit is left for what it cheats then.
pub fn honest_first(params: &Params, audits_before: u64, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let one = |seed| stakes.career(params, (seed, audits_before), Cheat::Exact, |_| 1_000_000);
    let gained: f64 = (1..=careers).map(one).sum();
    let name = format!("supplier: honest for {audits_before} audits, then cheats in all");
    Return::of(name, gained / careers as f64, stakes.stake)
}

/// Looks at its own standing, which is public, and cheats only while the score is nothing: so it is
/// hardly ever convicted. What that returns on the least stake.
pub fn watchful(params: &Params, careers: u64) -> Return {
    let stakes = Stakes::of(params);
    let cheats = |score| if score == 0 { 1_000_000 } else { 0 };
    let one = |seed| stakes.career(params, (seed, 0), Cheat::Exact, cheats);
    let gained: f64 = (1..=careers).map(one).sum();
    let name = "supplier: cheats in all while its score is nothing, else in none";
    Return::of(name, gained / careers as f64, stakes.stake)
}

impl Stakes {
    /// What one career brings: of each audit `cheats` says by the score in how many of a million answers
    /// the supplier cheats before it.
    fn career(
        &self,
        params: &Params,
        (seed, honest): (u64, u64),
        how: Cheat,
        cheats: impl Fn(u32) -> u64,
    ) -> f64 {
        let mut career = Career::new(seed, params.audits.test);
        for _ in 0..honest {
            let outcome = career.audit(0, how.shows());
            assert_eq!(outcome, (Stage::Passed, None), "something was found of the honest");
        }
        let mut gained = 0.0;
        for _ in 0..HORIZON {
            let cheats = cheats(career.kept.standing.score);
            gained += self.between_audits(params, how, cheats);
            if career.convicts(how.fails(cheats), how.shows()) {
                // The fine was counted; a slash that is more takes the rest.
                return gained - (self.slash - self.fine(params, how.fault())).max(0.0);
            }
        }
        gained
    }
}

/// What fines cost an honest supplier whose audits fail by bad luck with so many chances in a million,
/// for each coin that it earns.
pub fn bad_luck(params: &Params, luck: u64, wrong: Identity, audits: u64) -> Return {
    let stakes = Stakes::of(params);
    let mut career = Career::new(1, params.audits.test);
    let mut lost = 0.0;
    for _ in 0..audits {
        let (stage, fault) = career.audit(luck, wrong);
        let fine = fault.map_or(0.0, |fault| stakes.fine(params, fault));
        lost += if stage == Stage::Convicted { stakes.slash.max(fine) } else { fine };
    }
    let earned = audits as f64 * stakes.claims_per_audit * stakes.pay;
    let name =
        format!("supplier: honest, {} % of its audits fail by bad luck", luck as f64 / 10_000.0);
    Return::of(name, -lost, earned)
}
