//! A secret under a password: argon2id (RFC 9106) stretches it, XChaCha20-Poly1305 seals.

use super::{NoRandomness, random};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Memory, passes and lanes of keys that are sealed here: RFC 9106's second recommendation, for
/// machines that cannot give 2 GiB to a password.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// What a file may ask for at most: opening a stranger's file must not take the machine's memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 64;

/// Bytes of salt, by RFC 9106.
const SALT_BYTES: usize = 16;

/// A sealed secret as it lies in a file. Bytes are in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    kdf: Kdf,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: Cipher,
    nonce: String,
    sealed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kdf {
    Argon2id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cipher {
    XChaCha20Poly1305,
}

/// Why a secret was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealRefused {
    #[error("the password is empty: give one, or ask for a key without protection by name")]
    EmptyPassword,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why a sealed secret was not opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealRefused {
    #[error("the password is wrong, or the file was changed")]
    WrongPassword,
    #[error("{name} is {value}, but a key file may ask for {max} at most")]
    TooCostly { name: &'static str, value: u32, max: u32 },
    #[error("{0} is not what a key file holds there")]
    Malformed(&'static str),
}

/// Seals `secret`; `public` is bound to it, so that neither can be exchanged.
pub(super) fn seal(password: &str, public: &[u8], secret: &[u8]) -> Result<Sealed, SealRefused> {
    if password.is_empty() {
        return Err(SealRefused::EmptyPassword);
    }
    let (salt, nonce) = (random::<SALT_BYTES>()?, random::<24>()?);
    let mut sealed = Sealed {
        kdf: Kdf::Argon2id,
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: hex::encode(*salt),
        cipher: Cipher::XChaCha20Poly1305,
        nonce: hex::encode(*nonce),
        sealed: String::new(),
    };
    let key = sealed.stretch(password).expect("our own parameters are within bounds");
    let bytes = XChaCha20Poly1305::new((&*key).into())
        .encrypt(XNonce::from_slice(&*nonce), Payload { msg: secret, aad: public })
        .expect("a key of 32 bytes is shorter than the cipher's longest message");
    sealed.sealed = hex::encode(bytes);
    Ok(sealed)
}

impl Sealed {
    /// Opens what [`seal`] made of the same `password` and `public`.
    pub(super) fn open(
        &self,
        password: &str,
        public: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealRefused> {
        let key = self.stretch(password)?;
        let nonce = unhex::<24>("nonce", &self.nonce)?;
        let sealed = hex::decode(&self.sealed).map_err(|_| UnsealRefused::Malformed("sealed"))?;
        XChaCha20Poly1305::new((&*key).into())
            .decrypt(XNonce::from_slice(&nonce), Payload { msg: &sealed, aad: public })
            .map(Zeroizing::new)
            .map_err(|_| UnsealRefused::WrongPassword)
    }

    fn stretch(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, UnsealRefused> {
        let Kdf::Argon2id = self.kdf;
        for (name, value, max) in [
            ("memory_kib", self.memory_kib, MEMORY_KIB_MAX),
            ("passes", self.passes, PASSES_MAX),
            ("lanes", self.lanes, LANES_MAX),
        ] {
            if value > max {
                return Err(UnsealRefused::TooCostly { name, value, max });
            }
        }
        let malformed = |_| UnsealRefused::Malformed("argon2id's parameters");
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(malformed)?;
        let salt = unhex::<SALT_BYTES>("salt", &self.salt)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &salt, &mut *key)
            .map_err(malformed)?;
        Ok(key)
    }
}

fn unhex<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], UnsealRefused> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| UnsealRefused::Malformed(field))?;
    Ok(bytes)
}
