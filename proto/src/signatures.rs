//! Many signatures checked together, for a third of what they cost one by one.
//!
//! Whether a signature holds is said by ZIP 215: the equation is taken times the cofactor, so that one
//! by one and together give the same answer. RFC 8032 leaves that open, and two nodes that check in
//! different ways could disagree.

use crate::keys::{RelayKey, Signature};
use crate::{Digest, seed};
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature as Ed25519, VerificationKeyBytes};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Who is asked whether a signature holds.
pub trait Checks {
    /// Whether `signature` is `key`'s over `digest`; or yes for now, if that is found out later.
    fn signed(&mut self, key: &RelayKey, digest: &Digest, signature: &Signature) -> bool;
}

/// Checks each signature when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtOnce;

impl Checks for AtOnce {
    fn signed(&mut self, key: &RelayKey, digest: &Digest, signature: &Signature) -> bool {
        key.signed(digest, signature)
    }
}

/// Signatures that wait to be checked together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    waiting: Vec<(RelayKey, Digest, Signature)>,
}

impl Checks for Batch {
    fn signed(&mut self, key: &RelayKey, digest: &Digest, signature: &Signature) -> bool {
        self.waiting.push((*key, *digest, *signature));
        true
    }
}

impl Batch {
    /// Whether all of them hold. It does not say which do not.
    ///
    /// The factors that keep wrong signatures from making up for each other come from a hash over all
    /// of them: who makes signatures cannot choose them to fit.
    pub fn hold(&self) -> bool {
        let mut keys: Vec<&RelayKey> = self.waiting.iter().map(|(key, ..)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.into_iter().all(RelayKey::is_valid) {
            return false;
        }
        let mut verifier = Verifier::new();
        for (key, digest, signature) in &self.waiting {
            verifier.queue(item(key, digest, signature));
        }
        verifier.verify(ChaCha20Rng::from_seed(self.factors().0)).is_ok()
    }

    fn factors(&self) -> Digest {
        let parts = self.waiting.iter().flat_map(|(key, digest, signature)| {
            [key.0.as_slice(), digest.0.as_slice(), signature.0.as_slice()]
        });
        seed::hash("lode/signatures/factors", &parts.collect::<Vec<_>>())
    }
}

/// Whether one signature holds. The key's order is not looked at.
pub(crate) fn holds(key: &RelayKey, digest: &Digest, signature: &Signature) -> bool {
    item(key, digest, signature).verify_single().is_ok()
}

fn item(key: &RelayKey, digest: &Digest, signature: &Signature) -> Item {
    (VerificationKeyBytes::from(key.0), Ed25519::from(signature.0), &digest.0[..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::RelaySecret;
    use proptest::prelude::*;

    fn signed(n: u8, keys: u8) -> (RelayKey, Digest, Signature) {
        let secret = RelaySecret::from_bytes(&[1 + n % keys; 32]);
        let digest = Digest([n; 32]);
        (secret.public(), digest, secret.sign(&digest))
    }

    fn batch(all: &[(RelayKey, Digest, Signature)]) -> Batch {
        Batch { waiting: all.to_vec() }
    }

    #[test]
    fn right_signatures_hold_together_and_nothing_holds_of_itself() {
        let all: Vec<_> = (0..20).map(|n| signed(n, 3)).collect();
        assert!(batch(&all).hold());
        assert!(Batch::default().hold());
    }

    #[test]
    fn a_key_of_small_order_spoils_a_batch() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut all = vec![signed(1, 1)];
        // ZIP 215 alone would take it: a point of small order signs everything.
        all.push((
            RelayKey(identity),
            Digest([9; 32]),
            Signature(std::array::from_fn(|i| u8::from(i == 0))),
        ));
        assert!(!batch(&all).hold());
        assert!(!AtOnce.signed(&all[1].0, &all[1].1, &all[1].2));
    }

    proptest! {
        #[test]
        fn together_is_what_one_by_one_is(
            count in 1u8..12, keys in 1u8..4, which in any::<prop::sample::Index>(),
            at in 0usize..64, change in any::<u8>(), swap in any::<bool>(),
        ) {
            let mut all: Vec<_> = (0..count).map(|n| signed(n, keys)).collect();
            let which = which.index(all.len());
            all[which].2.0[at] ^= change;
            if swap {
                let last = all.len() - 1;
                let other = all[last].2;
                all[last].2 = all[0].2;
                all[0].2 = other;
            }
            let single = all.iter().all(|(key, digest, signature)| key.signed(digest, signature));
            prop_assert_eq!(batch(&all).hold(), single);
        }
    }
}
