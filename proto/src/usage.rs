//! What a completion used, and what that weighs.

use crate::units::Cu;
use serde::{Deserialize, Serialize};

/// Tokens of one completion, counted with the listed tokenizer over the prompt after its template
/// and over the delivered text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that had to be read.
    pub fresh_in: u64,
    /// Prompt tokens that were still in the supplier's cache.
    pub cached_in: u64,
    /// Tokens of the delivered text.
    pub out: u64,
}

/// Compute units for one token of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CuWeights {
    pub fresh_in: u32,
    pub cached_in: u32,
    pub out: u32,
}

/// Usage that weighs more than can be counted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} weighs more than {max} compute units", max = u64::MAX)]
pub struct TooHeavy(pub Usage);

impl CuWeights {
    /// `fresh_in * w1 + cached_in * w2 + out * w3`.
    pub fn weigh(self, usage: Usage) -> Result<Cu, TooHeavy> {
        let part = |tokens: u64, weight: u32| u128::from(tokens) * u128::from(weight);
        let sum = part(usage.fresh_in, self.fresh_in)
            + part(usage.cached_in, self.cached_in)
            + part(usage.out, self.out);
        u64::try_from(sum).map(Cu).map_err(|_| TooHeavy(usage))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const WEIGHTS: CuWeights = CuWeights { fresh_in: 2, cached_in: 1, out: 8 };

    #[test]
    fn usage_weighs_the_sum_of_its_parts() {
        let usage = Usage { fresh_in: 10, cached_in: 5, out: 3 };
        assert_eq!(WEIGHTS.weigh(usage).unwrap(), Cu(20 + 5 + 24));
    }

    #[test]
    fn usage_beyond_counting_is_refused_and_does_not_wrap() {
        let usage = Usage { fresh_in: u64::MAX, cached_in: u64::MAX, out: u64::MAX };
        assert_eq!(WEIGHTS.weigh(usage), Err(TooHeavy(usage)));
    }
}
