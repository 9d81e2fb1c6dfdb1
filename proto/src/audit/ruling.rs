//! What follows of a round: the audit is decided, or a larger committee is asked.
//!
//! ```text
//! first   nobody spoke ──────────────────────────────> lapsed
//!         too few · disputed · withheld · suspected ─> second committee
//!         failed, where that counts ─────────────────> second committee
//!         otherwise ─────────────────────────────────> passed, standing moved
//! second  too few ───────────────────────────────────> lapsed; a suspicion stays
//!         failed, and the score reaches the threshold > convicted, the test begins anew
//!         failed ────────────────────────────────────> failed, standing moved
//!         passed, where the supplier was suspected ──> cleared, the test begins anew
//!         otherwise ─────────────────────────────────> passed, standing moved
//! ```
//! Where the first committee and three quarters of the second one found a fault, it costs stake by itself
//! ([`Fault`]): that is what makes a rare cheat lose, which no sequential test tells from bad luck.
//! The second committee's word replaces the first one's, so a supplier's standing moves once for an
//! audit, and nobody loses its bond by the word of a few: who is apart, on whatever question, calls
//! the larger committee, and stands apart from that one or does not.

use super::case::{Again, Stage};
use super::committee;
use super::fine::Fault;
use super::quality::Record;
use super::standing::{Effect, Standing, Test};
use super::tally::{Completed, Tally, Vote, tally};
use super::verdict::{Identity, Verdict};
use crate::keys::Address;
use crate::service::ServiceId;
use serde::{Deserialize, Serialize};

/// What audits say of a supplier in one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reputation {
    pub operator: Address,
    pub service: ServiceId,
    pub standing: Standing,
    pub quality: Record,
}

impl Reputation {
    /// That of a supplier that was never audited.
    pub fn new(operator: Address, service: ServiceId) -> Reputation {
        Reputation { operator, service, standing: Standing::default(), quality: Record::default() }
    }
}

/// What became of an audit at the end of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// A larger committee is asked.
    Again(Again),
    /// Too few spoke, and nobody else is asked.
    Lapsed { standing: Standing },
    /// Its verdict is final.
    Final {
        outcome: Completed,
        stage: Stage,
        standing: Standing,
        quality: Record,
        /// What costs the supplier stake whatever its standing.
        fault: Option<Fault>,
    },
}

/// How a service's audits are judged.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    pub test: &'a Test,
    /// Whether another model counts as a failure; a bill that is inflated and a transcript that is
    /// withheld always do.
    pub judged: bool,
}

impl Bench<'_> {
    fn failed(&self, outcome: &Completed) -> bool {
        outcome.failed() && self.counts(outcome)
    }

    /// Where another model does not count, finding one moves nothing.
    fn counts(&self, outcome: &Completed) -> bool {
        use Identity::{Differs, Unlike};
        self.judged || !matches!(outcome.verdict().identity, Differs | Unlike)
    }

    fn moved(&self, standing: Standing, outcome: &Completed) -> (Standing, Effect) {
        match self.counts(outcome) {
            true => standing.after(outcome, self.test),
            false => (standing, Effect::Nothing),
        }
    }

    /// What follows of a first committee's word.
    pub fn first(&self, tally: &Tally, before: &Reputation) -> Ruling {
        let (outcome, disputed) = match tally {
            Tally::Lapsed { revealed: 0, .. } => {
                return Ruling::Lapsed { standing: before.standing };
            }
            Tally::Lapsed { .. } => return Ruling::Again(Again::Lapsed),
            Tally::Completed { outcome, disputed, .. } => (outcome, *disputed),
        };
        if disputed {
            return Ruling::Again(Again::Disputed);
        }
        if outcome.verdict().identity == Identity::Withheld {
            return Ruling::Again(Again::Withheld);
        }
        match self.moved(before.standing, outcome) {
            (_, Effect::Suspected) => Ruling::Again(Again::Suspected),
            _ if self.failed(outcome) => Ruling::Again(Again::Failed),
            (standing, Effect::Nothing) => self.ended(outcome, standing, before, (false, false)),
        }
    }

    /// What follows of a second committee's word. `first` is what the first one's tally was.
    pub fn second(
        &self,
        tally: &Tally,
        first: &Tally,
        again: Again,
        before: &Reputation,
    ) -> Ruling {
        let fined = matches!(first, Tally::Completed { outcome, .. } if self.failed(outcome));
        let outcome = match (tally, first) {
            (Tally::Completed { outcome, .. }, _) => outcome,
            // The suspicion stays: the next failed audit asks a second committee again.
            (Tally::Lapsed { .. }, Tally::Completed { outcome, .. })
                if again == Again::Suspected =>
            {
                let (standing, _) = self.moved(before.standing, outcome);
                return Ruling::Lapsed { standing };
            }
            (Tally::Lapsed { .. }, _) => return Ruling::Lapsed { standing: before.standing },
        };
        match self.moved(before.standing, outcome) {
            (standing, Effect::Suspected) => {
                self.ended(outcome, standing.decided(true), before, (true, fined))
            }
            (standing, Effect::Nothing) if again == Again::Suspected && !self.failed(outcome) => {
                self.ended(outcome, standing.decided(false), before, (false, false))
            }
            (standing, Effect::Nothing) => self.ended(outcome, standing, before, (false, fined)),
        }
    }

    fn ended(
        &self,
        outcome: &Completed,
        standing: Standing,
        before: &Reputation,
        (convicted, fined): (bool, bool),
    ) -> Ruling {
        let verdict = outcome.verdict();
        let stage = match (convicted, self.failed(outcome)) {
            (true, _) => Stage::Convicted,
            (false, true) => Stage::Failed,
            (false, false) => Stage::Passed,
        };
        let quality = verdict.quality.map_or(before.quality, |score| before.quality.after(score));
        let fault =
            Fault::of(outcome.surely(), self.judged).filter(|_| fined && self.failed(outcome));
        Ruling::Final { outcome: *outcome, stage, standing, quality, fault }
    }
}

/// What becomes of a supplier by an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    pub stage: Stage,
    pub kept: Reputation,
    pub fault: Option<Fault>,
}

/// What becomes of a supplier by an audit of which everybody who is asked says the same: for those who
/// want to know ahead of time how soon a cheat is found.
pub fn unanimous(
    bench: Bench<'_>,
    params: &super::Params,
    before: &Reputation,
    identity: Identity,
) -> Foreseen {
    let says = Verdict { identity, quality: None };
    let asked = |size: u32| {
        let votes: Vec<Vote> =
            (0..size).map(|_| Vote { auditor: before.operator, verdict: says }).collect();
        tally(&votes, committee::quorum(size, votes.len()), params.tolerance)
    };
    let first = asked(params.committee);
    let ruling = match bench.first(&first, before) {
        Ruling::Again(again) => bench.second(&asked(params.large_committee), &first, again, before),
        decided @ (Ruling::Lapsed { .. } | Ruling::Final { .. }) => decided,
    };
    match ruling {
        Ruling::Final { stage, standing, quality, fault, .. } => {
            let kept = Reputation { standing, quality, ..before.clone() };
            Foreseen { stage, kept, fault }
        }
        Ruling::Lapsed { standing } => {
            let kept = Reputation { standing, ..before.clone() };
            Foreseen { stage: Stage::Lapsed, kept, fault: None }
        }
        Ruling::Again(_) => Foreseen { stage: Stage::Second, kept: before.clone(), fault: None },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::audit::verdict::Quality;
    use Identity::{Differs, Same, Unlike, Withheld};
    use expect_test::{Expect, expect};

    fn spoken(identities: &[Identity], quorum: usize) -> Tally {
        let vote = |(i, identity): (usize, &Identity)| Vote {
            auditor: Address([i as u8; 20]),
            verdict: Verdict { identity: *identity, quality: None },
        };
        let votes: Vec<Vote> = identities.iter().enumerate().map(vote).collect();
        tally(&votes, quorum, Quality::QUARTER)
    }

    fn reputation(failures: u32) -> Reputation {
        let service = ServiceId::new("m").unwrap();
        let mut one = Reputation::new(Address([9; 20]), service);
        for _ in 0..failures {
            let Tally::Completed { outcome, .. } = spoken(&[Differs], 1) else { unreachable!() };
            one.standing = one.standing.after(&outcome, &Test::standard()).0;
        }
        one
    }

    /// What becomes of an audit on which two committees speak.
    fn check(failures: u32, judged: bool, first: &[Identity], second: &[Identity], says: &Expect) {
        let test = Test::standard();
        let (bench, before) = (Bench { test: &test, judged }, reputation(failures));
        let first = spoken(first, 2);
        let text = |ruling: Ruling| match ruling {
            Ruling::Again(again) => format!("again: {again:?}"),
            Ruling::Lapsed { standing } => format!("lapsed, score {}", standing.score),
            Ruling::Final { stage, standing, fault, .. } => {
                let fault = fault.map_or(String::new(), |fault| format!(", {fault:?} fault"));
                format!("{stage:?}{fault}, score {}", standing.score)
            }
        };
        let ruling = bench.first(&first, &before);
        let mut told = text(ruling);
        if let Ruling::Again(again) = ruling {
            told += "; ";
            told += &text(bench.second(&spoken(second, 5), &first, again, &before));
        }
        says.assert_eq(&told);
    }

    #[test]
    fn a_committee_that_agrees_that_all_is_well_decides_alone() {
        check(0, true, &[Same; 3], &[], &expect!["Passed, score 0"]);
    }

    #[test]
    fn a_fault_is_fined_only_where_three_quarters_of_the_second_committee_see_it_too() {
        check(
            0,
            true,
            &[Differs; 3],
            &[Differs; 9],
            &expect!["again: Failed; Failed, Exact fault, score 170570"],
        );
        check(
            0,
            true,
            &[Unlike; 3],
            &[Unlike; 9],
            &expect!["again: Failed; Failed, Banded fault, score 170570"],
        );
        let sees = |count| [vec![Differs; count], vec![Same; 9 - count]].concat();
        check(
            0,
            true,
            &[Differs; 3],
            &sees(7),
            &expect!["again: Failed; Failed, Exact fault, score 170570"],
        );
        check(0, true, &[Differs; 3], &sees(6), &expect!["again: Failed; Failed, score 170570"]);
        check(0, true, &[Differs; 3], &[Same; 9], &expect!["again: Failed; Passed, score 0"]);
        // A few liars who were found wrong do not become right by luck.
        check(
            0,
            true,
            &[Same, Same, Differs],
            &[Differs; 9],
            &expect!["again: Disputed; Failed, score 170570"],
        );
    }

    #[test]
    fn a_dispute_is_decided_by_the_larger_committee() {
        check(
            0,
            true,
            &[Same, Differs, Differs],
            &[Same; 9],
            &expect!["again: Disputed; Passed, score 0"],
        );
    }

    #[test]
    fn a_withheld_transcript_is_confirmed_first() {
        check(
            0,
            true,
            &[Withheld; 3],
            &[Withheld; 9],
            &expect!["again: Withheld; Failed, Exact fault, score 170570"],
        );
    }

    #[test]
    fn who_would_be_suspected_is_convicted_by_the_second_committee_or_cleared() {
        check(
            4,
            true,
            &[Differs; 3],
            &[Differs; 9],
            &expect!["again: Suspected; Convicted, Exact fault, score 0"],
        );
        check(4, true, &[Differs; 3], &[Same; 9], &expect!["again: Suspected; Passed, score 0"]);
        check(
            4,
            true,
            &[Differs; 3],
            &[Differs; 2],
            &expect!["again: Suspected; lapsed, score 835584"],
        );
    }

    #[test]
    fn a_service_without_a_threshold_convicts_nobody_of_another_model() {
        check(4, false, &[Differs; 3], &[], &expect!["Passed, score 682280"]);
        check(
            4,
            false,
            &[Withheld; 3],
            &[Withheld; 9],
            &expect!["again: Withheld; Convicted, Exact fault, score 0"],
        );
    }

    #[test]
    fn where_nobody_speaks_nothing_is_known() {
        check(4, true, &[], &[], &expect!["lapsed, score 682280"]);
        check(4, true, &[Same], &[Same; 4], &expect!["again: Lapsed; lapsed, score 682280"]);
    }
}
