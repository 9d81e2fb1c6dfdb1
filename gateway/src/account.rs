//! API keys: who may ask, how often, and for how much.

mod rate;
mod roll;

pub use rate::Rate;
pub use roll::{Account, Roll, Ticket};

use crate::purse::Due;
use proto::service::ServiceId;
use proto::{Amount, Denom, Digest, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What API keys begin with.
pub const KEY_PREFIX: &str = "lode-sk-";

/// Characters of a key that are shown to tell it from others: the prefix and four hex digits.
const SHOWN: usize = KEY_PREFIX.len() + 4;

/// Characters of a key's name at most.
pub const NAME_MAX: usize = 64;

/// An API key: 256 random bits behind a prefix. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Text that is no API key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no API key: it should be {KEY_PREFIX} and 64 hex digits")]
pub struct BadApiKey;

impl ApiKey {
    /// The key of 32 random bytes.
    pub fn from_entropy(bytes: &[u8; 32]) -> ApiKey {
        ApiKey(format!("{KEY_PREFIX}{}", hex::encode(bytes)))
    }

    /// Reads what [`ApiKey::reveal`] wrote.
    pub fn parse(text: &str) -> Result<ApiKey, BadApiKey> {
        let digits = text.strip_prefix(KEY_PREFIX).ok_or(BadApiKey)?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() == 64 && digits.bytes().all(hex) {
            Ok(ApiKey(text.to_owned()))
        } else {
            Err(BadApiKey)
        }
    }

    /// The key itself, to hand to its owner once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored: a key has 256 random bits, so a fast hash is as good as a slow one.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Digest(*blake3::hash(self.0.as_bytes()).as_bytes()))
    }

    /// What may be shown of it.
    pub fn shown(&self) -> String {
        format!("{}…", &self.0[..SHOWN])
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.shown())
    }
}

/// blake3 of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub Digest);

/// What a key is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTerms {
    /// For people.
    pub name: String,
    /// The coin that it spends: it can use models that are priced in this one. What different coins
    /// cost does not add up.
    #[serde(default = "Denom::stake")]
    pub denom: Denom,
    /// What it may spend in all; none: no bound but the gateway's own.
    pub cap: Option<Amount>,
    /// From when on it is not taken any more.
    pub expires: Option<Time>,
    /// Requests in a minute at most.
    pub per_minute: Option<u32>,
    /// The models that it may use; none: all.
    #[serde(default)]
    pub models: Vec<ServiceId>,
}

impl Default for KeyTerms {
    fn default() -> KeyTerms {
        KeyTerms {
            name: String::new(),
            denom: Denom::stake(),
            cap: None,
            expires: None,
            per_minute: None,
            models: Vec::new(),
        }
    }
}

/// Terms that no key can have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyTerms {
    #[error("a key's name takes 1 to {NAME_MAX} printable characters, and {0:?} is none")]
    Name(String),
    #[error("a key that may ask 0 times a minute could never be used")]
    NeverAsks,
}

impl KeyTerms {
    /// Whether a key can be made on these terms.
    pub fn check(&self) -> Result<(), BadKeyTerms> {
        let length = self.name.chars().count();
        if !(1..=NAME_MAX).contains(&length) || self.name.chars().any(char::is_control) {
            return Err(BadKeyTerms::Name(self.name.clone()));
        }
        if self.per_minute == Some(0) {
            return Err(BadKeyTerms::NeverAsks);
        }
        Ok(())
    }
}

/// A key on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// `key_` and 16 hex digits: not secret.
    pub id: String,
    pub hash: KeyHash,
    /// Its first characters.
    pub shown: String,
    pub terms: KeyTerms,
    pub created: Time,
    pub revoked: Option<Time>,
    pub spent: Due,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown_in_full() {
        let key = ApiKey::from_entropy(&[0xab; 32]);
        assert_eq!(ApiKey::parse(key.reveal()), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "ApiKey(lode-sk-abab…)");
    }

    #[test]
    fn what_is_no_key_is_not_looked_up() {
        let good = ApiKey::from_entropy(&[0xab; 32]);
        for text in ["", "lode-sk-", "sk-abc", &good.reveal().to_uppercase(), &good.reveal()[1..]] {
            assert_eq!(ApiKey::parse(text), Err(BadApiKey), "{text}");
        }
    }

    #[test]
    fn terms_that_help_nobody_are_refused() {
        let named = |name: &str| KeyTerms { name: name.into(), ..KeyTerms::default() };
        assert!(named("shop").check().is_ok());
        assert!(named("").check().is_err() && named("a\nb").check().is_err());
        assert!(KeyTerms { per_minute: Some(0), ..named("shop") }.check().is_err());
    }
}
