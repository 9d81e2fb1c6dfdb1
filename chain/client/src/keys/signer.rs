//! What signs an account's transactions.

use cosmrs::Any;
use cosmrs::crypto::PublicKey;
use cosmrs::crypto::secp256k1::SigningKey;
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
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature = self.key.sign(bytes).expect("a key in memory signs");
        signature.to_bytes().into()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer(of {})", self.address)
    }
}
