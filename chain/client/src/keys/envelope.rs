//! What a key file holds: who signs, readable; the secret, sealed.

use super::seal::Sealed;
use super::words::KeyPath;
use proto::Address;
use proto::keys::RelayKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// A key file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    pub(super) version: u32,
    pub(super) public: Public,
    pub(super) secret: Secret,
}

/// Who signs with the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Public {
    Account {
        address: Address,
        /// secp256k1, compressed, in hex.
        public_key: String,
        /// Where the key lies under its words; absent when it was brought without them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    Relay {
        relay_key: RelayKey,
    },
}

/// The secret: 32 bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Secret {
    Sealed(Sealed),
    /// Readable by whoever reads the file.
    NotProtected(Plain),
}

/// 32 secret bytes; hex in a file.
pub(super) struct Plain(pub(super) Zeroizing<[u8; 32]>);

impl Public {
    /// What the seal binds to the secret: everything that is said about it.
    pub(super) fn bound(&self) -> Vec<u8> {
        let text = match self {
            Public::Account { address, public_key, path } => {
                let path = path.as_deref().unwrap_or_default();
                format!("lode/key/account\n{address}\n{public_key}\n{path}")
            }
            Public::Relay { relay_key } => format!("lode/key/relay\n{relay_key}"),
        };
        text.into_bytes()
    }

    pub(super) fn path(path: Option<KeyPath>) -> Option<String> {
        path.map(|path| path.to_string())
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(hex::encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.as_bytes(), &mut *bytes)
            .map_err(|_| serde::de::Error::custom("a secret is 64 hex digits"))?;
        Ok(Plain(bytes))
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}
