//! Audits of proven usage: who is looked at, by whom, and what follows.
//!
//! ```text
//! proof closes                                                       settle
//!   |-- commit --|-- reveal --|-- commit again --|-- reveal again --|
//!   draw          first committee                second, larger one
//! ```
//! Leaves are drawn by weight from claims that are final, with a seed that is fixed after them: a
//! supplier committed to its answer before anyone could know that it would be looked at. Two
//! questions are asked of each leaf and never mixed: which model ran ([`Identity`]), and how good
//! the answer is ([`Quality`]). Only [`Completed`] audits move a supplier's [`standing`].

pub mod ask;
pub mod auditor;
pub mod case;
pub mod committee;
pub mod exhibit;
pub mod fine;
pub mod params;
pub mod probe;
pub mod quality;
pub mod ruling;
pub mod standing;
pub mod tally;
pub mod verdict;

pub use params::Params;
pub use probe::Audited;
pub use tally::Completed;
pub use verdict::{Identity, Quality, Verdict};

use crate::claim::ClaimRoot;
use crate::keys::Address;
use crate::seed;
use crate::session::Session;
use crate::units::{Digest, Height, Ppm};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One leaf that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub id: Digest,
    pub session_id: Digest,
    pub operator: Address,
    /// The leaf is the one whose stretch of the claim's weights holds this point.
    pub point: u64,
}

/// Which committee is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    First,
    /// The larger committee, whose word replaces the first one's.
    Second,
}

impl Round {
    fn number(self) -> u8 {
        match self {
            Round::First => 1,
            Round::Second => 2,
        }
    }
}

/// The audit of a claim, when it is drawn: `seed` is that of the first height after the proof
/// window. An empty claim has nothing to look at.
pub fn drawn(
    session: &Session,
    root: &ClaimRoot,
    operator: &Address,
    seed: &Digest,
    rate: Ppm,
) -> Option<Audit> {
    let id = seed::hash("lode/audit", &[&seed.0, &session.id.0, &operator.0]);
    let chosen = seed::falls_within(&seed::hash("lode/audit/drawn", &[&id.0]), rate);
    let point = seed::below(&seed::hash("lode/audit/point", &[&id.0]), root.sum.0);
    (chosen && root.sum.0 > 0).then_some(Audit {
        id,
        session_id: session.id,
        operator: *operator,
        point,
    })
}

/// The windows of an audit, in which each height is in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Until its end a committee of the first round may commit.
    pub commit: Range<Height>,
    pub reveal: Range<Height>,
    pub commit_again: Range<Height>,
    pub reveal_again: Range<Height>,
}

/// The fewest blocks in which two committees can commit and reveal.
pub const AUDIT_WINDOW_MIN: u64 = 8;

impl Schedule {
    /// The audit window in four parts; the last one has what division leaves.
    pub fn of(window: &Range<Height>) -> Schedule {
        let quarter = (window.end.0.saturating_sub(window.start.0)) / 4;
        let at = |part: u64| window.start.plus(part * quarter);
        Schedule {
            commit: at(0)..at(1),
            reveal: at(1)..at(2),
            commit_again: at(2)..at(3),
            reveal_again: at(3)..window.end,
        }
    }

    /// When a round takes commitments.
    pub fn commits(&self, round: Round) -> &Range<Height> {
        match round {
            Round::First => &self.commit,
            Round::Second => &self.commit_again,
        }
    }

    /// When a round takes what was committed to.
    pub fn reveals(&self, round: Round) -> &Range<Height> {
        match round {
            Round::First => &self.reveal,
            Round::Second => &self.reveal_again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_of_an_audit_touch_and_fill_it() {
        for length in AUDIT_WINDOW_MIN..40 {
            let window = Height(100)..Height(100 + length);
            let parts = Schedule::of(&window);
            let Schedule { commit, reveal, commit_again, reveal_again } = parts;
            assert_eq!((commit.start, reveal_again.end), (window.start, window.end));
            assert_eq!(
                (commit.end, reveal.end, commit_again.end),
                (reveal.start, commit_again.start, reveal_again.start)
            );
            assert!(reveal_again.end.0 - reveal_again.start.0 >= 2, "{length}");
        }
    }
}
