//! How good a supplier's answers are, as the draw of sessions sees it: a lower confidence bound.
//!
//! Scores fade: each audit moves mean and mean square by a part of their distance, so that what was
//! long ago counts little. A supplier begins with an assumed history of good scores, which the first
//! real ones replace.

use super::verdict::{QUALITY_MAX, Quality};
use crate::units::Ppm;
use serde::{Deserialize, Serialize};

/// Moments of a supplier's quality in one service, fading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Mean of the scores, in parts of a million.
    pub mean: u32,
    /// Mean of their squares, in parts of a million.
    pub square: u32,
    /// How many scores these stand for, at most [`MEMORY`].
    pub count: u32,
}

/// How many scores a record stands for once it is full; older ones fade.
pub const MEMORY: u32 = 64;

/// How many scores a new supplier is assumed to have: few, or who is known to be bad would do well to
/// take a new name.
const ASSUMED: u32 = 2;

/// The mean that a new supplier is assumed to have, in parts of a million: what a good one has soon left
/// behind, and a bad one does not gain by.
const ASSUMED_MEAN: u32 = 700_000;

impl Default for Record {
    fn default() -> Record {
        let mean = ASSUMED_MEAN;
        // All assumed scores are alike.
        let square = (u64::from(mean) * u64::from(mean) / 1_000_000) as u32;
        Record { mean, square, count: ASSUMED }
    }
}

impl Record {
    /// The record after one more score.
    pub fn after(self, score: Quality) -> Record {
        let score = i64::from(score.thousandths()) * 1_000_000 / i64::from(QUALITY_MAX);
        let count = (self.count + 1).min(MEMORY);
        let toward = |from: u32, to: i64| {
            let moved = i64::from(from) + (to - i64::from(from)) / i64::from(count);
            u32::try_from(moved.clamp(0, 1_000_000)).unwrap_or(0)
        };
        Record {
            mean: toward(self.mean, score),
            square: toward(self.square, score * score / 1_000_000),
            count,
        }
    }

    /// The mean less two standard errors, and at least a tenth: who is drawn too rarely to show that
    /// it got better would never come back.
    pub fn lower_bound(&self) -> Ppm {
        let mean = u64::from(self.mean);
        let variance = (u64::from(self.square) * 1_000_000).saturating_sub(mean * mean);
        let error = (variance / u64::from(self.count.max(1))).isqrt();
        let low = mean.saturating_sub(2 * error);
        Ppm(u32::try_from(low).unwrap_or(0).max(LOWER_BOUND_MIN))
    }
}

/// No supplier counts for less than this part of its weight.
pub const LOWER_BOUND_MIN: u32 = 100_000;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(scores: impl IntoIterator<Item = u32>) -> Record {
        scores
            .into_iter()
            .fold(Record::default(), |record, score| record.after(Quality::new(score).unwrap()))
    }

    #[test]
    fn good_answers_raise_the_bound_and_bad_ones_lower_it() {
        let start = Record::default().lower_bound();
        let good = with([950; 200]).lower_bound();
        let bad = with([300; 200]).lower_bound();
        assert!(good > start && start > bad, "{good:?} {start:?} {bad:?}");
        assert!(good.0 > 930_000 && bad.0 < 320_000, "{good:?} {bad:?}");
    }

    #[test]
    fn scattered_answers_count_for_less_than_steady_ones_of_the_same_mean() {
        let steady = with([700; 200]).lower_bound();
        let scattered = with([400, 1_000].into_iter().cycle().take(200)).lower_bound();
        assert!(scattered.0 + 40_000 < steady.0, "{scattered:?} {steady:?}");
    }

    #[test]
    fn who_gets_better_comes_back() {
        let scores = [100; 100].into_iter().chain([950; 300]);
        assert!(with(scores).lower_bound().0 > 900_000);
    }

    proptest! {
        #[test]
        fn the_bound_is_never_over_the_best_nor_nothing(scores in prop::collection::vec(0u32..=1_000, 0..300)) {
            let bound = with(scores).lower_bound();
            prop_assert!(bound.0 >= LOWER_BOUND_MIN && bound <= Ppm::ONE);
        }
    }
}
