//! What signs an account's transactions.

use cosmrs::Any;
use cosmrs::crypto::PublicKey;
use cosmrs::crypto::secp256k1::SigningKey;
use k256::ecdsa::signature::Verifier;
use k256::ecdsa::{Signature, VerifyingKey};
use proto::Address;
use std::fmt;
use std::sync::Arc;

/// An account's key, unlocked. Clones share it; its memory is wiped with the last.
#[derive(Clone)]
pub struct Signer {
    key: Arc<SigningKey>,
    public: PublicKey,
    address: Address,
}

/// 32 bytes that are no secret key of secp256k1: zero, or not less than the curve's order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not a secp256k1 secret key")]
pub struct BadSecret;

impl Signer {
    /// The signer whose secret key (secp256k1, 32 bytes big-endian) is given.
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Signer, BadSecret> {
        let key = SigningKey::from_slice(secret).map_err(|_| BadSecret)?;
        let public = key.public_key();
        Ok(Signer {
            address: Address::of_secp256k1(&public.to_bytes()),
            public,
            key: Arc::new(key),
        })
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The public key: secp256k1, compressed to 33 bytes.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The public key as transactions name it.
    pub(crate) fn public_any(&self) -> Any {
        self.public.to_any().expect("a secp256k1 key is one of the SDK's kinds")
    }

    /// Signs the SHA-256 of `bytes` with ECDSA: r and s, s in its lower half, big-endian.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature = self.key.sign(bytes).expect("a key in memory signs");
        signature.to_bytes().into()
    }
}

/// Whether `signature` (r and s, big-endian) is that of the account with the compressed public `key`
/// over the SHA-256 of `bytes`.
pub fn signed_by(key: &[u8; 33], bytes: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(key);
    let signature = Signature::from_slice(signature);
    key.ok().zip(signature.ok()).is_some_and(|(key, s)| key.verify(bytes, &s).is_ok())
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer(of {})", self.address)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_an_account_signed_is_its_own() {
        let signer = Signer::from_bytes(&[7; 32]).unwrap();
        let key: [u8; 33] = signer.public_key().to_bytes().try_into().unwrap();
        let other = Signer::from_bytes(&[8; 32]).unwrap().public_key().to_bytes();
        let signature = signer.sign(b"ask");
        assert!(signed_by(&key, b"ask", &signature));
        assert!(!signed_by(&key, b"asks", &signature));
        assert!(!signed_by(&other.try_into().unwrap(), b"ask", &signature));
        assert!(!signed_by(&[0; 33], b"ask", &signature) && !signed_by(&key, b"ask", &[0; 64]));
    }
}
