//! One writer for all books: what waits is written together and synced once.

use super::journal::{Journal, JournalRefused};
use super::log::Log;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Records that wait to be written at most: beyond that, relays wait.
const WAITING_MAX: usize = 4096;

/// Records that are written together at most: an answer that waits for its sync waits for them all.
const BATCH_MAX: usize = 1024;

/// How long the writer waits for more records when relays come side by side. A sync costs the processor
/// as much as some relays do; a single relay, or the first of many, does not wait.
const LINGER: Duration = Duration::from_millis(1);

/// A book could not be written. What is on the disk is not known, so nothing more is written: the relay
/// miner has to be started again.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the book {} cannot be written ({reason}): see to the disk and start the relay miner again",
    path.display()
)]
pub struct WriteFailed {
    pub path: PathBuf,
    pub reason: String,
}

/// Why a writer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFailed {
    #[error(transparent)]
    Journal(#[from] JournalRefused),
    #[error("the thread that writes books does not start: {0}")]
    Thread(#[from] io::Error),
}

struct Write {
    log: Arc<Log>,
    bytes: Vec<u8>,
    done: oneshot::Sender<Result<(), WriteFailed>>,
}

/// Where records are handed in. Clones share the writer.
#[derive(Clone, Debug)]
pub struct Writer {
    writes: mpsc::Sender<Write>,
    failed: watch::Receiver<Option<WriteFailed>>,
}

/// The writer's thread, which ends when the last [`Writer`] goes, with all written.
#[derive(Debug)]
pub struct WriterTask {
    failed: watch::Receiver<Option<WriteFailed>>,
    figures: Arc<Figures>,
}

/// What the writer did.
#[derive(Debug, Default)]
struct Figures {
    syncs: std::sync::atomic::AtomicU64,
}

/// Room in the writer's queue for one record.
pub struct Slot(mpsc::OwnedPermit<Write>);

/// A record that was handed in.
#[must_use = "a record is durable once it was waited for"]
pub struct Pending {
    answer: oneshot::Receiver<Result<(), WriteFailed>>,
    failed: watch::Receiver<Option<WriteFailed>>,
}

impl Writer {
    /// Starts the writer of the books in `folder`, after what a crash kept from them was written. No
    /// book may have been opened before.
    pub fn start(folder: &Path) -> Result<(Writer, WriterTask), StartFailed> {
        let journal = Journal::open(folder)?;
        let (writes, queue) = mpsc::channel(WAITING_MAX);
        let (fail, failed) = watch::channel(None);
        let figures = Arc::new(Figures::default());
        let counted = figures.clone();
        let work = move || write_all(queue, journal, &fail, &counted);
        std::thread::Builder::new().name("books".into()).spawn(work)?;
        let task = WriterTask { failed: failed.clone(), figures };
        Ok((Writer { writes, failed }, task))
    }

    /// Waits for a place in the queue.
    pub async fn slot(&self) -> Result<Slot, WriteFailed> {
        match self.writes.clone().reserve_owned().await {
            Ok(permit) => Ok(Slot(permit)),
            Err(_) => Err(failure(&self.failed)),
        }
    }

    /// Waits until writing failed; never, as long as it does not.
    pub async fn failed(&self) -> WriteFailed {
        let mut failed = self.failed.clone();
        let _ = failed.wait_for(Option::is_some).await;
        failure(&failed)
    }

    /// Whether writing failed.
    pub fn has_failed(&self) -> bool {
        self.failed.borrow().is_some()
    }
}

impl WriterTask {
    /// How often the disk was synced.
    pub fn syncs(&self) -> u64 {
        self.figures.syncs.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Waits until the thread has ended.
    pub async fn ended(&mut self) {
        // The thread holds the other end.
        while self.failed.changed().await.is_ok() {}
    }
}

impl Slot {
    /// Hands in `bytes` for a book. To be called while the book is locked, so that records come into
    /// the file in the order in which they came into the book.
    pub fn put(self, log: &Arc<Log>, bytes: Vec<u8>, writer: &Writer) -> Pending {
        let (done, answer) = oneshot::channel();
        self.0.send(Write { log: log.clone(), bytes, done });
        Pending { answer, failed: writer.failed.clone() }
    }
}

impl Pending {
    /// Waits until the record, and all before it, is on the disk.
    pub async fn durable(self) -> Result<(), WriteFailed> {
        match self.answer.await {
            Ok(result) => result,
            Err(_) => Err(failure(&self.failed)),
        }
    }
}

fn failure(failed: &watch::Receiver<Option<WriteFailed>>) -> WriteFailed {
    failed.borrow().clone().unwrap_or_else(|| WriteFailed {
        path: PathBuf::new(),
        reason: "its writer has ended".to_owned(),
    })
}

fn write_all(
    mut queue: mpsc::Receiver<Write>,
    mut journal: Journal,
    fail: &watch::Sender<Option<WriteFailed>>,
    figures: &Figures,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut busy = false;
    while queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        if busy {
            std::thread::sleep(LINGER);
            while batch.len() < BATCH_MAX {
                let Ok(write) = queue.try_recv() else { break };
                batch.push(write);
            }
        }
        busy = batch.len() > 1;
        let result = write_batch(&batch, &mut journal, figures);
        if let Err(failed) = &result {
            tracing::error!(error = %failed, "books are not written any more");
            fail.send_replace(Some(failed.clone()));
        }
        for write in batch.drain(..) {
            // Who does not wait any more does not need the answer.
            let _gone = write.done.send(result.clone());
        }
        if result.is_err() {
            return;
        }
    }
    if let Err(error) = journal.begin_anew() {
        // The journal holds what the books may lack: the next start finds it there.
        tracing::warn!(%error, "books are not synced at the end");
    }
}

fn write_batch(
    batch: &[Write],
    journal: &mut Journal,
    figures: &Figures,
) -> Result<(), WriteFailed> {
    let mut books: Vec<(&Arc<Log>, Vec<u8>)> = Vec::new();
    for write in batch {
        match books.iter_mut().find(|(log, _)| Arc::ptr_eq(log, &write.log)) {
            Some((_, bytes)) => bytes.extend_from_slice(&write.bytes),
            None => {
                let mut bytes = write.log.beginning().map(Vec::from).unwrap_or_default();
                bytes.extend_from_slice(&write.bytes);
                books.push((&write.log, bytes));
            }
        }
    }
    let failed = |error: io::Error| WriteFailed {
        path: books.first().map_or_else(PathBuf::new, |(log, _)| log.path().to_owned()),
        reason: error.to_string(),
    };
    journal.write(&books).map_err(failed)?;
    figures.syncs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Ok(())
}
