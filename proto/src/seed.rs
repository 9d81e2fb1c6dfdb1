//! Randomness that nobody chooses: a chain of seeds, one for each height.
//!
//! `seed(h) = H(seed(h-1), sorted VRF outputs of the validators)`. Anything that is drawn from a
//! seed uses one that is fixed after the thing it is drawn over.

use crate::units::{Digest, Height, Ppm};
use crate::vrf::VrfOutput;
use sha2::{Digest as _, Sha256};

/// SHA-256 over `domain` and `parts`, each behind its length: no two lists give the same bytes.
pub fn hash(domain: &str, parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Digest(hasher.finalize().into())
}

/// The seed of the first block of a chain.
pub fn first(chain_id: &str) -> Digest {
    hash("lode/seed/first", &[chain_id.as_bytes()])
}

/// What the validators' VRF is evaluated over for the seed after `previous`.
pub fn vrf_input(previous: &Digest, height: Height) -> Vec<u8> {
    hash("lode/seed/vrf", &[&previous.0, &height.0.to_be_bytes()]).0.to_vec()
}

/// The seed that follows `previous`, given the validators' outputs in any order.
pub fn next(previous: &Digest, outputs: &[VrfOutput]) -> Digest {
    let mut sorted: Vec<&[u8]> = outputs.iter().map(|output| output.0.as_slice()).collect();
    sorted.sort_unstable();
    let mut parts: Vec<&[u8]> = vec![&previous.0];
    parts.extend(sorted);
    hash("lode/seed/next", &parts)
}

/// A number below `bound`, drawn from a hash; 0 when `bound` is 0.
///
/// 128 bits are reduced, so no value is preferred by more than one part in 2^64.
pub fn below(digest: &Digest, bound: u64) -> u64 {
    let mut high = [0; 16];
    high.copy_from_slice(&digest.0[..16]);
    let number = u128::from_be_bytes(high);
    u64::try_from(number.checked_rem(u128::from(bound)).unwrap_or(0)).unwrap_or(0)
}

/// Whether something with this hash is drawn when a part `rate` of all is.
pub fn falls_within(digest: &Digest, rate: Ppm) -> bool {
    below(digest, u64::from(Ppm::ONE.0)) < u64::from(rate.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        assert_ne!(hash("d", &[b"ab", b"c"]), hash("d", &[b"a", b"bc"]));
        assert_ne!(hash("d", &[b"ab"]), hash("d", &[b"ab", b""]));
    }

    #[test]
    fn the_order_of_validators_does_not_matter() {
        let (a, b) = (VrfOutput([1; 64]), VrfOutput([2; 64]));
        let previous = first("lode-test");
        assert_eq!(next(&previous, &[a, b]), next(&previous, &[b, a]));
        assert_ne!(next(&previous, &[a]), next(&previous, &[a, b]));
    }

    #[test]
    fn a_part_of_all_is_drawn() {
        let drawn = (0..10_000u32)
            .filter(|i| falls_within(&hash("t", &[&i.to_be_bytes()]), Ppm(250_000)))
            .count();
        assert!((2_300..2_700).contains(&drawn), "{drawn}");
    }
}
