//! Marks: whole numbers per mille.

use serde::{Deserialize, Serialize};

/// The best mark.
const WHOLE: u16 = 1000;

/// How good an answer is, in `0..=1000`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Mark(u16);

/// A mark beyond the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mark of {0} per mille is more than the whole: marks are in 0..=1000")]
pub struct MarkTooHigh(pub u16);

impl Mark {
    pub const BEST: Mark = Mark(WHOLE);

    /// A share of one as a mark, rounded down; what is no number, or out of `[0, 1]`, is the mark
    /// at that end.
    pub fn of_share(share: f64) -> Mark {
        // A cast takes what is no number as nothing.
        Mark((share.clamp(0.0, 1.0) * f64::from(WHOLE)) as u16)
    }

    pub fn per_mille(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Mark {
    type Error = MarkTooHigh;

    fn try_from(per_mille: u16) -> Result<Mark, MarkTooHigh> {
        if per_mille <= WHOLE { Ok(Mark(per_mille)) } else { Err(MarkTooHigh(per_mille)) }
    }
}

impl From<Mark> for u16 {
    fn from(mark: Mark) -> u16 {
        mark.0
    }
}

/// `lambda * judge + (1 - lambda) * cross`, rounded down once.
pub fn quality(judge: Mark, cross: Mark, lambda: Mark) -> Mark {
    let (whole, lambda) = (u32::from(WHOLE), u32::from(lambda.0));
    let sum = lambda * u32::from(judge.0) + (whole - lambda) * u32::from(cross.0);
    Mark((sum / whole) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(per_mille: u16) -> Mark {
        Mark::try_from(per_mille).unwrap()
    }

    #[test]
    fn quality_lies_between_its_two_marks_and_is_each_at_its_end() {
        for (judge, cross, lambda, expected) in [
            (900, 100, 0, 100),
            (900, 100, 1000, 900),
            (900, 100, 500, 500),
            (1000, 1000, 333, 1000),
            (1, 0, 999, 0),
        ] {
            let got = quality(mark(judge), mark(cross), mark(lambda));
            assert_eq!(got.per_mille(), expected, "{judge} {cross} {lambda}");
        }
    }

    #[test]
    fn a_share_becomes_a_mark_whatever_it_is() {
        for (share, expected) in [(0.9999, 999), (1.0, 1000), (7.0, 1000), (-1.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(Mark::of_share(share).per_mille(), expected);
        }
        assert_eq!(Mark::try_from(1001), Err(MarkTooHigh(1001)));
    }
}
