//! Who gets what of a claim.

use crate::units::{Amount, Ppm};
use serde::{Deserialize, Serialize};

/// How the cost of a claim is shared out, in parts of a million. They add up to the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    pub supplier: Ppm,
    pub source: Ppm,
    pub audits: Ppm,
    pub treasury: Ppm,
    pub burn: Ppm,
}

/// Why shares are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharesRefused {
    #[error("the shares add up to {sum} ppm, but must to 1,000,000")]
    NotWhole { sum: u64 },
    #[error(
        "a party that is supplier, source and auditor at once gets {back} ppm back of what it pays itself: it must be less than 1,000,000, or dealing with oneself is free"
    )]
    SelfDealingIsFree { back: u64 },
}

/// What each gets. The parts add up to the cost, to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub supplier: Amount,
    pub source: Amount,
    pub audits: Amount,
    pub treasury: Amount,
    pub burn: Amount,
}

impl Shares {
    /// Supplier 85, source 3, audits 3, treasury 2, burn 7 percent.
    pub fn standard() -> Shares {
        Shares {
            supplier: Ppm(850_000),
            source: Ppm(30_000),
            audits: Ppm(30_000),
            treasury: Ppm(20_000),
            burn: Ppm(70_000),
        }
    }

    /// Whether these shares are the whole, and no set of roles that one party can own gets it all.
    pub fn check(&self) -> Result<(), SharesRefused> {
        let sum = [self.supplier, self.source, self.audits, self.treasury, self.burn]
            .iter()
            .map(|part| u64::from(part.0))
            .sum();
        if sum != u64::from(Ppm::ONE.0) {
            return Err(SharesRefused::NotWhole { sum });
        }
        // Burned coins are nobody's. The treasury is spent by governance: no single party's, in coins
        // that cannot be burned too.
        let back = u64::from(self.supplier.0) + u64::from(self.source.0) + u64::from(self.audits.0);
        if back >= u64::from(Ppm::ONE.0) {
            return Err(SharesRefused::SelfDealingIsFree { back });
        }
        Ok(())
    }

    /// Shares out `cost`: each part is rounded down, and what that leaves is burned.
    pub fn split(&self, cost: Amount) -> Split {
        let supplier = self.supplier.of(cost);
        let source = self.source.of(cost);
        let audits = self.audits.of(cost);
        let treasury = self.treasury.of(cost);
        let given = supplier.0 + source.0 + audits.0 + treasury.0;
        Split { supplier, source, audits, treasury, burn: Amount(cost.0.saturating_sub(given)) }
    }
}

impl Split {
    /// The same where nothing can be burned: the treasury gets what would be.
    pub fn unburned(self) -> Split {
        let treasury = Amount(self.treasury.0.saturating_add(self.burn.0));
        Split { treasury, burn: Amount::ZERO, ..self }
    }
}

/// Divides `amount` by `parts`, each rounded down; the first gets what that leaves.
///
/// `parts` add up to one million; with none, nobody gets anything.
pub fn divide(amount: Amount, parts: &[Ppm]) -> Vec<Amount> {
    let mut amounts: Vec<Amount> = parts.iter().map(|part| part.of(amount)).collect();
    let given: u128 = amounts.iter().map(|part| part.0).sum();
    if let Some(first) = amounts.first_mut() {
        first.0 += amount.0.saturating_sub(given);
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_split_adds_up_to_the_unit(cost in 0u128..1 << 100) {
            let split = Shares::standard().split(Amount(cost));
            let parts = [split.supplier, split.source, split.audits, split.treasury, split.burn];
            prop_assert_eq!(parts.iter().map(|part| part.0).sum::<u128>(), cost);
        }

        #[test]
        fn a_division_gives_out_everything(amount in 0u128..1 << 100, cut in 0u32..=1_000_000) {
            let parts = divide(Amount(amount), &[Ppm(cut), Ppm(1_000_000 - cut)]);
            prop_assert_eq!(parts.iter().map(|part| part.0).sum::<u128>(), amount);
        }
    }

    #[test]
    fn shares_that_pay_a_party_back_in_full_are_refused() {
        let shares = Shares {
            supplier: Ppm(950_000),
            source: Ppm(30_000),
            audits: Ppm(20_000),
            treasury: Ppm(0),
            burn: Ppm(0),
        };
        assert_eq!(shares.check(), Err(SharesRefused::SelfDealingIsFree { back: 1_000_000 }));
    }

    #[test]
    fn shares_that_are_not_the_whole_are_refused() {
        let shares = Shares { burn: Ppm(69_999), ..Shares::standard() };
        assert_eq!(shares.check(), Err(SharesRefused::NotWhole { sum: 999_999 }));
    }
}
