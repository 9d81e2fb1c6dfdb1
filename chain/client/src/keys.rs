//! Keys at rest: accounts that sign transactions, relay keys that sign relays.
//!
//! ```text
//!  words (BIP-39) --> path m/44'/118'/account'/0/index --> secp256k1 key --> address lode1…
//!  folder/NAME.json   one key; its secret sealed under a password, its public half readable
//! ```
//! An account is also what its words give back on any Cosmos wallet. A relay key (ed25519) has no
//! words: it is made here, registered on chain by its owner and replaced when it is lost.

mod entry;
mod envelope;
mod file;
mod refused;
mod seal;
mod signer;
mod store;
#[cfg(test)]
mod tests;
mod words;

pub use entry::{Account, Entry, Protection, RelayEntry};
pub use refused::{CreateRefused, StoreError, UnlockRefused};
pub use seal::{SealRefused, UnsealRefused};
pub use signer::{BadSecret, Signer, signed_by};
pub use store::{KeyStore, NAME_MAX};
pub use words::{BadPath, BadWords, KeyPath, Words};

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no randomness ({0}), and without it no key is secret")]
pub struct NoRandomness(getrandom::Error);

/// `N` secret random bytes.
fn random<const N: usize>() -> Result<zeroize::Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = zeroize::Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(NoRandomness)?;
    Ok(bytes)
}
