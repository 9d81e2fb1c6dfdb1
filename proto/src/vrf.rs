//! A verifiable random function: a number that only the holder of a key can compute, that everybody
//! can check, and that its holder cannot choose.
//!
//! ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, with full validation of public keys (section 5.4.5).

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use curve25519_dalek::traits::{Identity, IsIdentity};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha512};
use std::fmt;
use zeroize::Zeroizing;

/// The suite's octet (section 5.5).
const SUITE: u8 = 0x03;
const ENCODE_TO_CURVE: u8 = 0x01;
const CHALLENGE: u8 = 0x02;
const PROOF_TO_HASH: u8 = 0x03;
const BACK: u8 = 0x00;

/// Bytes of a challenge.
const CHALLENGE_LENGTH: usize = 16;

/// What the function gives: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VrfOutput(pub [u8; 64]);

/// The proof that an output is the key's: point, challenge and scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VrfProof(pub [u8; 80]);

/// The public half of a VRF key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VrfPublic(pub [u8; 32]);

/// The secret half of a VRF key: 32 bytes, as in RFC 8032. They are wiped when it goes.
#[derive(Clone)]
pub struct VrfSecret(Zeroizing<[u8; 32]>);

macro_rules! in_hex {
    ($($type:ident),*) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&hex::encode(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                hex::serde::deserialize(d).map($type)
            }
        })*
    };
}
in_hex!(VrfOutput, VrfProof, VrfPublic);

impl fmt::Debug for VrfSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VrfSecret(of {:?})", self.public())
    }
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VrfRefused {
    #[error("the public key is no point of the curve, or of small order")]
    Key,
    #[error("the proof is malformed: its point or scalar is out of range")]
    Malformed,
    #[error("the proof is not this key's over this input")]
    Wrong,
}

impl VrfSecret {
    /// The key whose 32 secret bytes are given.
    pub fn from_bytes(bytes: &[u8; 32]) -> VrfSecret {
        VrfSecret(Zeroizing::new(*bytes))
    }

    /// The 32 secret bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The public half.
    pub fn public(&self) -> VrfPublic {
        let (scalar, _) = self.expand();
        VrfPublic(EdwardsPoint::mul_base(&scalar).compress().to_bytes())
    }

    /// The output for `input`, and the proof of it (section 5.1).
    pub fn prove(&self, input: &[u8]) -> (VrfOutput, VrfProof) {
        let (scalar, prefix) = self.expand();
        let public = EdwardsPoint::mul_base(&scalar);
        let point = encode_to_curve(&public.compress().to_bytes(), input);
        let gamma = point * scalar;
        let nonce = Sha512::new().chain_update(*prefix).chain_update(point.compress().as_bytes());
        let nonce = Scalar::from_hash(nonce);
        let commitments = [public, point, gamma, EdwardsPoint::mul_base(&nonce), point * nonce];
        let challenge = challenge(&commitments);
        let answer = nonce + scalar_of(&challenge) * scalar;
        let mut proof = [0; 80];
        proof[..32].copy_from_slice(gamma.compress().as_bytes());
        proof[32..48].copy_from_slice(&challenge);
        proof[48..].copy_from_slice(answer.as_bytes());
        (output(&gamma), VrfProof(proof))
    }

    /// The secret scalar, and what nonces are derived from (RFC 8032 section 5.1.5).
    fn expand(&self) -> (Scalar, Zeroizing<[u8; 32]>) {
        let hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(*self.0).into());
        let (mut low, mut high) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        low.copy_from_slice(&hash[..32]);
        high.copy_from_slice(&hash[32..]);
        (Scalar::from_bytes_mod_order(clamp_integer(*low)), high)
    }
}

impl VrfPublic {
    /// The output that `proof` proves for `input` (section 5.3).
    pub fn verify(&self, input: &[u8], proof: &VrfProof) -> Result<VrfOutput, VrfRefused> {
        let public = point_of(&self.0).ok_or(VrfRefused::Key)?;
        if public.is_small_order() {
            return Err(VrfRefused::Key);
        }
        let (gamma, challenged, answer) = proof.parts().ok_or(VrfRefused::Malformed)?;
        let point = encode_to_curve(&self.0, input);
        let weight = scalar_of(&challenged);
        let u = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-weight, &public, &answer);
        let v = point * answer - gamma * weight;
        if challenge(&[public, point, gamma, u, v]) == challenged {
            Ok(output(&gamma))
        } else {
            Err(VrfRefused::Wrong)
        }
    }
}

impl VrfProof {
    /// Point, challenge and scalar, each in its one encoding (section 5.4.4).
    fn parts(&self) -> Option<(EdwardsPoint, [u8; CHALLENGE_LENGTH], Scalar)> {
        let (gamma, rest) = self.0.split_first_chunk::<32>()?;
        let (challenge, answer) = rest.split_first_chunk::<CHALLENGE_LENGTH>()?;
        let answer = Scalar::from_canonical_bytes(answer.try_into().ok()?).into_option()?;
        Some((point_of(gamma)?, *challenge, answer))
    }
}

/// A point from its one encoding (RFC 8032 section 5.1.3).
fn point_of(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    (point.compress().as_bytes() == bytes).then_some(point)
}

/// Try and increment (section 5.4.1.1).
fn encode_to_curve(salt: &[u8; 32], input: &[u8]) -> EdwardsPoint {
    for counter in 0..=u8::MAX {
        let hash = Sha512::new()
            .chain_update([SUITE, ENCODE_TO_CURVE])
            .chain_update(salt)
            .chain_update(input)
            .chain_update([counter, BACK])
            .finalize();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&hash[..32]);
        let point = point_of(&bytes).map(|point| point.mul_by_cofactor());
        if let Some(point) = point.filter(|point| !point.is_identity()) {
            return point;
        }
    }
    // 256 misses in a row have a probability of 2^-256: no input is known, and nobody gains by it.
    EdwardsPoint::identity()
}

fn challenge(points: &[EdwardsPoint; 5]) -> [u8; CHALLENGE_LENGTH] {
    let mut hasher = Sha512::new().chain_update([SUITE, CHALLENGE]);
    for point in points {
        hasher.update(point.compress().as_bytes());
    }
    let hash = hasher.chain_update([BACK]).finalize();
    let mut bytes = [0; CHALLENGE_LENGTH];
    bytes.copy_from_slice(&hash[..CHALLENGE_LENGTH]);
    bytes
}

fn scalar_of(challenge: &[u8; CHALLENGE_LENGTH]) -> Scalar {
    Scalar::from(u128::from_le_bytes(*challenge))
}

/// The output of a proof's point (section 5.2).
fn output(gamma: &EdwardsPoint) -> VrfOutput {
    let hash = Sha512::new()
        .chain_update([SUITE, PROOF_TO_HASH])
        .chain_update(gamma.mul_by_cofactor().compress().as_bytes())
        .chain_update([BACK]);
    VrfOutput(hash.finalize().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 9381 appendix B.3, examples 16 to 18: secret key, public key, input, proof, output.
    const EXAMPLES: [[&str; 5]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
            "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
            "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9ea3c0e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
            "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c452118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
        ],
    ];

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_hold() {
        for [secret, public, input, proof, output] in EXAMPLES {
            let secret = VrfSecret::from_bytes(&bytes(secret));
            let (public, input) = (VrfPublic(bytes(public)), hex::decode(input).unwrap());
            assert_eq!(secret.public(), public);
            let proven = secret.prove(&input);
            assert_eq!(proven, (VrfOutput(bytes(output)), VrfProof(bytes(proof))));
            assert_eq!(public.verify(&input, &proven.1), Ok(proven.0));
        }
    }

    #[test]
    fn a_proof_holds_for_its_key_and_input_only() {
        let (one, two) = (VrfSecret::from_bytes(&[1; 32]), VrfSecret::from_bytes(&[2; 32]));
        let (_, proof) = one.prove(b"seed");
        assert_eq!(two.public().verify(b"seed", &proof), Err(VrfRefused::Wrong));
        assert_eq!(one.public().verify(b"other", &proof), Err(VrfRefused::Wrong));
        for byte in 0..80 {
            let mut other = proof;
            other.0[byte] ^= 1;
            assert!(one.public().verify(b"seed", &other).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn a_key_of_small_order_proves_nothing() {
        let (_, proof) = VrfSecret::from_bytes(&[1; 32]).prove(b"seed");
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VrfPublic(identity).verify(b"seed", &proof), Err(VrfRefused::Key));
        assert_eq!(VrfPublic([0xff; 32]).verify(b"seed", &proof), Err(VrfRefused::Key));
    }

    #[test]
    fn a_scalar_beyond_the_order_is_refused() {
        let secret = VrfSecret::from_bytes(&[1; 32]);
        let (_, mut proof) = secret.prove(b"seed");
        proof.0[79] |= 0xf0;
        assert_eq!(secret.public().verify(b"seed", &proof), Err(VrfRefused::Malformed));
    }
}
