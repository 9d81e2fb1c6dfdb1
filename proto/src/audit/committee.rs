//! Who audits: sortition by power, secret until the auditor shows its ticket.
//!
//! For each round of a docket an auditor has one ticket, the verifiable random output of its key over
//! the seed of the round's first height. The ticket and an audit's id say whether it sits on the
//! committee, so nobody else knows before it speaks, and nobody can choose. When it reveals its
//! verdicts it shows the ticket; from then on everybody can compute all duties that it had in that
//! round, also those that it skipped, and nothing of the round that follows. Who shows no ticket has
//! skipped every one.

use super::Round;
use crate::seed;
use crate::units::{Digest, Height};
use crate::vrf::VrfOutput;

/// What a ticket's proof is over.
pub fn ticket_input(seed: &Digest, session_start: Height, round: Round) -> Digest {
    let parts: [&[u8]; 3] = [&seed.0, &session_start.0.to_be_bytes(), &[round.number()]];
    seed::hash("lode/audit/ticket", &parts)
}

/// A part of the whole power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    pub own: u64,
    /// Of all auditors who can sit.
    pub total: u64,
}

/// Whether the holder of a ticket sits on the committee for an audit, when `size` sit on average:
/// its chance is `size * own / total`, and at most one.
pub fn sits(ticket: &VrfOutput, audit: &Digest, round: Round, power: Power, size: u32) -> bool {
    let digest = seed::hash("lode/audit/seat", &[&ticket.0, &audit.0, &[round.number()]]);
    let Power { own, total } = power;
    if total == 0 {
        return false;
    }
    // point / 2^64 < size * own / total, without division.
    let mut high = [0; 8];
    high.copy_from_slice(&digest.0[..8]);
    let wanted = u128::from(size) * u128::from(own);
    if wanted >= u128::from(total) {
        return own > 0;
    }
    let point = u128::from(u64::from_be_bytes(high));
    // point * total < wanted * 2^64: both sides are below 2^128, as wanted < total < 2^64.
    point * u128::from(total) < wanted << 64
}

/// How many must reveal for a verdict to count: most of those who sit on average, or all auditors
/// where there are fewer.
pub fn quorum(size: u32, auditors: usize) -> usize {
    (size as usize / 2 + 1).min(auditors).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(power: Power, size: u32) -> usize {
        let ticket = VrfOutput([7; 64]);
        let audits = (0..20_000u32).map(|i| seed::hash("t", &[&i.to_be_bytes()]));
        audits.filter(|audit| sits(&ticket, audit, Round::First, power, size)).count()
    }

    #[test]
    fn a_seat_comes_by_power() {
        for (own, total, size, expected) in
            [(1, 10, 3, 6_000), (1, 100, 3, 600), (5, 20, 2, 10_000)]
        {
            let got = seats(Power { own, total }, size);
            assert!(got.abs_diff(expected) < 300, "{own}/{total}: {got} against {expected}");
        }
    }

    #[test]
    fn the_only_auditor_always_sits_and_one_without_power_never() {
        assert_eq!(seats(Power { own: u64::MAX, total: u64::MAX }, 1), 20_000);
        assert_eq!(seats(Power { own: 0, total: 10 }, 30), 0);
        assert_eq!(seats(Power { own: 0, total: 0 }, 3), 0);
    }

    #[test]
    fn a_ticket_is_of_one_round_of_one_docket() {
        let (seed, start) = (Digest([1; 32]), Height(7));
        let input = ticket_input(&seed, start, Round::First);
        assert_ne!(input, ticket_input(&seed, start, Round::Second));
        assert_ne!(input, ticket_input(&seed, Height(8), Round::First));
        assert_ne!(input, ticket_input(&Digest([2; 32]), start, Round::First));
    }

    #[test]
    fn each_round_has_a_committee_of_its_own() {
        let (ticket, power) = (VrfOutput([7; 64]), Power { own: 1, total: 2 });
        let same = (0..1_000u32)
            .map(|i| seed::hash("t", &[&i.to_be_bytes()]))
            .filter(|audit| {
                let sits = |round| sits(&ticket, audit, round, power, 1);
                sits(Round::First) == sits(Round::Second)
            })
            .count();
        assert!((400..600).contains(&same), "{same}");
    }
}
