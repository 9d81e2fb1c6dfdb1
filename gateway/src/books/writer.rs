//! The one task that writes: what waits goes into one transaction, so that an fsync is shared.

use super::row::{int, status_name};
use super::{Books, BooksError, Outcome, Running};
use crate::purse::Due;
use proto::claim::{ClaimRoot, Settled};
use proto::leaf::Opening;
use proto::session::Session;
use proto::wire::Wire;
use proto::{Address, Digest, Time};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

/// Writes in one transaction at most: SQLite takes 32,766 values in a statement, and a relay has
/// seventeen.
const BATCH_MAX: usize = 512;

/// How long a batch that failed waits before it is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Times that a batch is tried before those who wait for it are told.
const TRIES: u32 = 5;

/// Old rows that one transaction removes at most: nobody shall wait long for it.
const PRUNE_MAX: i64 = 2_000;

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
    Claim { session_id: Digest, supplier: Address, claim: ClaimRoot },
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
        let session_id = claim.session_id;
        self.write(Write::Claim { session_id, supplier, claim }).await
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
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        for attempt in 1..=TRIES {
            match commit(&mut connection, &batch).await {
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

async fn commit(connection: &mut SqliteConnection, batch: &[Job]) -> Result<(), sqlx::Error> {
    let (mut begun, mut ended, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for job in batch {
        match &job.write {
            Write::Begin(running) => begun.push(running),
            Write::End(outcome) => {
                ended.push(&**outcome);
                gone.push(&outcome.relay_id);
            }
            Write::Forget(relay_id) => gone.push(relay_id),
            _ => {}
        }
    }
    let mut tx = connection.begin().await?;
    if !begun.is_empty() {
        insert_running(&mut tx, &begun).await?;
    }
    if !ended.is_empty() {
        insert_ended(&mut tx, &ended).await?;
        charge(&mut tx, &ended).await?;
    }
    if !gone.is_empty() {
        delete_running(&mut tx, &gone).await?;
    }
    for job in batch {
        rare(&mut tx, &job.write).await?;
    }
    tx.commit().await
}

async fn insert_running(
    tx: &mut Transaction<'_, Sqlite>,
    begun: &[&Running],
) -> Result<(), sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "INSERT INTO running (relay_id, key_id, session_id, supplier, seq, max_cu, started, request) ",
    );
    sql.push_values(begun, |mut row, running| {
        row.push_bind(running.relay_id.0.to_vec())
            .push_bind(running.key_id.to_string())
            .push_bind(running.session_id.0.to_vec())
            .push_bind(running.supplier.to_string())
            .push_bind(int(running.seq))
            .push_bind(int(running.max_cu.0))
            .push_bind(int(running.started.0))
            .push_bind(running.request.as_slice());
    });
    sql.build().execute(&mut **tx).await.map(drop)
}

async fn insert_ended(
    tx: &mut Transaction<'_, Sqlite>,
    ended: &[&Outcome],
) -> Result<(), sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "INSERT INTO relays (relay_id, key_id, service, session_id, supplier, seq, status, fresh_in, \
         cached_in, out, cu, cost, started, first_byte, finished, request, receipt) ",
    );
    sql.push_values(ended, |mut row, outcome| {
        row.push_bind(outcome.relay_id.0.to_vec())
            .push_bind(outcome.key_id.to_string())
            .push_bind(outcome.service.as_str().to_owned())
            .push_bind(outcome.session_id.0.to_vec())
            .push_bind(outcome.supplier.to_string())
            .push_bind(int(outcome.seq))
            .push_bind(status_name(outcome.status))
            .push_bind(int(outcome.usage.fresh_in))
            .push_bind(int(outcome.usage.cached_in))
            .push_bind(int(outcome.usage.out))
            .push_bind(int(outcome.cu.0))
            .push_bind(outcome.cost.to_string())
            .push_bind(int(outcome.started.0))
            .push_bind(outcome.first_byte.map(|time| int(time.0)))
            .push_bind(int(outcome.finished.0))
            .push_bind(outcome.request.as_slice())
            .push_bind(outcome.receipt.as_deref());
    });
    sql.build().execute(&mut **tx).await.map(drop)
}

/// Adds what the relays of this batch cost to what their keys have spent, in the same transaction
/// as their rows: after a crash both are there or neither.
async fn charge(tx: &mut Transaction<'_, Sqlite>, ended: &[&Outcome]) -> Result<(), sqlx::Error> {
    let mut sums: BTreeMap<&Arc<str>, u128> = BTreeMap::new();
    for outcome in ended.iter().filter(|outcome| outcome.due > Due(0)) {
        let sum = sums.entry(&outcome.key_id).or_default();
        *sum = sum.saturating_add(outcome.due.0);
    }
    for (key_id, due) in sums {
        let spent: Option<String> = sqlx::query_scalar("SELECT spent FROM keys WHERE id = $1")
            .bind(key_id.to_string())
            .fetch_optional(&mut **tx)
            .await?;
        let spent: u128 = spent.and_then(|text| text.parse().ok()).unwrap_or_default();
        sqlx::query("UPDATE keys SET spent = $1 WHERE id = $2")
            .bind(spent.saturating_add(due).to_string())
            .bind(key_id.to_string())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn delete_running(
    tx: &mut Transaction<'_, Sqlite>,
    gone: &[&Digest],
) -> Result<(), sqlx::Error> {
    let mut sql = QueryBuilder::new("DELETE FROM running WHERE relay_id IN (");
    let mut list = sql.separated(", ");
    for relay_id in gone {
        list.push_bind(relay_id.0.to_vec());
    }
    sql.push(")");
    sql.build().execute(&mut **tx).await.map(drop)
}

/// What happens a few times a session.
async fn rare(tx: &mut Transaction<'_, Sqlite>, write: &Write) -> Result<(), sqlx::Error> {
    let query = match write {
        Write::Begin(_) | Write::End(_) | Write::Forget(_) => return Ok(()),
        Write::Session(session) => sqlx::query(
            "INSERT INTO sessions (id, service, start_height, session, closed) \
             VALUES ($1, $2, $3, $4, FALSE) ON CONFLICT (id) DO NOTHING",
        )
        .bind(session.id.0.to_vec())
        .bind(session.service.as_str().to_owned())
        .bind(int(session.start.0))
        .bind(session.encode()),
        Write::Claim { session_id, supplier, claim } => sqlx::query(
            "INSERT INTO claims (session_id, supplier, claim) VALUES ($1, $2, $3) \
             ON CONFLICT (session_id, supplier) DO UPDATE SET claim = excluded.claim",
        )
        .bind(session_id.0.to_vec())
        .bind(supplier.to_string())
        .bind(claim.encode()),
        Write::Settled(settled) => sqlx::query(
            "INSERT INTO claims (session_id, supplier, settled) VALUES ($1, $2, $3) \
             ON CONFLICT (session_id, supplier) DO UPDATE SET settled = excluded.settled",
        )
        .bind(settled.session_id.0.to_vec())
        .bind(settled.operator.to_string())
        .bind(settled.encode()),
        Write::Opening { relay_id, opening } => {
            sqlx::query("UPDATE relays SET opening = $1 WHERE relay_id = $2")
                .bind(opening.encode())
                .bind(relay_id.0.to_vec())
        }
        Write::Close { session_id } => {
            sqlx::query("UPDATE sessions SET closed = TRUE WHERE id = $1")
                .bind(session_id.0.to_vec())
        }
        Write::Prune { before } => return prune(tx, *before).await,
    };
    query.execute(&mut **tx).await.map(drop)
}

async fn prune(tx: &mut Transaction<'_, Sqlite>, before: Time) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM relays WHERE relay_id IN \
         (SELECT relay_id FROM relays WHERE finished < $1 ORDER BY finished LIMIT $2)",
    )
    .bind(int(before.0))
    .bind(PRUNE_MAX)
    .execute(&mut **tx)
    .await?;
    let unused = "closed AND NOT EXISTS (SELECT 1 FROM relays WHERE session_id = sessions.id)";
    sqlx::query(&format!(
        "DELETE FROM claims WHERE session_id IN (SELECT id FROM sessions WHERE {unused})"
    ))
    .execute(&mut **tx)
    .await?;
    sqlx::query(&format!("DELETE FROM sessions WHERE {unused}")).execute(&mut **tx).await?;
    Ok(())
}
