//! Dossiers that were judged, kept for a while: whoever doubts a verdict can have it made again.
//!
//! ```text
//! exhibits/HEIGHT-AUDIT.json    the dossier, for its owner only
//! ```

use proto::dossier::Dossier;
use proto::{Digest, Height};
use std::io;
use std::path::{Path, PathBuf};

/// The folder in an auditor's home.
pub const FOLDER: &str = "exhibits";

/// What is kept.
pub struct Shelf {
    folder: PathBuf,
    max: u64,
}

impl Shelf {
    /// The shelf in `home`, on which at most `max` bytes are kept.
    pub fn open(home: &Path, max: u64) -> io::Result<Shelf> {
        let folder = home.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        Ok(Shelf { folder, max })
    }

    /// Keeps a dossier. Where it would be too much, the oldest go.
    pub fn keep(&self, audit: &Digest, at: Height, dossier: &Dossier) -> io::Result<()> {
        let text = serde_json::to_vec(dossier)?;
        self.make_room(text.len() as u64)?;
        let name = format!("{:012}-{audit}.json", at.0);
        daemon::file::write_private(&self.folder.join(name), &text)
    }

    /// Removes what was kept before a height.
    pub fn sweep(&self, before: Height) -> io::Result<()> {
        for (path, at, _) in self.kept()? {
            if at < before {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn make_room(&self, more: u64) -> io::Result<()> {
        let kept = self.kept()?;
        let mut used: u64 = kept.iter().map(|(_, _, bytes)| bytes).sum();
        for (path, _, bytes) in kept {
            if used.saturating_add(more) <= self.max {
                break;
            }
            std::fs::remove_file(path)?;
            used -= bytes;
        }
        Ok(())
    }

    /// What is kept, oldest first.
    fn kept(&self) -> io::Result<Vec<(PathBuf, Height, u64)>> {
        let mut kept = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(at) = name.split('-').next().and_then(|at| at.parse().ok()) else { continue };
            kept.push((entry.path(), Height(at), entry.metadata()?.len()));
        }
        kept.sort();
        Ok(kept)
    }
}

/// The newest dossier of an audit in an auditor's `home`, by the audit's id or its first digits.
pub fn find(home: &Path, audit: &str) -> io::Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(home.join(FOLDER))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of = name.split_once('-').is_some_and(|(_, id)| id.starts_with(audit));
        if of && name.ends_with(".json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.pop())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Address;
    use proto::keys::RelayKey;
    use proto::service::ServiceId;
    use std::os::unix::fs::PermissionsExt;

    fn dossier(bytes: usize) -> Dossier {
        Dossier {
            form: "f".into(),
            chain_id: "c".into(),
            service: ServiceId::new("demo").unwrap(),
            supplier: Address([5; 20]),
            relay_key: RelayKey([1; 32]),
            path: "/v1/completions".into(),
            body: vec![0; bytes],
            answer: vec![],
            evidence: vec![],
            receipt: vec![],
        }
    }

    #[test]
    fn the_oldest_go_when_there_is_no_room_and_when_their_time_is_over() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(home.path(), 5_000).unwrap();
        for (id, at) in [(1, 9), (2, 100), (3, 101)] {
            shelf.keep(&Digest([id; 32]), Height(at), &dossier(900)).unwrap();
        }
        assert_eq!(find(home.path(), "0101").unwrap(), None);
        let path = find(home.path(), &Digest([3; 32]).to_string()).unwrap().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        shelf.sweep(Height(101)).unwrap();
        assert_eq!(find(home.path(), "0202").unwrap(), None);
        let text = std::fs::read(path).unwrap();
        assert_eq!(serde_json::from_slice::<Dossier>(&text).unwrap(), dossier(900));
    }
}
