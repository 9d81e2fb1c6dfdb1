//! What of a key anybody may see, and what keeps the rest.

use proto::Address;
use proto::keys::RelayKey;
use serde::Serialize;
use std::fmt;
use zeroize::Zeroizing;

/// What keeps a key's secret.
#[derive(Clone)]
pub enum Protection {
    /// The secret is sealed under this password.
    Password(Zeroizing<String>),
    /// Whoever can read the file has the key. For networks on which nothing is worth stealing.
    None,
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protection::Password(_) => "Password(…)",
            Protection::None => "None",
        })
    }
}

/// A key as anybody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    Account(Account),
    Relay(RelayEntry),
}

/// An account's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub name: String,
    pub address: Address,
    /// secp256k1, compressed to 33 bytes, in hex.
    pub public_key: String,
    /// Where the key lies under its words, if it came from words.
    pub path: Option<String>,
    /// Whether a password protects it.
    pub sealed: bool,
}

/// A gateway's or supplier's relay key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelayEntry {
    pub name: String,
    pub relay_key: RelayKey,
    /// Whether a password protects it.
    pub sealed: bool,
}
