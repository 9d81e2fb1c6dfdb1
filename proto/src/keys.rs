//! Who signs: accounts by address, relay keys by their public half.

use crate::names::ADDRESS_PREFIX;
use crate::signatures;
use bech32::{Bech32, Hrp};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ripemd::{Digest as _, Ripemd160};
use serde::{Deserialize, Serialize, Serializer};
use sha2::Sha256;
use std::fmt;

/// An account: the last 20 bytes of the hash of its public key, written in bech32 (`lode1…`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

/// Text that is no address of this network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: it should look like {ADDRESS_PREFIX}1… and have 43 characters")]
pub struct BadAddress(pub String);

impl Address {
    /// The address of a compressed secp256k1 public key: `ripemd160(sha256(key))`, as in Cosmos.
    pub fn of_secp256k1(key: &[u8]) -> Address {
        Address(Ripemd160::digest(Sha256::digest(key)).into())
    }

    /// The address of a module's own purse: `sha256(name)` cut to 20 bytes, as in the Cosmos SDK.
    pub fn of_module(name: &str) -> Address {
        let hash = Sha256::digest(name.as_bytes());
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&hash[..20]);
        Address(bytes)
    }

    /// Reads `lode1…`.
    pub fn parse(text: &str) -> Result<Address, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (prefix, bytes) = bech32::decode(text).map_err(|_| bad())?;
        let lower = text.bytes().all(|b| !b.is_ascii_uppercase());
        if prefix.as_str() != ADDRESS_PREFIX || !lower {
            return Err(bad());
        }
        let address = Address(bytes.try_into().map_err(|_| bad())?);
        // bech32 and bech32m differ in the checksum only: one text for one address.
        if address.to_string() == text { Ok(address) } else { Err(bad()) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Hrp::parse_unchecked(ADDRESS_PREFIX);
        bech32::encode_lower_to_fmt::<Bech32, _>(f, prefix, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        Address::parse(text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Address::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The public half of a relay key (ed25519), registered on chain by its gateway or supplier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayKey(pub [u8; 32]);

impl RelayKey {
    /// Whether `signature` is this key's over `digest`, by ZIP 215. Keys of small order sign nothing.
    pub fn signed(&self, digest: &crate::Digest, signature: &Signature) -> bool {
        self.is_valid() && signatures::holds(self, digest, signature)
    }

    /// Whether these bytes are a key that can sign: a point of the curve, not of small order.
    pub fn is_valid(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }
}

impl fmt::Display for RelayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RelayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RelayKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RelayKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::Digest::deserialize(deserializer).map(|bytes| RelayKey(bytes.0))
    }
}

/// An ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Signature(bytes))
    }
}

/// The secret half of a relay key. Its memory is wiped when it goes.
#[derive(Clone)]
pub struct RelaySecret(SigningKey);

impl RelaySecret {
    /// The key whose 32 secret bytes (RFC 8032 seed) are given.
    pub fn from_bytes(bytes: &[u8; 32]) -> RelaySecret {
        RelaySecret(SigningKey::from_bytes(bytes))
    }

    /// The 32 secret bytes.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> RelayKey {
        RelayKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `digest`.
    pub fn sign(&self, digest: &crate::Digest) -> Signature {
        Signature(self.0.sign(&digest.0).to_bytes())
    }
}

impl fmt::Debug for RelaySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelaySecret(of {})", self.public())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Digest;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        let address = Address([7; 20]);
        let text = address.to_string();
        assert!(text.starts_with("lode1") && text.len() == 43);
        assert_eq!(Address::parse(&text), Ok(address));
    }

    #[test]
    fn an_address_has_one_text_only() {
        let text = Address([7; 20]).to_string();
        let cosmos = bech32::encode::<Bech32>(Hrp::parse("cosmos").unwrap(), &[7; 20]).unwrap();
        let m = bech32::encode::<bech32::Bech32m>(Hrp::parse("lode").unwrap(), &[7; 20]).unwrap();
        for other in [text.to_uppercase(), cosmos, m, format!("{text}q"), String::new()] {
            assert!(Address::parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_signature_holds_for_its_digest_and_key_only() {
        let secret = RelaySecret::from_bytes(&[1; 32]);
        let other = RelaySecret::from_bytes(&[2; 32]);
        let signature = secret.sign(&Digest([3; 32]));
        assert!(secret.public().signed(&Digest([3; 32]), &signature));
        assert!(!secret.public().signed(&Digest([4; 32]), &signature));
        assert!(!other.public().signed(&Digest([3; 32]), &signature));
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!RelayKey(identity).is_valid());
        assert!(!RelayKey(identity).signed(&Digest([0; 32]), &Signature([0; 64])));
    }
}
