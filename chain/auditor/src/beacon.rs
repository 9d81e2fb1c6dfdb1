//! The validator's beacon key, from its home: it draws the seats of an auditor.
//!
//! ```text
//! HOME/validator.json           the embedded engine
//! HOME/config/beacon_key.json   loded
//! ```

use proto::vrf::VrfSecret;
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Where each engine keeps it.
const SOLO_FILE: &str = "validator.json";
const LODED_FILE: &str = "config/beacon_key.json";

/// The one format of both.
const FORMAT: u32 = 1;

/// Why there is no beacon key.
#[derive(Debug, thiserror::Error)]
pub enum NoBeacon {
    #[error(
        "{} holds neither {SOLO_FILE} nor {LODED_FILE}: name the validator's home",
        home.display()
    )]
    Absent { home: PathBuf },
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{} holds no beacon key of format {FORMAT}", path.display())]
    Malformed { path: PathBuf },
}

/// What the files have in common; the embedded engine's holds another key beside it.
#[derive(Deserialize, Zeroize)]
#[zeroize(drop)]
struct Kept {
    format: u32,
    #[serde(alias = "vrf")]
    secret: String,
}

/// The beacon key of the validator in `home`.
pub fn load(home: &Path) -> Result<VrfSecret, NoBeacon> {
    for file in [SOLO_FILE, LODED_FILE] {
        let path = home.join(file);
        match std::fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => return read(&text).ok_or(NoBeacon::Malformed { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(NoBeacon::Disk { path, source }),
        }
    }
    Err(NoBeacon::Absent { home: home.to_owned() })
}

fn read(text: &str) -> Option<VrfSecret> {
    // The parser's own words might quote a secret.
    let kept: Kept = serde_json::from_str(text).ok().filter(|kept: &Kept| kept.format == FORMAT)?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(&kept.secret, &mut *secret).ok()?;
    Some(VrfSecret::from_bytes(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_either_engine_is_found() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(load(home.path()), Err(NoBeacon::Absent { .. })));
        let key = "07".repeat(32);
        std::fs::create_dir(home.path().join("config")).unwrap();
        let loded = format!(r#"{{"format":1,"secret":"{key}"}}"#);
        std::fs::write(home.path().join(LODED_FILE), loded).unwrap();
        let own = VrfSecret::from_bytes(&[7; 32]).public();
        assert_eq!(load(home.path()).unwrap().public(), own);
        let solo = format!(r#"{{"format":1,"signing":"{}","vrf":"{key}"}}"#, "08".repeat(32));
        std::fs::write(home.path().join(SOLO_FILE), solo).unwrap();
        assert_eq!(load(home.path()).unwrap().public(), own);
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(SOLO_FILE), r#"{"format":1,"vrf":"5ec2e7"}"#).unwrap();
        let error = load(home.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("5ec2e7"));
    }
}
