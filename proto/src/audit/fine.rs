//! What a confirmed fault costs by itself, whatever the supplier's standing.
//!
//! A sequential test allows everybody some bad luck, and whoever cheats as rarely as that is never
//! told from the honest. So each fault that the first committee and three quarters of the second one found is fined in times
//! of what the audited claim costs. Of a claim that costs `V` a part `f` is cheated: it gains `f V` at
//! most of the supplier's share, is audited with `rate`, the leaf that is drawn by weight is a cheated
//! one with `f`, and that is seen with `power`:
//!
//! ```text
//! f * V * share  <  rate * f * power * times * V      for every f, if times > share / (rate * power)
//! ```
//! `f` and `V` fall out. So no cheated answer pays, however rare, however large, whatever came before
//! it: a strategy that looks at its own standing first gains nothing by that. A claim too large for the
//! least stake to cover its fine is audited as much more often ([`Fines::rate`]).

use super::verdict::Identity;
use crate::units::{Amount, Ppm};
use serde::{Deserialize, Serialize};

/// What a confirmed fault costs, in times of what the audited claim costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fines {
    /// Where the comparison has no bad luck.
    pub exact: u32,
    /// Where it is one within bands, which looks wrong now and then of an honest answer.
    pub banded: u32,
}

/// How a fault was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// By a comparison that has no bad luck, or by nothing being shown over two committees' windows.
    Exact,
    /// By a comparison within bands.
    Banded,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 2] = [Fault::Exact, Fault::Banded];

    /// The fault of which an identity speaks. Another model is one only where it is `judged`.
    pub fn of(surely: Identity, judged: bool) -> Option<Fault> {
        match surely {
            Identity::Same | Identity::Unsure => None,
            Identity::Unlike => judged.then_some(Fault::Banded),
            Identity::Differs => judged.then_some(Fault::Exact),
            Identity::Inflated | Identity::Withheld => Some(Fault::Exact),
        }
    }
}

impl Fines {
    /// Two and a half times what makes cheating lose where nobody has bad luck, and a quarter more than
    /// that where some have.
    pub fn standard() -> Fines {
        Fines { exact: 50, banded: 25 }
    }

    /// What a fault costs in a claim that weighs `worth` in the coin of stakes.
    pub fn of(&self, fault: Fault, worth: Amount) -> Amount {
        let times = match fault {
            Fault::Exact => self.exact,
            Fault::Banded => self.banded,
        };
        Amount(worth.0.saturating_mul(times.into()))
    }

    /// How often a claim that weighs `worth` is audited: as `rate` says, and more often where a supplier
    /// with `stake` could not pay its fine, so that what it loses on average stays as much.
    pub fn rate(&self, rate: Ppm, worth: Amount, stake: Amount) -> Ppm {
        let fine = self.of(Fault::Exact, worth).max(self.of(Fault::Banded, worth));
        if fine <= stake {
            return rate;
        }
        let scaled = fine.0.saturating_mul(rate.0.into()).div_ceil(stake.0.max(1));
        Ppm(u32::try_from(scaled).unwrap_or(Ppm::ONE.0).min(Ppm::ONE.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_whose_fine_the_stake_cannot_cover_is_audited_more_often() {
        let (fines, rate, stake) = (Fines::standard(), Ppm(50_000), Amount(1_000));
        let at = |worth| fines.rate(rate, Amount(worth), stake).0;
        assert_eq!((at(1), at(20), at(21), at(40)), (50_000, 50_000, 52_500, 100_000));
        assert_eq!((at(400), at(u128::MAX)), (1_000_000, 1_000_000));
    }

    #[test]
    fn another_model_is_no_fault_where_nobody_judges_that_and_silence_always_is() {
        for judged in [false, true] {
            let of = |identity| Fault::of(identity, judged);
            assert_eq!(of(Identity::Withheld), Some(Fault::Exact));
            assert_eq!(of(Identity::Inflated), Some(Fault::Exact));
            assert_eq!(of(Identity::Differs), judged.then_some(Fault::Exact));
            assert_eq!(of(Identity::Unlike), judged.then_some(Fault::Banded));
            assert_eq!((of(Identity::Same), of(Identity::Unsure)), (None, None));
        }
    }
}
