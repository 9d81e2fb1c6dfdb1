//! What an auditor says, and how it commits to it before others speak.

use crate::keys::Address;
use crate::seed;
use crate::units::Digest;
use serde::{Deserialize, Serialize};

/// Which model ran? In the order in which a median is taken: doubt counts for the supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The listed one.
    Same,
    /// The evidence does not say: no test of this service has the power.
    Unsure,
    /// Another one, by a comparison within bands: where rounding differs, bad luck can say so too.
    Unlike,
    /// Another one, or another text than was receipted, by an exact comparison: within a kernel class
    /// an honest answer comes out again to the last bit.
    Differs,
    /// More was billed than the listed tokenizer counts over prompt and delivered text.
    Inflated,
    /// The transcript or its evidence was not given out.
    Withheld,
}

impl Identity {
    /// Whether the supplier did not do what it is paid for, or not so that it can be seen.
    pub fn is_fault(self) -> bool {
        use Identity::{Differs, Inflated, Same, Unlike, Unsure, Withheld};
        match self {
            Same | Unsure => false,
            Unlike | Differs | Inflated | Withheld => true,
        }
    }
}

/// How good the answer is, in thousandths: `lambda * judge + (1 - lambda) * cross-encoder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quality(u16);

/// The best quality.
pub const QUALITY_MAX: u16 = 1_000;

/// A quality beyond the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quality is 0 to {QUALITY_MAX} thousandths, not {0}")]
pub struct BadQuality(pub u32);

impl Quality {
    /// A quarter of the whole.
    pub const QUARTER: Quality = Quality(QUALITY_MAX / 4);

    /// So many thousandths.
    pub fn new(thousandths: u32) -> Result<Quality, BadQuality> {
        match u16::try_from(thousandths) {
            Ok(fits) if fits <= QUALITY_MAX => Ok(Quality(fits)),
            _ => Err(BadQuality(thousandths)),
        }
    }

    /// In thousandths.
    pub fn thousandths(self) -> u16 {
        self.0
    }

    /// Two scores of one answer as one: `lambda` thousandths of the judge's, the rest of the
    /// cross-encoder's, rounded down.
    pub fn combined(judge: Quality, cross: Quality, lambda: Quality) -> Quality {
        let (judge, cross, lambda) = (u32::from(judge.0), u32::from(cross.0), u32::from(lambda.0));
        let most = u32::from(QUALITY_MAX);
        Quality(((lambda * judge + (most - lambda) * cross) / most) as u16)
    }
}

/// What one auditor says of one audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub identity: Identity,
    /// None where there was nothing to read.
    pub quality: Option<Quality>,
}

impl Verdict {
    pub(super) fn bytes(&self) -> [u8; 3] {
        let identity = match self.identity {
            Identity::Same => 1,
            Identity::Unsure => 2,
            Identity::Differs => 3,
            Identity::Withheld => 4,
            Identity::Inflated => 5,
            Identity::Unlike => 6,
        };
        let quality = self.quality.map_or(u16::MAX, Quality::thousandths).to_be_bytes();
        [identity, quality[0], quality[1]]
    }

    /// What is committed to: nobody can find the verdict without the salt, and no other auditor can
    /// use the commitment as its own.
    pub fn commitment(&self, salt: &Digest, auditor: &Address, audit: &Digest) -> Digest {
        seed::hash("lode/audit/commit", &[&salt.0, &auditor.0, &audit.0, &self.bytes()])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_commitment_is_of_one_auditor_one_audit_and_one_verdict() {
        let verdict = Verdict { identity: Identity::Same, quality: Some(Quality(900)) };
        let (salt, audit) = (Digest([1; 32]), Digest([2; 32]));
        let commitment = verdict.commitment(&salt, &Address([3; 20]), &audit);
        let others = [
            Verdict { quality: None, ..verdict }.commitment(&salt, &Address([3; 20]), &audit),
            Verdict { identity: Identity::Unsure, ..verdict }.commitment(
                &salt,
                &Address([3; 20]),
                &audit,
            ),
            verdict.commitment(&salt, &Address([4; 20]), &audit),
            verdict.commitment(&salt, &Address([3; 20]), &Digest([9; 32])),
            verdict.commitment(&Digest([9; 32]), &Address([3; 20]), &audit),
        ];
        assert!(others.iter().all(|other| *other != commitment));
    }

    proptest! {
        #[test]
        fn a_combined_score_lies_between_its_two(judge in 0u32..=1_000, cross in 0u32..=1_000, lambda in 0u32..=1_000) {
            let of = |n| Quality::new(n).unwrap();
            let both = Quality::combined(of(judge), of(cross), of(lambda));
            prop_assert!(both >= of(judge.min(cross)) && both <= of(judge.max(cross)));
        }
    }
}
