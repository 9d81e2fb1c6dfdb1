//! Who a box is.

use ed25519_dalek::SigningKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A box as others know it: its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

/// The secret half.
pub struct LinkKey(SigningKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key {} cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("the key {} cannot be written: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{} holds no key: a key is 64 hexadecimal digits", .0.display())]
    Format(PathBuf),
    #[error(
        "{0:?} is no public key: it is the 64 hexadecimal digits that `lode supplier key` prints"
    )]
    Public(String),
    #[error("the system gives no randomness for a new key: {0}")]
    Randomness(getrandom::Error),
}

/// What stands before the 32 bytes of a secret in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

/// What stands before the 32 bytes of a public key (RFC 8410).
const SPKI: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];

impl LinkKey {
    /// The key in a file, which is made when there is none.
    pub fn open(path: &Path) -> Result<LinkKey, KeyError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = LinkKey::new()?;
                let text = format!("{}\n", hex::encode(key.0.to_bytes()));
                daemon::file::write_private(path, text.as_bytes())
                    .map_err(|error| KeyError::Write { path: path.to_owned(), error })?;
                return Ok(key);
            }
            Err(error) => return Err(KeyError::Read { path: path.to_owned(), error }),
        };
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed)
            .map_err(|_| KeyError::Format(path.to_owned()))?;
        Ok(LinkKey(SigningKey::from_bytes(&seed)))
    }

    /// A new key.
    pub fn new() -> Result<LinkKey, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Randomness)?;
        Ok(LinkKey(SigningKey::from_bytes(&seed)))
    }

    /// The public half.
    pub fn public(&self) -> PeerKey {
        PeerKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn pkcs8(&self) -> Vec<u8> {
        [PKCS8.as_slice(), &self.0.to_bytes()].concat()
    }
}

impl PeerKey {
    pub(super) fn spki(self) -> Vec<u8> {
        [SPKI.as_slice(), &self.0].concat()
    }

    pub(super) fn of_spki(bytes: &[u8]) -> Option<PeerKey> {
        bytes.strip_prefix(&SPKI)?.try_into().ok().map(PeerKey)
    }
}

impl FromStr for PeerKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PeerKey, KeyError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| KeyError::Public(text.to_owned()))?;
        Ok(PeerKey(key))
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
