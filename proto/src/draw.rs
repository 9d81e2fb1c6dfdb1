//! Who serves whom: a weighted draw without replacement that everybody can repeat.

use crate::keys::Address;
use crate::seed;
use crate::service::ServiceId;
use crate::units::{Amount, Digest, Height};

/// Where somebody lies on the line of weights: `[start, start + weight)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub start: u64,
    pub weight: u64,
}

/// What a draw is over. It is fixed before its seed is.
#[derive(Clone, Copy, Debug)]
pub struct Ballot<'a> {
    /// The seed of the last block before the session.
    pub seed: &'a Digest,
    pub service: &'a ServiceId,
    pub app: &'a Address,
    pub start: Height,
}

impl Ballot<'_> {
    fn entropy(&self, round: u64) -> Digest {
        seed::hash(
            "lode/draw",
            &[
                &self.seed.0,
                self.service.as_str().as_bytes(),
                &self.app.0,
                &self.start.0.to_be_bytes(),
                &round.to_be_bytes(),
            ],
        )
    }
}

/// Draws up to `count` without replacement, each with a chance in proportion to its weight.
///
/// `total` is the sum of weights; `at` tells who lies at a point of the line `[0, total)`, and where
/// that one's stretch is. `at` is asked once for each one drawn.
pub fn draw<T>(
    ballot: Ballot<'_>,
    count: usize,
    total: u64,
    mut at: impl FnMut(u64) -> Option<(T, Stretch)>,
) -> Vec<T> {
    let mut drawn: Vec<T> = Vec::with_capacity(count);
    // The stretches that are gone, by their start.
    let mut gone: Vec<Stretch> = Vec::with_capacity(count);
    let mut left = total;
    for round in 0..count as u64 {
        if left == 0 {
            break;
        }
        let mut point = seed::below(&ballot.entropy(round), left);
        for stretch in &gone {
            if point >= stretch.start {
                point += stretch.weight;
            }
        }
        let Some((who, stretch)) = at(point) else {
            break;
        };
        left -= stretch.weight.min(left);
        let place = gone.partition_point(|other| other.start < stretch.start);
        gone.insert(place, stretch);
        drawn.push(who);
    }
    drawn
}

/// Stake that makes one unit of weight.
pub const STAKE_PER_WEIGHT: u128 = 1_000;

/// The most that one owner weighs: a roster of 2^16 suppliers must fit 64 bits.
pub const OWNER_WEIGHT_MAX: u64 = 1 << 46;

/// The weight of a supplier in the draw, linear in stake below the owner's cap: splitting a stake
/// over many operators gains nothing.
///
/// `owner_total` is what the owner staked over all its operators. Rounded down.
pub fn weight(stake: Amount, owner_total: Amount, owner_cap: Amount) -> u64 {
    let cap = owner_cap.0.min(u128::from(OWNER_WEIGHT_MAX) * STAKE_PER_WEIGHT);
    let counted = if owner_total.0 <= cap {
        stake.0.min(cap)
    } else {
        // stake * cap / total without overflow: both are cut to 64 bits of precision together.
        let shift = (128 - owner_total.0.leading_zeros()).saturating_sub(64);
        let total = (owner_total.0 >> shift).max(1);
        let part = (stake.0 >> shift).min(total);
        cap * part / total
    };
    u64::try_from(counted / STAKE_PER_WEIGHT).unwrap_or(OWNER_WEIGHT_MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(weights: &[u64]) -> impl FnMut(u64) -> Option<(usize, Stretch)> + '_ {
        move |point| {
            let mut start = 0;
            for (i, &weight) in weights.iter().enumerate() {
                if point < start + weight {
                    return Some((i, Stretch { start, weight }));
                }
                start += weight;
            }
            None
        }
    }

    fn run(seed: u64, count: usize, weights: &[u64]) -> Vec<usize> {
        let seed = seed::hash("test", &[&seed.to_be_bytes()]);
        let service = ServiceId::new("m").unwrap();
        let ballot =
            Ballot { seed: &seed, service: &service, app: &Address([1; 20]), start: Height(10) };
        draw(ballot, count, weights.iter().sum(), line(weights))
    }

    proptest! {
        #[test]
        fn nobody_is_drawn_twice_and_nobody_without_weight(
            seed: u64, count in 0usize..8, weights in prop::collection::vec(0u64..1_000, 0..12)
        ) {
            let mut drawn = run(seed, count, &weights);
            prop_assert!(drawn.iter().all(|&i| weights[i] > 0));
            let eligible = weights.iter().filter(|&&w| w > 0).count();
            prop_assert_eq!(drawn.len(), count.min(eligible));
            drawn.sort_unstable();
            drawn.dedup();
            prop_assert_eq!(drawn.len(), count.min(eligible));
        }

        #[test]
        fn a_stake_that_is_split_weighs_no_more(
            stake in 0u128..1 << 70, cut in 0u32..=1_000_000, cap in 1u128..1 << 60
        ) {
            let one = weight(Amount(stake), Amount(stake), Amount(cap));
            let part = crate::Ppm(cut).of(Amount(stake));
            let rest = Amount(stake - part.0);
            let two = weight(part, Amount(stake), Amount(cap)) + weight(rest, Amount(stake), Amount(cap));
            prop_assert!(two <= one.saturating_add(1), "{two} against {one}");
        }
    }

    #[test]
    fn the_first_place_goes_by_weight() {
        let mut first = [0u32; 3];
        for seed in 0..6_000 {
            first[run(seed, 1, &[1, 2, 3])[0]] += 1;
        }
        for (got, expected) in first.iter().zip([1_000, 2_000, 3_000]) {
            assert!(got.abs_diff(expected) < 150, "{first:?}");
        }
    }
}
