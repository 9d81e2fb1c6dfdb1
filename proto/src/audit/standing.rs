//! Whether a supplier serves the model that it is paid for: a sequential test with reset.
//!
//! Each completed audit moves a score by its logarithmic likelihood ratio, `ln(p1/p0)` for a failed
//! one and `ln((1-p1)/(1-p0))` for a passed one, and the score never falls below zero (Page's CUSUM,
//! 1954): who has been honest for a year has no credit to cheat with. An honest supplier fails a
//! part `p0` of its audits by bad luck. When the score reaches the threshold, the supplier is under
//! suspicion, and the next larger committee decides.

use super::tally::Completed;
use crate::fixed;
use crate::units::Ppm;
use serde::{Deserialize, Serialize};

/// The test's two hypotheses and where it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// How often an honest supplier's audits fail.
    pub honest: Ppm,
    /// How often those of the cheat fail that must be found first.
    pub cheat: Ppm,
    /// The score at which a supplier is under suspicion, natural logarithm in 2^-16.
    pub threshold: u32,
}

/// Why a test is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestRefused {
    #[error(
        "an honest supplier fails {honest} ppm of its audits and a cheat {cheat}: the first must be at least 1, less than the second, and the second under 1,000,000"
    )]
    Rates { honest: u32, cheat: u32 },
    #[error(
        "the threshold {threshold} is outside {THRESHOLD_MIN}..={THRESHOLD_MAX}: too low convicts the honest, too high nobody"
    )]
    Threshold { threshold: u32 },
}

/// ln(1000) in 2^-16: one false alarm in a thousand at least.
pub const THRESHOLD_MIN: u32 = 452_707;

/// ln(10^9) in 2^-16.
pub const THRESHOLD_MAX: u32 = 1_358_120;

impl Test {
    /// An honest supplier with 2 % of bad luck is suspected within 2,000 audits in under 0.05 % of
    /// cases; one that cheats in 30 % of its answers, seen with a power of 85 %, after some 26.
    pub fn standard() -> Test {
        // 12.75 in 2^-16.
        Test { honest: Ppm(20_000), cheat: Ppm(270_000), threshold: 835_584 }
    }

    /// Whether the test tells honest from dishonest.
    pub fn check(&self) -> Result<(), TestRefused> {
        let Test { honest: Ppm(honest), cheat: Ppm(cheat), threshold } = *self;
        if honest == 0 || honest >= cheat || cheat >= Ppm::ONE.0 {
            return Err(TestRefused::Rates { honest, cheat });
        }
        if !(THRESHOLD_MIN..=THRESHOLD_MAX).contains(&threshold) {
            return Err(TestRefused::Threshold { threshold });
        }
        Ok(())
    }

    /// What a failed audit adds, in 2^-16.
    pub fn gain(&self) -> i64 {
        fixed::ln(self.cheat.0.into()) - fixed::ln(self.honest.0.into())
    }

    /// What a passed audit takes, in 2^-16.
    pub fn loss(&self) -> i64 {
        let passes = |fails: Ppm| fixed::ln(u64::from(Ppm::ONE.0.saturating_sub(fails.0)));
        passes(self.honest) - passes(self.cheat)
    }
}

/// What audits have shown of one supplier in one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The test's score, in 2^-16.
    pub score: u32,
    pub audits: u64,
    pub failures: u64,
    /// How often it was convicted.
    pub convictions: u32,
}

/// What follows of a completed audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    /// The score has reached the threshold.
    Suspected,
}

impl Standing {
    /// The standing after one more completed audit.
    pub fn after(self, outcome: &Completed, test: &Test) -> (Standing, Effect) {
        let step = if outcome.failed() { test.gain() } else { -test.loss() };
        let score = (i64::from(self.score) + step).clamp(0, i64::from(test.threshold));
        let next = Standing {
            score: u32::try_from(score).unwrap_or(test.threshold),
            audits: self.audits.saturating_add(1),
            failures: self.failures.saturating_add(u64::from(outcome.failed())),
            ..self
        };
        let suspected = outcome.failed() && next.score >= test.threshold;
        (next, if suspected { Effect::Suspected } else { Effect::Nothing })
    }

    /// The standing without an audit that turned out to be of a planted answer. What a passed one
    /// took of the score is not given back: that it took as much as it could is not known.
    pub fn without(self, failed: bool, test: &Test) -> Standing {
        let gain = u32::try_from(test.gain()).unwrap_or(0);
        Standing {
            score: if failed { self.score.saturating_sub(gain) } else { self.score },
            audits: self.audits.saturating_sub(1),
            failures: self.failures.saturating_sub(u64::from(failed)),
            ..self
        }
    }

    /// The standing once the larger committee has spoken: either way the test begins anew.
    pub fn decided(self, guilty: bool) -> Standing {
        Standing { score: 0, convictions: self.convictions + u32::from(guilty), ..self }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::audit::tally::{Tally, Vote, tally};
    use crate::audit::verdict::{Identity, Quality, Verdict};
    use crate::keys::Address;
    use proptest::prelude::*;

    fn outcome(failed: bool) -> Completed {
        let identity = if failed { Identity::Differs } else { Identity::Same };
        let verdict = Verdict { identity, quality: None };
        let vote = Vote { auditor: Address([0; 20]), verdict };
        match tally(&[vote], 1, Quality::new(100).unwrap()) {
            Tally::Completed { outcome, .. } => outcome,
            Tally::Lapsed { .. } => unreachable!("one vote is a quorum of one"),
        }
    }

    /// Scores are followed in steps of 2^-8 nats.
    const STEP: u32 = 256;

    /// Of all suppliers that fail a part `rate` of their audits: how many are suspected within
    /// `audits`, and after how many audits on average. The chances of all scores are followed.
    fn suspected(test: &Test, rate: f64, audits: usize) -> (f64, f64) {
        let outcomes = [(outcome(true), rate), (outcome(false), 1.0 - rate)];
        let moves = |place: usize| {
            let from = Standing { score: place as u32 * STEP, ..Standing::default() };
            outcomes.map(|(outcome, part)| (from.after(&outcome, test), part))
        };
        let moves: Vec<_> =
            (0..=test.threshold / STEP).map(|place| moves(place as usize)).collect();
        let mut chances = vec![0.0; moves.len()];
        chances[0] = 1.0;
        let (mut caught, mut waited) = (0.0, 0.0);
        for _ in 0..audits {
            let mut next = vec![0.0; chances.len()];
            for (chance, moves) in chances.iter().zip(&moves).filter(|(chance, _)| **chance > 1e-18)
            {
                waited += chance;
                for ((to, effect), part) in moves {
                    match effect {
                        Effect::Suspected => caught += chance * part,
                        Effect::Nothing => next[(to.score / STEP) as usize] += chance * part,
                    }
                }
            }
            chances = next;
        }
        (caught, waited)
    }

    #[test]
    fn an_honest_supplier_with_bad_luck_is_suspected_in_under_half_a_thousandth_of_2000_audits() {
        let (caught, _) = suspected(&Test::standard(), 0.02, 2_000);
        assert!(caught < 0.000_5, "{caught}");
        assert!(caught > 0.000_05, "{caught}: the test could be sharper");
    }

    #[test]
    fn a_third_of_cheating_is_suspected_after_some_26_audits_and_pure_cheating_after_7() {
        let part = |cheats: f64| 0.85 * cheats + 0.02 * (1.0 - cheats);
        let (_, third) = suspected(&Test::standard(), part(0.3), 400);
        let (_, whole) = suspected(&Test::standard(), part(1.0), 100);
        assert!((20.0..28.0).contains(&third), "{third}");
        assert!(whole < 8.0, "{whole}");
    }

    #[test]
    fn a_year_of_honesty_is_no_credit() {
        let test = Test::standard();
        let mut standing = Standing::default();
        for _ in 0..1_000 {
            standing = standing.after(&outcome(false), &test).0;
        }
        assert_eq!(standing.score, 0);
        let mut needed = 0;
        while standing.after(&outcome(true), &test).1 == Effect::Nothing {
            standing = standing.after(&outcome(true), &test).0;
            needed += 1;
        }
        assert_eq!(needed, 4);
        assert_eq!(standing.decided(true).score, 0);
    }

    #[test]
    fn a_test_that_tells_nothing_is_refused() {
        let standard = Test::standard();
        assert_eq!(standard.check(), Ok(()));
        for bad in [
            Test { honest: Ppm(0), ..standard },
            Test { cheat: standard.honest, ..standard },
            Test { cheat: Ppm::ONE, ..standard },
            Test { threshold: 0, ..standard },
            Test { threshold: u32::MAX, ..standard },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_score_stays_within_its_bounds(
            fails in prop::collection::vec(any::<bool>(), 0..200),
            honest in 1u32..900_000, cheat in 1u32..1_000_000
        ) {
            let test = Test { honest: Ppm(honest), cheat: Ppm(cheat), ..Test::standard() };
            prop_assume!(test.check().is_ok());
            let mut standing = Standing::default();
            for failed in fails {
                standing = standing.after(&outcome(failed), &test).0;
                prop_assert!(standing.score <= test.threshold);
            }
        }
    }
}
