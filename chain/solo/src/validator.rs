//! The validator's keys: one signs blocks, one draws seeds.

use ed25519_dalek::{Signer, SigningKey};
use proto::vrf::{VrfPublic, VrfSecret};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use tendermint::{PublicKey, Signature, account, validator};
use zeroize::{Zeroize, Zeroizing};

/// The file in a chain's home that holds the validator's keys.
pub const KEYS_FILE: &str = "validator.json";

/// The power of the only validator; any number would do.
const POWER: u32 = 10;

/// The keys of the one validator of an embedded chain.
pub struct ValidatorKeys {
    signing: SigningKey,
    vrf: VrfSecret,
    public: PublicKey,
}

/// The public halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorPublic {
    /// The ed25519 key under each block, in hex.
    pub consensus_key: proto::Digest,
    /// The key of the verifiable random function that draws seeds, in hex.
    pub vrf_key: VrfPublic,
}

/// Why keys were not kept or found.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path} holds no validator's keys: {reason}")]
    Malformed { path: PathBuf, reason: String },
    #[error("{path} is there already: keys are never overwritten")]
    Present { path: PathBuf },
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

/// The file's content. Its memory is wiped when it goes.
#[derive(Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: u32,
    signing: String,
    vrf: String,
}

const FORMAT: u32 = 1;

impl ValidatorKeys {
    /// The keys whose secret bytes are given.
    pub fn from_bytes(signing: &[u8; 32], vrf: &[u8; 32]) -> ValidatorKeys {
        let signing = SigningKey::from_bytes(signing);
        let public = PublicKey::from_raw_ed25519(signing.verifying_key().as_bytes())
            .expect("a derived key is a key");
        ValidatorKeys { signing, vrf: VrfSecret::from_bytes(vrf), public }
    }

    /// Makes keys and keeps them in `home`, for nobody else to read.
    pub fn create(home: &Path) -> Result<ValidatorKeys, KeysError> {
        let (mut signing, mut vrf) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        getrandom::fill(&mut *signing).map_err(KeysError::NoRandomness)?;
        getrandom::fill(&mut *vrf).map_err(KeysError::NoRandomness)?;
        let kept = Kept { format: FORMAT, signing: hex::encode(*signing), vrf: hex::encode(*vrf) };
        write_new(&home.join(KEYS_FILE), &kept)?;
        Ok(ValidatorKeys::from_bytes(&signing, &vrf))
    }

    /// Reads the keys that are kept in `home`.
    pub fn load(home: &Path) -> Result<ValidatorKeys, KeysError> {
        let path = home.join(KEYS_FILE);
        let mut text = Zeroizing::new(String::new());
        std::fs::File::open(&path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|error| KeysError::File { path: path.clone(), error })?;
        let bad = |reason: &str| KeysError::Malformed { path: path.clone(), reason: reason.into() };
        // The parser's own words might quote a secret.
        let kept: Kept = serde_json::from_str(&text).map_err(|_| bad("it is not of its form"))?;
        if kept.format != FORMAT {
            return Err(bad("it is of another format"));
        }
        let (mut signing, mut vrf) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        hex::decode_to_slice(&kept.signing, &mut *signing)
            .and_then(|()| hex::decode_to_slice(&kept.vrf, &mut *vrf))
            .map_err(|_| bad("a key is not 64 hex digits"))?;
        Ok(ValidatorKeys::from_bytes(&signing, &vrf))
    }

    /// The public halves.
    pub fn public(&self) -> ValidatorPublic {
        ValidatorPublic {
            consensus_key: proto::Digest(self.signing.verifying_key().to_bytes()),
            vrf_key: self.vrf.public(),
        }
    }

    pub(crate) fn vrf(&self) -> &VrfSecret {
        &self.vrf
    }

    pub(crate) fn vrf_public(&self) -> VrfPublic {
        self.vrf.public()
    }

    /// The address by which CometBFT knows the validator.
    pub(crate) fn address(&self) -> account::Id {
        account::Id::from(self.public)
    }

    /// The validator as its set holds it.
    pub(crate) fn info(&self) -> validator::Info {
        validator::Info::new(self.public, POWER.into())
    }

    /// The set of validators.
    pub(crate) fn set(&self) -> validator::Set {
        validator::Set::new(vec![self.info()], Some(self.info()))
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Signature {
        let signature = self.signing.sign(bytes).to_bytes();
        Signature::try_from(signature.as_slice()).expect("64 bytes are a signature")
    }
}

impl fmt::Debug for ValidatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValidatorKeys(of {})", self.address())
    }
}

fn write_new(path: &Path, kept: &Kept) -> Result<(), KeysError> {
    if path.exists() {
        return Err(KeysError::Present { path: path.to_owned() });
    }
    let text = Zeroizing::new(serde_json::to_string_pretty(kept).expect("it is plain text"));
    daemon::file::write_private(path, text.as_bytes())
        .map_err(|error| KeysError::File { path: path.to_owned(), error })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_are_kept_for_their_owner_only_and_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let made = ValidatorKeys::create(home.path()).unwrap();
        let mode = std::fs::metadata(home.path().join(KEYS_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(ValidatorKeys::load(home.path()).unwrap().public(), made.public());
        let again = ValidatorKeys::create(home.path());
        assert!(matches!(again, Err(KeysError::Present { .. })));
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let home = tempfile::tempdir().unwrap();
        let text = r#"{"format":1,"signing":"5ec2e7","vrf":"5ec2e7"}"#;
        std::fs::write(home.path().join(KEYS_FILE), text).unwrap();
        let error = ValidatorKeys::load(home.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("5ec2e7"));
    }
}
