//! A folder of keys, one file a name.

use super::entry::{Account, Entry, Protection, RelayEntry};
use super::envelope::{Envelope, Plain, Public, Secret, VERSION};
use super::refused::{CreateRefused, StoreError, UnlockRefused};
use super::seal::{UnsealRefused, seal};
use super::signer::Signer;
use super::words::{KeyPath, Words};
use super::{file, random};
use proto::keys::RelaySecret;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Letters of a key's name at most: it becomes a file's.
pub const NAME_MAX: usize = 64;

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
}

impl KeyStore {
    /// The keys in `folder`, which is made (mode 0700) if it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<KeyStore, StoreError> {
        let folder = folder.into();
        file::make_folder(&folder).map_err(|source| disk(&folder, source))?;
        Ok(KeyStore { folder })
    }

    /// A random account and the words that give it back, at the default path.
    pub fn create(
        &self,
        name: &str,
        protection: &Protection,
    ) -> Result<(Account, Words), CreateRefused> {
        let words = Words::random()?;
        let account = self.restore(name, &words, KeyPath::default(), protection)?;
        Ok((account, words))
    }

    /// The account that `words` give at `path`.
    pub fn restore(
        &self,
        name: &str,
        words: &Words,
        path: KeyPath,
        protection: &Protection,
    ) -> Result<Account, CreateRefused> {
        self.put_account(name, &words.secret(path), Some(path), protection)
    }

    /// The account whose secret key (secp256k1, 32 bytes) is given.
    pub fn import(
        &self,
        name: &str,
        secret: &[u8; 32],
        protection: &Protection,
    ) -> Result<Account, CreateRefused> {
        self.put_account(name, secret, None, protection)
    }

    /// A random relay key.
    pub fn create_relay(
        &self,
        name: &str,
        protection: &Protection,
    ) -> Result<RelayEntry, CreateRefused> {
        self.import_relay(name, &*random()?, protection)
    }

    /// The relay key whose 32 secret bytes (RFC 8032 seed) are given.
    pub fn import_relay(
        &self,
        name: &str,
        secret: &[u8; 32],
        protection: &Protection,
    ) -> Result<RelayEntry, CreateRefused> {
        let relay_key = RelaySecret::from_bytes(secret).public();
        self.put(name, Public::Relay { relay_key }, secret, protection)?;
        let sealed = matches!(protection, Protection::Password(_));
        Ok(RelayEntry { name: name.to_owned(), relay_key, sealed })
    }

    /// All keys, in the order of their names.
    pub fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let failed = |source| disk(&self.folder, source);
        let mut names = Vec::new();
        for file in std::fs::read_dir(&self.folder).map_err(failed)? {
            let file = file.map_err(failed)?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
            names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort();
        names.iter().map(|name| self.show(name)).collect()
    }

    /// One key.
    pub fn show(&self, name: &str) -> Result<Entry, StoreError> {
        let envelope = self.read(name)?;
        let sealed = matches!(envelope.secret, Secret::Sealed(_));
        let name = name.to_owned();
        Ok(match envelope.public {
            Public::Account { address, public_key, path } => {
                Entry::Account(Account { name, address, public_key, path, sealed })
            }
            Public::Relay { relay_key } => Entry::Relay(RelayEntry { name, relay_key, sealed }),
        })
    }

    /// Removes a key for good. What its words do not give back is lost.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name)?;
        file::remove(&path).map_err(|source| self.failed(name, &path, source))
    }

    /// The secret of a key, to be kept elsewhere: 32 bytes. `password` is for sealed ones.
    pub fn export(
        &self,
        name: &str,
        password: Option<&str>,
    ) -> Result<Zeroizing<[u8; 32]>, UnlockRefused> {
        let envelope = self.read(name)?;
        self.reveal(name, &envelope, password)
    }

    /// The account's key, ready to sign. `password` is for sealed ones.
    pub fn unlock(&self, name: &str, password: Option<&str>) -> Result<Signer, UnlockRefused> {
        let envelope = self.read(name)?;
        let Public::Account { address, .. } = envelope.public else {
            return Err(other_kind(name, "a relay key", "an account"));
        };
        let secret = self.reveal(name, &envelope, password)?;
        match Signer::from_bytes(&secret) {
            Ok(signer) if signer.address() == address => Ok(signer),
            _ => Err(self.not_its_own(name)),
        }
    }

    /// The relay key, ready to sign. `password` is for sealed ones.
    pub fn unlock_relay(
        &self,
        name: &str,
        password: Option<&str>,
    ) -> Result<RelaySecret, UnlockRefused> {
        let envelope = self.read(name)?;
        let Public::Relay { relay_key } = envelope.public else {
            return Err(other_kind(name, "an account", "a relay key"));
        };
        let secret = RelaySecret::from_bytes(&*self.reveal(name, &envelope, password)?);
        if secret.public() == relay_key { Ok(secret) } else { Err(self.not_its_own(name)) }
    }

    fn put_account(
        &self,
        name: &str,
        secret: &[u8; 32],
        path: Option<KeyPath>,
        protection: &Protection,
    ) -> Result<Account, CreateRefused> {
        let signer = Signer::from_bytes(secret)?;
        let (address, path) = (signer.address(), Public::path(path));
        let public_key = hex::encode(signer.public_key().to_bytes());
        let public =
            Public::Account { address, public_key: public_key.clone(), path: path.clone() };
        self.put(name, public, secret, protection)?;
        let sealed = matches!(protection, Protection::Password(_));
        Ok(Account { name: name.to_owned(), address, public_key, path, sealed })
    }

    fn put(
        &self,
        name: &str,
        public: Public,
        secret: &[u8; 32],
        protection: &Protection,
    ) -> Result<(), CreateRefused> {
        let path = self.path(name)?;
        let secret = match protection {
            Protection::Password(password) => {
                Secret::Sealed(seal(password, &public.bound(), secret)?)
            }
            Protection::None => Secret::NotProtected(Plain(Zeroizing::new(*secret))),
        };
        let envelope = Envelope { version: VERSION, public, secret };
        let text = serde_json::to_vec_pretty(&envelope).expect("a key file has text keys only");
        file::create(&path, &Zeroizing::new(text)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                CreateRefused::Exists { name: name.to_owned(), folder: self.folder.clone() }
            }
            _ => disk(&path, error).into(),
        })
    }

    fn read(&self, name: &str) -> Result<Envelope, StoreError> {
        let path = self.path(name)?;
        let failed = |source| self.failed(name, &path, source);
        let bytes = file::read(&path).map_err(failed)?;
        let mode = file::open_to_others(&path).map_err(failed)?;
        if mode != 0 {
            return Err(StoreError::TooOpen { path, mode });
        }
        if let Some(version) = version_of(&bytes).filter(|version| *version != VERSION) {
            return Err(StoreError::OtherVersion { path, version });
        }
        serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Damaged { path, reason: error.to_string() })
    }

    fn reveal(
        &self,
        name: &str,
        envelope: &Envelope,
        password: Option<&str>,
    ) -> Result<Zeroizing<[u8; 32]>, UnlockRefused> {
        let sealed = match &envelope.secret {
            Secret::NotProtected(plain) => return Ok(plain.0.clone()),
            Secret::Sealed(sealed) => sealed,
        };
        let password = password.ok_or_else(|| UnlockRefused::PasswordNeeded(name.to_owned()))?;
        let locked = |source| UnlockRefused::Sealed { name: name.to_owned(), source };
        let bytes = sealed.open(password, &envelope.public.bound()).map_err(locked)?;
        let secret = bytes.as_slice().try_into().map(Zeroizing::new);
        secret.map_err(|_| locked(UnsealRefused::Malformed("sealed")))
    }

    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        if is_name(name) {
            Ok(self.folder.join(file_name(name)))
        } else {
            Err(StoreError::BadName(name.to_owned()))
        }
    }

    fn failed(&self, name: &str, path: &Path, source: io::Error) -> StoreError {
        match source.kind() {
            io::ErrorKind::NotFound => {
                StoreError::NotFound { name: name.to_owned(), folder: self.folder.clone() }
            }
            _ => disk(path, source),
        }
    }

    fn not_its_own(&self, name: &str) -> UnlockRefused {
        let path = self.folder.join(file_name(name));
        let reason = "its secret does not belong to the public key that it names".to_owned();
        StoreError::Damaged { path, reason }.into()
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.json")
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

// Read on its own, so that a later format is told apart from damage.
fn version_of(bytes: &[u8]) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    serde_json::from_slice(bytes).ok().map(|Versioned { version }| version)
}

fn disk(path: &Path, source: io::Error) -> StoreError {
    StoreError::Disk { path: path.to_owned(), source }
}

fn other_kind(name: &str, is: &'static str, wanted: &'static str) -> UnlockRefused {
    UnlockRefused::OtherKind { name: name.to_owned(), is, wanted }
}
