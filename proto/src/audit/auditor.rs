//! Auditors: validators with a bond, what they missed, and what that costs.

use super::committee::{Power, sits};
use super::{Params, Round};
use crate::keys::Address;
use crate::units::{Amount, Digest, Height};
use crate::vrf::VrfOutput;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A validator's bond as an auditor, and what became of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auditor {
    pub address: Address,
    pub bond: Amount,
    pub leaving: bool,
    /// When the bond returns, while leaving.
    pub until: Height,
    /// Fees so far.
    pub earned: Amount,
    /// Penalties so far.
    pub lost: Amount,
    pub verdicts: u64,
    pub apart: u64,
    pub unrevealed: u64,
    pub skipped: u64,
}

impl Auditor {
    /// Somebody without a bond yet.
    pub fn new(address: Address) -> Auditor {
        Auditor {
            address,
            bond: Amount::ZERO,
            leaving: false,
            until: Height(0),
            earned: Amount::ZERO,
            lost: Amount::ZERO,
            verdicts: 0,
            apart: 0,
            unrevealed: 0,
            skipped: 0,
        }
    }

    /// Whether it can sit from the next session on.
    pub fn can_sit(&self, params: &Params) -> bool {
        !self.leaving && self.bond >= params.bond_min
    }

    /// Takes a penalty of the bond, as far as it goes. Gives what was taken.
    pub fn lose(&mut self, penalty: Amount) -> Amount {
        let taken = penalty.min(self.bond);
        self.bond = self.bond.saturating_sub(taken);
        self.lost = Amount(self.lost.0.saturating_add(taken.0));
        taken
    }
}

/// What an auditor did not do in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Commitments without a verdict.
    pub unrevealed: u64,
    /// Seats without a commitment.
    pub skipped: u64,
}

/// What is known of an auditor at the end of a round.
pub struct Attendance<'a> {
    /// Its ticket, if it showed one.
    pub ticket: Option<&'a VrfOutput>,
    pub power: Power,
    /// What it revealed a verdict of.
    pub revealed: &'a BTreeSet<Digest>,
    /// What it committed to and did not reveal.
    pub hidden: &'a BTreeSet<Digest>,
}

impl Missed {
    /// What an auditor missed of `audits`, for each of which a committee of `size` was asked. A
    /// ticket says what its duties were. Who shows none is taken to have had as many as its power
    /// gives on average, rounded up: hiding a ticket gains nothing, and without any chance to sit
    /// nothing is missed.
    pub fn of(attended: &Attendance<'_>, audits: &[Digest], round: Round, size: u32) -> Missed {
        let unrevealed = attended.hidden.len() as u64;
        let Some(ticket) = attended.ticket else {
            let due = expected(attended.power, size, audits.len());
            return Missed { unrevealed, skipped: due.saturating_sub(unrevealed) };
        };
        let idle = |audit: &&Digest| {
            !attended.revealed.contains(audit)
                && !attended.hidden.contains(audit)
                && sits(ticket, audit, round, attended.power, size)
        };
        Missed { unrevealed, skipped: audits.iter().filter(idle).count() as u64 }
    }

    /// What that costs.
    pub fn penalty(&self, params: &Params) -> Amount {
        let times = |penalty: Amount, count: u64| penalty.0.saturating_mul(count.into());
        let unrevealed = times(params.penalties.unrevealed, self.unrevealed);
        Amount(unrevealed.saturating_add(times(params.penalties.skipped, self.skipped)))
    }

    /// Whether nothing was missed.
    pub fn is_none(&self) -> bool {
        *self == Missed::default()
    }
}

/// The seats that `power` gives on average in committees of `size` for `audits`, rounded up.
fn expected(power: Power, size: u32, audits: usize) -> u64 {
    let (own, total) = (u128::from(power.own), u128::from(power.total));
    if total == 0 {
        return 0;
    }
    let wanted = (u128::from(size) * own).min(total);
    // Below 2^64 times a docket's bound.
    let seats = (wanted * audits as u128).div_ceil(total);
    u64::try_from(seats).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    fn audits(count: u32) -> Vec<Digest> {
        (0..count).map(|i| seed::hash("t", &[&i.to_be_bytes()])).collect()
    }

    fn missed(
        ticket: Option<&VrfOutput>,
        own: u64,
        revealed: &[Digest],
        hidden: &[Digest],
    ) -> Missed {
        let (revealed, hidden) =
            (revealed.iter().copied().collect(), hidden.iter().copied().collect());
        let power = Power { own, total: 10 };
        let attended = Attendance { ticket, power, revealed: &revealed, hidden: &hidden };
        Missed::of(&attended, &audits(20), Round::First, 3)
    }

    #[test]
    fn who_shows_no_ticket_missed_what_its_power_gives_on_average() {
        assert_eq!(missed(None, 1, &[], &[]).skipped, 6);
        assert_eq!(missed(None, 10, &[], &[]).skipped, 20);
        assert_eq!(missed(None, 0, &[], &[]), Missed::default());
        let hidden = &audits(20)[..2];
        assert_eq!(missed(None, 1, &[], hidden), Missed { unrevealed: 2, skipped: 4 });
    }

    #[test]
    fn a_ticket_says_which_seats_were_left_empty() {
        let ticket = VrfOutput([7; 64]);
        let power = Power { own: 3, total: 10 };
        let (seats, free): (Vec<Digest>, Vec<Digest>) =
            audits(20).iter().partition(|audit| sits(&ticket, audit, Round::First, power, 3));
        assert!(!seats.is_empty() && !free.is_empty());
        assert_eq!(missed(Some(&ticket), 3, &seats, &[]), Missed::default());
        assert_eq!(missed(Some(&ticket), 3, &seats[1..], &[]).skipped, 1);
        assert_eq!(missed(Some(&ticket), 3, &seats[1..], &seats[..1]).unrevealed, 1);
        // A commitment where it had no seat can never be revealed.
        assert_eq!(missed(Some(&ticket), 3, &seats, &free[..1]).unrevealed, 1);
    }
}
