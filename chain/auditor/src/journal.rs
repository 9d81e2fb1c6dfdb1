//! What an auditor said, before it says it: a verdict with its salt is on the disk before anybody
//! hears of the commitment.
//!
//! ```text
//! journal.log    one JSON object a line
//! ```
//! A last line that a crash left half was committed to nowhere, and is cut off. Old entries go when
//! the journal is opened.

use proto::audit::{Audit, Round, Verdict};
use proto::service::ServiceId;
use proto::{Cu, Digest, Height};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The journal's file in an auditor's home.
pub const FILE: &str = "journal.log";

/// What an auditor found in one audit, and how it commits to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub audit: Audit,
    pub round: Round,
    pub service: ServiceId,
    /// The first height of the audited session.
    pub start: Height,
    /// The height at which it was judged.
    pub at: Height,
    pub verdict: Verdict,
    pub salt: Digest,
    /// Why, for people.
    pub because: String,
    /// Compute units that the receipt billed beyond what may be billed.
    pub excess: Cu,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the journal {} cannot be used: {source}", path.display())]
pub struct JournalFailed {
    pub path: PathBuf,
    pub source: io::Error,
}

/// What was said and is to be said.
pub struct Journal {
    path: PathBuf,
    file: File,
    entries: BTreeMap<(Digest, Round), Entry>,
}

impl Journal {
    /// Opens the journal in `home`. Entries of before `from` go.
    pub fn open(home: &Path, from: Height) -> Result<Journal, JournalFailed> {
        let path = home.join(FILE);
        let failed = |source| JournalFailed { path: path.clone(), source };
        let kept: Vec<Entry> = match std::fs::read(&path) {
            Ok(bytes) => read(&bytes).into_iter().filter(|entry| entry.at >= from).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let text: Vec<u8> = kept.iter().flat_map(line).collect();
        daemon::file::write_private(&path, &text).map_err(failed)?;
        let file = OpenOptions::new().append(true).mode(0o600).open(&path).map_err(failed)?;
        let entries = kept.into_iter().map(|entry| ((entry.audit.id, entry.round), entry));
        let entries = entries.collect();
        Ok(Journal { path, file, entries })
    }

    /// Writes down what was found. It is on the disk when this returns.
    pub fn write(&mut self, entry: Entry) -> Result<(), JournalFailed> {
        let written = self.file.write_all(&line(&entry)).and_then(|()| self.file.sync_data());
        written.map_err(|source| JournalFailed { path: self.path.clone(), source })?;
        self.entries.insert((entry.audit.id, entry.round), entry);
        Ok(())
    }

    /// What was found of an audit in a round.
    pub fn get(&self, audit: &Digest, round: Round) -> Option<&Entry> {
        self.entries.get(&(*audit, round))
    }

    /// All that is kept.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

/// All entries of a journal in `home`, for who only looks.
pub fn entries(home: &Path) -> Result<Vec<Entry>, JournalFailed> {
    let path = home.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(read(&bytes)),
        Err(source) => Err(JournalFailed { path, source }),
    }
}

fn line(entry: &Entry) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).expect("names and numbers are JSON");
    line.push(b'\n');
    line
}

/// The entries before the first line that is none.
fn read(bytes: &[u8]) -> Vec<Entry> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    lines.map_while(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests;
