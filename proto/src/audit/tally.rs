//! What a committee says together: the median of each question, and who stands apart from it.

use super::verdict::{Identity, Quality, Verdict};
use crate::keys::Address;
use serde::{Deserialize, Serialize};

/// A revealed verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub auditor: Address,
    pub verdict: Verdict,
}

/// The verdict of an audit that enough auditors completed. There is no other way to make one than
/// [`tally`], and nothing else moves a supplier's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    verdict: Verdict,
    /// Whether most agree on which model ran.
    agreed: bool,
    /// Whether most scores lie near the median.
    firm: bool,
    /// What three quarters say, or worse.
    surely: Identity,
}

impl Completed {
    /// What was found.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether who said `verdict` stands apart. On a question on which there is no majority nobody
    /// does: a median between two camps is nobody's fault.
    pub fn leaves_apart(&self, verdict: &Verdict, tolerance: Quality) -> bool {
        (self.agreed && contradicts(verdict.identity, self.verdict.identity))
            || (self.firm && far(verdict, &self.verdict, tolerance))
    }

    /// Whether the audit of identity failed.
    pub fn failed(&self) -> bool {
        self.verdict.identity.is_fault()
    }

    /// What at least three quarters of the committee say, or worse.
    pub fn surely(&self) -> Identity {
        self.surely
    }
}

/// What became of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tally {
    Completed {
        outcome: Completed,
        /// Who stands further from the median than is tolerated.
        apart: Vec<Address>,
        /// Whether somebody contradicts the median, with a majority or without.
        disputed: bool,
    },
    /// Too few revealed: nothing is known, and nothing moves.
    Lapsed { revealed: usize, quorum: usize },
}

/// The median of each question over `votes`; where the middle is between two, the one better for the
/// supplier. `tolerance` is how far a quality may lie from the median.
pub fn tally(votes: &[Vote], quorum: usize, tolerance: Quality) -> Tally {
    let mut identities: Vec<Identity> = votes.iter().map(|vote| vote.verdict.identity).collect();
    identities.sort_unstable();
    if votes.len() < quorum.max(1) {
        return Tally::Lapsed { revealed: votes.len(), quorum: quorum.max(1) };
    }
    let identity = identities[(identities.len() - 1) / 2];
    let surely = identities[identities.len() / 4];
    let mut qualities: Vec<Quality> =
        votes.iter().filter_map(|vote| vote.verdict.quality).collect();
    qualities.sort_unstable();
    let quality = qualities.get(qualities.len() / 2).copied();
    let verdict = Verdict { identity, quality };
    let outcome = Completed {
        verdict,
        agreed: most(votes, |said| !contradicts(said.identity, identity)),
        firm: most(votes, |said| !far(said, &verdict, tolerance)),
        surely,
    };
    let apart = votes
        .iter()
        .filter(|vote| outcome.leaves_apart(&vote.verdict, tolerance))
        .map(|vote| vote.auditor)
        .collect();
    let disputed = votes.iter().any(|vote| stands_apart(&vote.verdict, &verdict, tolerance));
    Tally::Completed { outcome, apart, disputed }
}

fn most(votes: &[Vote], so: impl Fn(&Verdict) -> bool) -> bool {
    votes.iter().filter(|vote| so(&vote.verdict)).count() * 2 > votes.len()
}

/// Whether one says that all is well, and the other that it is not. Doubt contradicts nobody, and
/// neither do two faults: a relay can have both.
fn contradicts(one: Identity, other: Identity) -> bool {
    let fits = |one: Identity, other: Identity| one == Identity::Same && other.is_fault();
    fits(one, other) || fits(other, one)
}

/// Whether two qualities lie further apart than is tolerated.
fn far(one: &Verdict, other: &Verdict, tolerance: Quality) -> bool {
    match (one.quality, other.quality) {
        (Some(one), Some(other)) => {
            one.thousandths().abs_diff(other.thousandths()) > tolerance.thousandths()
        }
        (None, _) | (_, None) => false,
    }
}

/// Whether a verdict contradicts what is known, on either question.
pub fn stands_apart(verdict: &Verdict, known: &Verdict, tolerance: Quality) -> bool {
    contradicts(verdict.identity, known.identity) || far(verdict, known, tolerance)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use Identity::{Differs, Same, Unsure, Withheld};
    use proptest::prelude::*;

    fn vote(who: u8, identity: Identity, quality: Option<u32>) -> Vote {
        let quality = quality.map(|n| Quality::new(n).unwrap());
        Vote { auditor: Address([who; 20]), verdict: Verdict { identity, quality } }
    }

    fn of(votes: &[Vote]) -> (Verdict, Vec<Address>) {
        match tally(votes, 1, Quality::new(250).unwrap()) {
            Tally::Completed { outcome, apart, .. } => (outcome.verdict(), apart),
            lapsed @ Tally::Lapsed { .. } => panic!("{lapsed:?}"),
        }
    }

    #[test]
    fn two_thirds_of_honest_auditors_carry_the_median_and_liars_stand_apart() {
        let (verdict, apart) =
            of(&[vote(1, Same, Some(900)), vote(2, Same, Some(880)), vote(3, Differs, Some(0))]);
        assert_eq!(verdict, vote(0, Same, Some(880)).verdict);
        assert_eq!(apart, [Address([3; 20])]);
    }

    #[test]
    fn an_even_committee_that_is_split_decides_for_the_supplier_and_blames_nobody() {
        let votes = [vote(1, Same, Some(900)), vote(2, Withheld, None)];
        let (verdict, apart) = of(&votes);
        assert_eq!((verdict.identity, apart), (Same, vec![]));
        let counted = tally(&votes, 1, Quality::QUARTER);
        assert!(matches!(counted, Tally::Completed { disputed: true, .. }));
        let camps = [500, 520, 540, 900, 950, 1_000].map(|q| vote(q as u8, Same, Some(q)));
        assert_eq!(of(&camps).1, []);
    }

    #[test]
    fn doubt_is_not_punished() {
        let (verdict, apart) = of(&[
            vote(1, Unsure, Some(900)),
            vote(2, Differs, Some(880)),
            vote(3, Differs, Some(890)),
        ]);
        assert_eq!((verdict.identity, apart), (Differs, vec![]));
    }

    #[test]
    fn too_few_votes_decide_nothing() {
        let got = tally(&[vote(1, Differs, None)], 2, Quality::new(250).unwrap());
        assert_eq!(got, Tally::Lapsed { revealed: 1, quorum: 2 });
        assert_eq!(
            tally(&[], 0, Quality::new(0).unwrap()),
            Tally::Lapsed { revealed: 0, quorum: 1 }
        );
    }

    #[test]
    fn a_bill_is_inflated_only_where_half_say_so_or_worse() {
        use Identity::Inflated;
        let said = |identities: [Identity; 3]| {
            let votes = identities.iter().zip(1u8..).map(|(said, who)| vote(who, *said, None));
            of(&votes.collect::<Vec<_>>()).0.identity
        };
        assert_eq!(said([Same, Differs, Inflated]), Differs);
        assert_eq!(said([Same, Inflated, Inflated]), Inflated);
        assert_eq!(said([Differs, Differs, Inflated]), Differs);
        assert_eq!(said([Same, Same, Inflated]), Same);
    }

    proptest! {
        #[test]
        fn fewer_than_half_cannot_convict_nor_move_the_quality_out_of_the_honest_range(
            honest in prop::collection::vec(500u32..=1_000, 1..9), lie in 0u32..=1_000
        ) {
            let liars = (honest.len() - 1) / 2;
            let mut votes: Vec<Vote> =
                honest.iter().enumerate().map(|(i, q)| vote(i as u8, Same, Some(*q))).collect();
            votes.extend((0..liars).map(|i| vote(100 + i as u8, Differs, Some(lie))));
            let (verdict, _) = of(&votes);
            prop_assert_eq!(verdict.identity, Same);
            let got = u32::from(verdict.quality.unwrap().thousandths());
            prop_assert!(got >= *honest.iter().min().unwrap() && got <= *honest.iter().max().unwrap());
        }
    }
}
