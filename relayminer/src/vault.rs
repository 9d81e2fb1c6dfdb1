//! What auditors may ask for: each relay's request, answer and evidence, kept until nobody may ask any
//! more.
//!
//! ```text
//! evidence/SESSION.log    length:4 check:8 record | length:4 check:8 record | …
//! record                  head:4 head (JSON) | request | answer | evidence
//! ```
//! A record is on the disk before the receipt that commits to it is signed for good. One thread writes,
//! so that records that come together share a sync. Integers are big-endian; `check` is the beginning
//! of the record's blake3. A tail that a crash left was promised to nobody, and is cut off before more is
//! written.

mod file;

pub use file::{FindFailed, find};

use file::{Files, find_in, frame};
use proto::Digest;
use proto::dossier::Dossier;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// The folder in a relay miner's home.
pub const FOLDER: &str = "evidence";

/// Bytes of one record at most: longer answers are not kept, and their receipts commit to no evidence.
pub const RECORD_MAX: usize = 24 << 20;

/// Records that wait for the disk at most.
const WAITING_MAX: usize = 256;

/// Why a relay is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    #[error("the record has {0} bytes, but at most {RECORD_MAX} are kept")]
    Long(usize),
    #[error(
        "{used} bytes of evidence are kept, and {more} more would be over limits.evidence_mib: raise it, or take fewer relays"
    )]
    Full { used: u64, more: u64 },
    #[error("the disk does not take it: {0}")]
    Disk(std::io::Error),
    #[error("the thread that writes evidence has ended")]
    Ended,
}

/// Where dossiers are kept.
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    jobs: mpsc::Sender<Job>,
    sizes: Arc<Mutex<Sizes>>,
    max: u64,
}

/// Bytes that are kept, by session.
#[derive(Debug, Default)]
struct Sizes {
    sessions: BTreeMap<Digest, u64>,
    used: u64,
}

enum Job {
    Keep { session: Digest, bytes: Vec<u8>, done: oneshot::Sender<std::io::Result<()>> },
    Forget(Digest),
}

impl Vault {
    /// Opens the folder at `path`, in which at most `max` bytes are kept.
    pub fn open(path: &Path, max: u64) -> std::io::Result<Vault> {
        std::fs::create_dir_all(path)?;
        let sizes = Arc::new(Mutex::new(sizes(path)?));
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (folder, own) = (path.to_owned(), path.to_owned());
        std::thread::Builder::new()
            .name("evidence".to_owned())
            .spawn(move || write(folder, waiting))?;
        Ok(Vault { folder: own, jobs, sizes, max })
    }

    /// Keeps a dossier. It is on the disk when this returns.
    pub async fn keep(
        &self,
        session: Digest,
        relay: Digest,
        dossier: &Dossier,
    ) -> Result<(), NotKept> {
        let bytes = frame(&relay, dossier);
        if bytes.len() > RECORD_MAX {
            return Err(NotKept::Long(bytes.len()));
        }
        let more = bytes.len() as u64;
        self.reserve(session, more)?;
        let (done, kept) = oneshot::channel();
        let sent = self.jobs.send(Job::Keep { session, bytes, done }).await;
        sent.map_err(|_| NotKept::Ended)?;
        kept.await.map_err(|_| NotKept::Ended)?.map_err(NotKept::Disk)
    }

    /// The dossier of a relay. It reads the session's file, so it is for a thread of its own.
    pub fn find(&self, session: &Digest, relay: &Digest) -> Result<Dossier, FindFailed> {
        find_in(&self.folder, session, relay)
    }

    /// Removes what is kept of sessions for which `keep` says no.
    pub async fn sweep(&self, keep: impl Fn(&Digest) -> bool) {
        for session in self.over(keep) {
            if self.jobs.send(Job::Forget(session)).await.is_err() {
                return;
            }
        }
    }

    /// Sessions for which `keep` says no; their room is free again.
    fn over(&self, keep: impl Fn(&Digest) -> bool) -> Vec<Digest> {
        let mut sizes = self.sizes();
        let over: Vec<Digest> =
            sizes.sessions.keys().filter(|session| !keep(session)).copied().collect();
        for session in &over {
            let freed = sizes.sessions.remove(session).unwrap_or(0);
            sizes.used = sizes.used.saturating_sub(freed);
        }
        over
    }

    /// Bytes that are kept.
    pub fn used(&self) -> u64 {
        self.sizes().used
    }

    fn reserve(&self, session: Digest, more: u64) -> Result<(), NotKept> {
        let mut sizes = self.sizes();
        let used = sizes.used;
        if used.saturating_add(more) > self.max {
            return Err(NotKept::Full { used, more });
        }
        sizes.used += more;
        *sizes.sessions.entry(session).or_default() += more;
        Ok(())
    }

    fn sizes(&self) -> MutexGuard<'_, Sizes> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sizes(folder: &Path) -> std::io::Result<Sizes> {
    let mut sizes = Sizes::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        let stem = name.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Ok(session) = Digest::parse(stem) else { continue };
        let bytes = entry.metadata()?.len();
        sizes.used += bytes;
        sizes.sessions.insert(session, bytes);
    }
    Ok(sizes)
}

/// Writes what comes, as much as there is with one sync of each file, until nobody sends any more.
fn write(folder: PathBuf, mut jobs: mpsc::Receiver<Job>) {
    let mut files = Files::new(folder);
    while let Some(first) = jobs.blocking_recv() {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Keep { session, bytes, done } => {
                    let written = files.append(&session, &bytes);
                    waiting.push((session, written, done));
                }
                Job::Forget(session) => {
                    if let Err(error) = files.remove(&session) {
                        tracing::warn!(%session, %error, "evidence is not removed");
                    }
                }
            }
            next = jobs.try_recv().ok();
        }
        let synced = files.sync();
        for (session, written, done) in waiting {
            let failed = synced.iter().find(|(of, _)| *of == session);
            let failed = failed.map(|(_, error)| std::io::Error::from(*error));
            // Whoever waits for it may have gone.
            let _gone = done.send(written.and_then(|()| failed.map_or(Ok(()), Err)));
        }
    }
}

#[cfg(test)]
mod tests;
