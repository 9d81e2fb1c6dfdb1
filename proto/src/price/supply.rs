//! How much suppliers can do, so that a minority moves it little by what it says.
//!
//! ```text
//! density = capacity / weight                               of one supplier's offer
//! m       = the median density, by weight
//! supply  = sum of clamp(capacity, m * weight, 2 m * weight)
//! ```
//! A capacity is a declaration: nobody sees what is not offered, and who declares more than it has is
//! found only when it is asked for it. A mere sum of declarations would be moved by whoever declares next
//! to nothing, which raises the price, or more than there is, which lowers it. A stake is no declaration:
//! it brings the work that is drawn by it, and takes it along when it goes. So each stake counts for what
//! the median stake does at least, and for twice that at most. Where offers are alike in density, nothing
//! that suppliers with less than half of all weight declare raises the price; where they are not, the
//! median moves as far as the others' densities lie apart.

use crate::units::Cu;

/// Steps into which a doubling of density is cut: supply is counted too high by 3 % at most.
const STEPS: u32 = 32;

/// How many steps denser than the median an offer counts at most: twice.
const DENSER_MAX: u16 = STEPS as u16;

/// Bits after the point of a density.
const BITS: u32 = 64;

/// How much is offered for a unit of weight: the integer part of `32 log2` of it, between two powers
/// of two on a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Density(u16);

impl Density {
    /// The density of an offer. Who weighs nothing is not drawn and counts for nothing.
    pub fn of(capacity: u64, weight: u64) -> Density {
        let parts = ((u128::from(capacity) << BITS) / u128::from(weight.max(1))).max(1);
        let exponent = parts.ilog2();
        let below = parts << (127 - exponent) << 1;
        let step = (below >> (128 - STEPS.ilog2())) as u32;
        Density((exponent * STEPS + step) as u16)
    }

    /// The density with that number, as it is stored.
    pub fn from_number(number: u16) -> Density {
        Density(number)
    }

    pub fn number(self) -> u16 {
        self.0
    }

    /// What so much weight offers at the upper end of this step, rounded down.
    fn times(self, weight: u64) -> u64 {
        let (exponent, step) = (u32::from(self.0) / STEPS, u32::from(self.0) % STEPS);
        // 2^exponent * (1 + (step + 1) / STEPS).
        let steps = u128::from(weight) * u128::from(STEPS + step + 1);
        let bits = BITS + STEPS.ilog2();
        let cu = match exponent.checked_sub(bits) {
            None => steps.checked_shr(bits - exponent).unwrap_or(0),
            Some(left) if left < steps.leading_zeros() => steps << left,
            Some(_) => u128::MAX,
        };
        u64::try_from(cu).unwrap_or(u64::MAX)
    }
}

/// All offers of one density.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stratum {
    pub weight: u64,
    pub capacity: u128,
}

impl Stratum {
    /// What counts of it where `median` is the median density.
    fn counted(&self, density: Density, median: Density) -> u128 {
        let most = Density(median.0.saturating_add(DENSER_MAX));
        match density {
            // A step is one place: who declares less within it gains nothing.
            low if low <= median => median.times(self.weight).into(),
            high if high > most => most.times(self.weight).into(),
            _ => self.capacity,
        }
    }
}

/// What all can do whose offers, by density from the least on, are given.
pub fn supply(strata: &[(Density, Stratum)]) -> Cu {
    let weights = strata.iter().map(|(_, stratum)| u128::from(stratum.weight));
    let half = weights.sum::<u128>().div_ceil(2).max(1);
    let mut seen = 0;
    let median = strata.iter().find(|(_, stratum)| {
        seen += u128::from(stratum.weight);
        seen >= half
    });
    let Some((median, _)) = median else { return Cu(0) };
    let counted = strata.iter().map(|(density, stratum)| stratum.counted(*density, *median));
    Cu(u64::try_from(counted.fold(0, u128::saturating_add)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Supply of offers of capacity and weight.
    fn of(offers: &[(u64, u64)]) -> u64 {
        let mut strata: Vec<(Density, Stratum)> = offers
            .iter()
            .map(|&(capacity, weight)| {
                (Density::of(capacity, weight), Stratum { weight, capacity: capacity.into() })
            })
            .collect();
        strata.sort_unstable_by_key(|(density, _)| *density);
        supply(&strata).0
    }

    #[test]
    fn suppliers_that_are_alike_have_what_they_declare() {
        for offers in [[(1_000_000, 10); 30], [(77_777, 1_000); 30]] {
            let said = 30 * offers[0].0;
            assert!((said..said + said / 31).contains(&of(&offers)), "{said}: {}", of(&offers));
        }
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[(5, 0)]), 0);
    }

    #[test]
    fn a_minority_that_declares_less_counts_for_what_others_do() {
        let honest = [(1_000_000, 10); 20];
        for capacity in [1, 500_000, 999_999] {
            let supply = of(&[&honest[..], &[(capacity, 10); 10]].concat());
            assert_eq!(supply, of(&[(1_000_000, 10); 30]), "{capacity}");
        }
    }

    #[test]
    fn a_small_stake_that_declares_all_there_is_counts_for_twice_what_others_do() {
        let honest = [(1_000_000, 10); 20];
        let whale = of(&[&honest[..], &[(u64::MAX, 1)]].concat()) - of(&honest);
        assert!((200_000..210_000).contains(&whale), "{whale}");
    }

    proptest! {
        #[test]
        fn a_step_holds_what_falls_into_it(capacity in 1u64.., weight in 1u64..1 << 46) {
            let density = Density::of(capacity, weight);
            prop_assert_eq!(Density::from_number(density.number()), density);
            let (said, exact) = (density.times(weight) as f64, capacity as f64);
            prop_assert!(said >= exact - 1.0 && said <= exact * 33.0 / 32.0 + 1.0, "{said} of {exact}");
        }

        #[test]
        fn more_capacity_is_never_less_dense(a: u64, b: u64, weight in 1u64..) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(Density::of(less, weight) <= Density::of(more, weight));
            prop_assert!(Density::of(less, weight).times(weight) <= Density::of(more, weight).times(weight));
        }
    }
}
