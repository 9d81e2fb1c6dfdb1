//! The one task that writes: what waits goes into one transaction, so that an fsync is shared.

mod script;

use super::{Books, BooksError, Outcome, Running};
use proto::claim::{ClaimRoot, Settled};
use proto::leaf::Opening;
use proto::session::Session;
use proto::{Address, Digest, Time};
use script::Spent;
use sqlx::{Connection, SqliteConnection};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

/// Writes in one transaction at most: SQLite takes 32,766 values in a statement, and a relay has
/// seventeen.
const BATCH_MAX: usize = 512;

/// How long the writer waits for more when it is busy: a transaction costs the processor as much as many
/// rows do.
const LINGER: Duration = Duration::from_millis(1);

/// Writes in one batch from which on the writer is busy. Few relays, one after the other, do not wait.
const BUSY_FROM: usize = 8;

/// How long a batch that failed waits before it is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Times that a batch is tried before those who wait for it are told.
const TRIES: u32 = 5;

#[derive(Debug)]
pub(super) struct Job {
    write: Write,
    done: Option<oneshot::Sender<()>>,
}

#[derive(Debug)]
enum Write {
    Begin(Running),
    End(Box<Outcome>),
    Forget(Digest),
    Session(Box<Session>),
    Claim { supplier: Address, claim: ClaimRoot },
    Settled(Box<Settled>),
    Opening { relay_id: Digest, opening: Box<Opening> },
    Close { session_id: Digest },
    Prune { before: Time },
}

/// Resolves once something is on disk.
#[derive(Debug)]
pub struct Ended(oneshot::Receiver<()>);

impl Ended {
    /// Waits until it is on disk, or cannot be written.
    pub async fn on_disk(self) -> Result<(), BooksError> {
        self.0.await.map_err(|_| BooksError::Closed)
    }
}

impl Books {
    /// Books that a relay is about to be sent.
    pub async fn begin(&self, running: Running) -> Result<Ended, BooksError> {
        self.write(Write::Begin(running)).await
    }

    /// Books how a relay ended, and charges its key.
    pub async fn end(&self, outcome: Outcome) -> Result<Ended, BooksError> {
        self.write(Write::End(Box::new(outcome))).await
    }

    /// Removes a relay that no supplier took.
    pub async fn forget(&self, relay_id: Digest) -> Result<Ended, BooksError> {
        self.write(Write::Forget(relay_id)).await
    }

    /// Books an opened session.
    pub async fn open_session(&self, session: Session) -> Result<Ended, BooksError> {
        self.write(Write::Session(Box::new(session))).await
    }

    /// Books what a supplier claimed; a later claim replaces it.
    pub async fn claimed(&self, supplier: Address, claim: ClaimRoot) -> Result<Ended, BooksError> {
        self.write(Write::Claim { supplier, claim }).await
    }

    /// Books what became of a claim.
    pub async fn settled(&self, settled: Settled) -> Result<Ended, BooksError> {
        self.write(Write::Settled(Box::new(settled))).await
    }

    /// Books the proof that a relay is in a claim.
    pub async fn opened(&self, relay_id: Digest, opening: Opening) -> Result<Ended, BooksError> {
        self.write(Write::Opening { relay_id, opening: Box::new(opening) }).await
    }

    /// Notes that nothing more will become known of a session.
    pub async fn close_session(&self, session_id: Digest) -> Result<Ended, BooksError> {
        self.write(Write::Close { session_id }).await
    }

    /// Removes relays that ended before a time, and closed sessions that have none left.
    pub async fn prune(&self, before: Time) -> Result<Ended, BooksError> {
        self.write(Write::Prune { before }).await
    }

    async fn write(&self, write: Write) -> Result<Ended, BooksError> {
        let (done, ended) = oneshot::channel();
        let job = Job { write, done: Some(done) };
        self.jobs.send(job).await.map_err(|_| BooksError::Closed)?;
        Ok(Ended(ended))
    }
}

/// Writes until nobody can ask for it any more.
pub(super) async fn run(mut connection: SqliteConnection, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    let mut spent = Spent::default();
    let mut busy = false;
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if busy {
            tokio::time::sleep(LINGER).await;
            while batch.len() < BATCH_MAX {
                let Ok(job) = waiting.try_recv() else { break };
                batch.push(job);
            }
        }
        busy = batch.len() >= BUSY_FROM;
        for attempt in 1..=TRIES {
            match commit(&mut connection, &batch, &mut spent).await {
                Ok(()) => {
                    for job in &mut batch {
                        // Who does not wait any more needs no answer.
                        let _ = job.done.take().map(|done| done.send(()));
                    }
                    break;
                }
                Err(failed) => {
                    error!(writes = batch.len(), attempt, error = %failed, "books not written");
                    tokio::time::sleep(RETRY * attempt).await;
                }
            }
        }
        // Who still waits is told by the end of its channel.
        batch.clear();
    }
    let _ = connection.close().await;
}

async fn commit(
    connection: &mut SqliteConnection,
    batch: &[Job],
    spent: &mut Spent,
) -> Result<(), sqlx::Error> {
    let after = spent.after(connection, batch).await?;
    let mut script = script::of(batch, &after);
    match script.build().execute(&mut *connection).await {
        Ok(_) => {
            spent.take(after);
            Ok(())
        }
        Err(failed) => {
            // It fails when the script did not come as far as to begin: then there is nothing to undo.
            let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
            Err(failed)
        }
    }
}
