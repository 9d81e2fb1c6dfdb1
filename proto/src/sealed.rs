//! Bytes that only the holder of one key can read: HPKE (RFC 9180), base mode, with X25519,
//! HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! ```text
//! public:32 of this message | ciphertext with its tag
//! ```
//! Nothing here says who sealed: what is inside must prove itself. Randomness is given.

use crate::units::Digest;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that sealing adds: a public key and a tag.
pub const SEAL_EXTRA: usize = 32 + 16;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapped = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Whom something is sealed to: a public key of X25519.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealKey(#[serde(with = "hex::serde")] pub [u8; 32]);

/// The other half of a [`SealKey`]. Its memory is wiped when it goes.
pub struct SealSecret {
    secret: Zeroizing<[u8; 32]>,
    public: SealKey,
}

/// Why something is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing can be sealed to {0:?}: it is no key of X25519, or one with which nothing is secret"
)]
pub struct NotSealed(pub SealKey);

/// Why sealed bytes stay closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error("{0} bytes were sealed by nobody: at least {SEAL_EXTRA} are needed")]
    Short(usize),
    #[error("they were sealed to another key, for another purpose, or changed on their way")]
    Wrong,
}

impl SealSecret {
    /// The key that comes of 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> SealSecret {
        let (secret, public) = X25519HkdfSha256::derive_keypair(seed);
        let secret = Zeroizing::new(secret.to_bytes().into());
        SealSecret { secret, public: SealKey(public.to_bytes().into()) }
    }

    /// The public half.
    pub fn public(&self) -> SealKey {
        self.public
    }

    /// Opens what was sealed to this key, for this `purpose` and about this `subject`.
    pub fn open(
        &self,
        purpose: &str,
        subject: &Digest,
        sealed: &[u8],
    ) -> Result<Vec<u8>, NotOpened> {
        let (encapped, ciphertext) = match sealed.split_first_chunk::<32>() {
            Some((encapped, rest)) if sealed.len() >= SEAL_EXTRA => (encapped, rest),
            _ => return Err(NotOpened::Short(sealed.len())),
        };
        let secret = PrivateKey::from_bytes(&*self.secret).map_err(|_| NotOpened::Wrong)?;
        let encapped = Encapped::from_bytes(encapped).map_err(|_| NotOpened::Wrong)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &encapped,
            purpose.as_bytes(),
            ciphertext,
            &subject.0,
        )
        .map_err(|_| NotOpened::Wrong)
    }
}

impl SealKey {
    /// Seals `bytes` for a `purpose`, about a `subject`, so that only the holder of this key reads
    /// them. `seed` is 32 secret random bytes that are used for nothing else.
    pub fn seal(
        &self,
        purpose: &str,
        subject: &Digest,
        bytes: &[u8],
        seed: &[u8; 32],
    ) -> Result<Vec<u8>, NotSealed> {
        let to = PublicKey::from_bytes(&self.0).map_err(|_| NotSealed(*self))?;
        let (encapped, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256, _>(
                &OpModeS::Base,
                &to,
                purpose.as_bytes(),
                bytes,
                &subject.0,
                &mut ChaCha20Rng::from_seed(*seed),
            )
            .map_err(|_| NotSealed(*self))?;
        let mut sealed = encapped.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SealSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealSecret(of {:?})", self.public)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ABOUT: Digest = Digest([9; 32]);

    #[test]
    fn only_the_holder_of_the_key_opens_it_and_only_for_what_it_was_sealed() {
        let (secret, other) = (SealSecret::from_seed(&[1; 32]), SealSecret::from_seed(&[2; 32]));
        let sealed = secret.public().seal("p", &ABOUT, b"secret", &[3; 32]).unwrap();
        assert_eq!(sealed.len(), 6 + SEAL_EXTRA);
        assert_eq!(secret.open("p", &ABOUT, &sealed).unwrap(), b"secret");
        assert_eq!(other.open("p", &ABOUT, &sealed), Err(NotOpened::Wrong));
        assert_eq!(secret.open("q", &ABOUT, &sealed), Err(NotOpened::Wrong));
        assert_eq!(secret.open("p", &Digest([8; 32]), &sealed), Err(NotOpened::Wrong));
    }

    #[test]
    fn nothing_is_sealed_to_a_key_of_small_order() {
        let weak = SealKey([0; 32]);
        assert_eq!(weak.seal("p", &ABOUT, b"secret", &[3; 32]), Err(NotSealed(weak)));
    }

    proptest! {
        #[test]
        fn changed_bytes_stay_closed(at in 0usize..54, bit in 0u8..8, cut in 0usize..54) {
            let secret = SealSecret::from_seed(&[1; 32]);
            let mut sealed = secret.public().seal("p", &ABOUT, b"secret", &[3; 32]).unwrap();
            prop_assert!(secret.open("p", &ABOUT, &sealed[..cut]).is_err());
            sealed[at] ^= 1 << bit;
            // The highest bit of the public key says nothing.
            prop_assert!(at == 31 && bit == 7 || secret.open("p", &ABOUT, &sealed).is_err());
        }
    }
}
