//! Auditors that do not look, hide, skip or collude: what a seat returns to them, by the rules that
//! count verdicts and the parameters' fees and penalties.

use super::Return;
use crate::dice::Dice;
use proto::Address;
use proto::audit::tally::{Completed, Tally, Vote, stands_apart, tally};
use proto::audit::{Identity, Params, Quality, Verdict};

/// How an auditor works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    Honest,
    /// Says of everything that it is well, and looks at nothing.
    Constant,
    /// Says of everything that it is not.
    AlwaysZero,
    Guesses,
    /// Commits, and shows no verdict.
    Hides,
    /// Takes no seat.
    Skips,
    /// Says together with its friends, who are a third, that one supplier in three is a cheat.
    Colludes,
}

/// The habits that are played, and what they are called.
pub const HABITS: [(Habit, &str); 7] = [
    (Habit::Honest, "auditor: honest"),
    (Habit::Constant, "auditor: says that all is well, looks at nothing"),
    (Habit::AlwaysZero, "auditor: says that nothing is well"),
    (Habit::Guesses, "auditor: guesses"),
    (Habit::Hides, "auditor: commits, reveals nothing"),
    (Habit::Skips, "auditor: takes no seat"),
    (Habit::Colludes, "auditors: a third colludes against one supplier in three"),
];

/// How many of a million audited answers fail: bad luck and some cheats, ringers aside.
const FAIL: u64 = 30_000;

/// What so many seats in a market of honest auditors return, for each coin of the least bond.
pub fn returns(params: &Params, seed: u64, seats: u64) -> Vec<Return> {
    let play = |(habit, name): (Habit, &str)| {
        let mut dice = Dice(seed);
        let sum: f64 = (0..seats).map(|_| seat(params, habit, &mut dice)).sum();
        Return::of(name, sum, params.bond_min.0 as f64)
    };
    HABITS.into_iter().map(play).collect()
}

fn says(identity: Identity, quality: u64) -> Verdict {
    Verdict { identity, quality: Quality::new(quality as u32).ok() }
}

fn honest(differs: bool, dice: &mut Dice) -> Verdict {
    match differs {
        true => says(Identity::Differs, 450 + dice.below(80)),
        false => says(Identity::Same, 860 + dice.below(80)),
    }
}

/// What one seat of a first committee brings; where it is disputed a second one has the last word.
fn seat(params: &Params, habit: Habit, dice: &mut Dice) -> f64 {
    let penalties = &params.penalties;
    let planted = dice.chance(params.ringer_rate.0.into());
    let differs = planted || dice.chance(FAIL);
    let victim = !planted && dice.below(3) == 0;
    let own = match habit {
        Habit::Hides => return -(penalties.unrevealed.0 as f64),
        Habit::Skips => return -(penalties.skipped.0 as f64),
        Habit::Honest => honest(differs, dice),
        Habit::Constant => says(Identity::Same, 900),
        Habit::AlwaysZero => says(Identity::Differs, 0),
        Habit::Guesses if dice.below(2) == 0 => says(Identity::Differs, dice.below(1_001)),
        Habit::Guesses => says(Identity::Same, dice.below(1_001)),
        Habit::Colludes if victim => says(Identity::Differs, 100),
        Habit::Colludes => honest(differs, dice),
    };
    let Some(last) = last_word(params, habit, own, (differs, victim), dice) else { return 0.0 };
    let apart = last.leaves_apart(&own, params.tolerance);
    let expected = says(Identity::Differs, 490);
    let fooled = planted && stands_apart(&own, &expected, params.tolerance);
    let lost = [(apart, penalties.outlier), (fooled, penalties.ringer)];
    let lost = lost.iter().filter(|(so, _)| *so).map(|(_, penalty)| penalty.0 as f64);
    params.fee.0 as f64 - lost.sum::<f64>()
}

/// The final verdict of an audit on whose first committee `own` was said.
fn last_word(
    params: &Params,
    habit: Habit,
    own: Verdict,
    (differs, victim): (bool, bool),
    dice: &mut Dice,
) -> Option<Completed> {
    let other = |dice: &mut Dice| {
        // Where a third colludes, every third colleague does.
        match habit == Habit::Colludes && victim && dice.below(3) == 0 {
            true => says(Identity::Differs, 100),
            false => honest(differs, dice),
        }
    };
    let mut votes = vec![own];
    votes.extend((1..params.committee).map(|_| other(dice)));
    let first = counted(&votes, params);
    let disputed = matches!(first, Tally::Completed { disputed: true, .. });
    let last = match disputed || matches!(first, Tally::Lapsed { .. }) {
        true => {
            let votes: Vec<Verdict> = (0..params.large_committee).map(|_| other(dice)).collect();
            counted(&votes, params)
        }
        false => first,
    };
    match last {
        Tally::Completed { outcome, .. } => Some(outcome),
        Tally::Lapsed { .. } => None,
    }
}

fn counted(verdicts: &[Verdict], params: &Params) -> Tally {
    let vote = |(i, verdict): (usize, &Verdict)| Vote {
        auditor: Address([i as u8; 20]),
        verdict: *verdict,
    };
    let votes: Vec<Vote> = verdicts.iter().enumerate().map(vote).collect();
    tally(&votes, 1, params.tolerance)
}
