//! The words that give a key back (BIP-39), and the path from them to it (BIP-32, BIP-44).

use super::{NoRandomness, random};
use bip39::{Language, Mnemonic};
use proto::names::COIN_TYPE;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Random bytes behind the words that are made here: 24 words.
const ENTROPY_BYTES: usize = 32;

/// How many words are read: what is made here, and the shorter form that many wallets make.
const WORD_COUNTS: [usize; 2] = [12, 24];

/// The words of a key. Who has them has the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Mnemonic);

/// Text that is no words of a key. It does not repeat the text: that may be nearly a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWords {
    #[error("these are {0} words, but a key has 12 or 24")]
    Count(usize),
    #[error("word {} is not in the list of BIP-39's English words", .0 + 1)]
    Unknown(usize),
    #[error("the words are all known, but do not belong together: one is wrong or out of place")]
    Checksum,
}

impl Words {
    /// 24 words of the system's randomness.
    pub fn random() -> Result<Words, NoRandomness> {
        let entropy = random::<ENTROPY_BYTES>()?;
        let words = Mnemonic::from_entropy(&*entropy).expect("32 bytes are the longest entropy");
        Ok(Words(words))
    }

    /// Reads 12 or 24 English words with any white space between them.
    pub fn parse(text: &str) -> Result<Words, BadWords> {
        let words: Zeroizing<Vec<String>> =
            Zeroizing::new(text.split_whitespace().map(str::to_lowercase).collect());
        if !WORD_COUNTS.contains(&words.len()) {
            return Err(BadWords::Count(words.len()));
        }
        let joined = Zeroizing::new(words.join(" "));
        match Mnemonic::parse_in_normalized(Language::English, &joined) {
            Ok(words) => Ok(Words(words)),
            Err(bip39::Error::UnknownWord(place)) => Err(BadWords::Unknown(place)),
            Err(_) => Err(BadWords::Checksum),
        }
    }

    /// The words as text, to be shown to their owner once.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string())
    }

    /// The secret key (secp256k1, 32 bytes) at `path`.
    pub(super) fn secret(&self, path: KeyPath) -> Zeroizing<[u8; 32]> {
        let seed = Zeroizing::new(self.0.to_seed_normalized(""));
        let path = path.to_string().parse().expect("a key path is a BIP-32 path");
        let key = cosmrs::bip32::XPrv::derive_from_path(*seed, &path)
            .expect("a derivation fails once in 2^127 paths");
        Zeroizing::new(key.to_bytes())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} of them)", self.0.word_count())
    }
}

/// Which of the keys that some words give: `m/44'/118'/account'/0/index`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPath {
    pub account: u32,
    pub index: u32,
}

/// Text that is no path to an account's key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a path to an account's key: it should look like m/44'/{COIN_TYPE}'/0'/0/0")]
pub struct BadPath(pub String);

/// BIP-32 numbers from here on are for hardened steps.
const HARDENED: u32 = 1 << 31;

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m/44'/{COIN_TYPE}'/{}'/0/{}", self.account, self.index)
    }
}

impl KeyPath {
    /// The path to `index` of `account`, both under 2^31.
    pub fn new(account: u32, index: u32) -> Result<KeyPath, BadPath> {
        let path = KeyPath { account, index };
        if account < HARDENED && index < HARDENED {
            Ok(path)
        } else {
            Err(BadPath(path.to_string()))
        }
    }
}

impl FromStr for KeyPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<KeyPath, BadPath> {
        let bad = || BadPath(text.to_owned());
        let rest = text.strip_prefix(&format!("m/44'/{COIN_TYPE}'/")).ok_or_else(bad)?;
        let (account, index) = rest.split_once("'/0/").ok_or_else(bad)?;
        let path =
            KeyPath::new(account.parse().map_err(|_| bad())?, index.parse().map_err(|_| bad())?)?;
        // One text for one path: no "+1", no "01".
        if path.to_string() == text { Ok(path) } else { Err(bad()) }
    }
}
