//! Why a key was not stored, found or unlocked.

use super::NoRandomness;
use super::envelope::VERSION;
use super::seal::{SealRefused, UnsealRefused};
use super::signer::BadSecret;
use super::store::NAME_MAX;
use std::io;
use std::path::PathBuf;

/// Why a key could not be read, listed or removed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0:?} is not a key's name: it takes 1 to {NAME_MAX} of a-z, 0-9, _ and -")]
    BadName(String),
    #[error("there is no key {name:?} in {}", folder.display())]
    NotFound { name: String, folder: PathBuf },
    #[error("{} can be read by others (mode {mode:03o} too wide): run chmod 600 on it", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} has version {version} of the format, but this program knows {VERSION} only: use a later one", path.display())]
    OtherVersion { path: PathBuf, version: u32 },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

/// Why a key was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CreateRefused {
    #[error("there is a key {name:?} in {} already: delete it or take another name", folder.display())]
    Exists { name: String, folder: PathBuf },
    #[error(transparent)]
    Seal(#[from] SealRefused),
    #[error(transparent)]
    BadSecret(#[from] BadSecret),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoRandomness> for CreateRefused {
    fn from(error: NoRandomness) -> CreateRefused {
        CreateRefused::Seal(error.into())
    }
}

/// Why a key was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockRefused {
    #[error("the key {0:?} is sealed: its password is needed")]
    PasswordNeeded(String),
    #[error("the key {name:?} stays locked: {source}")]
    Sealed { name: String, source: UnsealRefused },
    #[error("the key {name:?} is {is}, but {wanted} is needed")]
    OtherKind { name: String, is: &'static str, wanted: &'static str },
    #[error(transparent)]
    Store(#[from] StoreError),
}
