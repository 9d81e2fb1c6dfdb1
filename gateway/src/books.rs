//! The gateway's books in SQLite: API keys, relays, receipts, sessions.
//!
//! One task writes, in groups: one transaction and one fsync for all that waits. A relay is on disk
//! as running before the client gets its first byte, and as ended before it is acknowledged, so
//! that a crash at any point leaves nothing unpaid and nothing paid twice. Other processes may
//! change keys in the same file.

mod keys;
mod relays;
mod row;
mod sessions;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod writer;

pub use keys::KeyChangeFailed;
pub use relays::{Page, Relay};
pub use sessions::Claimed;
pub use writer::Ended;

use crate::purse::Due;
use proto::relay::Status;
use proto::service::ServiceId;
use proto::{Address, Amount, Cu, Digest, Time, Usage};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteSynchronous;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};
use std::borrow::Cow;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use writer::Job;

/// How long a write waits for one of another process, such as `lode gateway key create`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Scripts that are kept prepared: there is one for each number of relays that begin and end in a
/// batch, and small numbers are the common ones.
const SCRIPTS_MAX: usize = 400;

/// Connections that read at once at most; there is one more that writes.
const READERS_MAX: u32 = 4;

/// Writes that wait at most: when the disk is this far behind, requests wait with it.
const QUEUE_MAX: usize = 4096;

/// A relay that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub relay_id: Digest,
    /// The API key's id.
    pub key_id: Arc<str>,
    pub session_id: Digest,
    pub supplier: Address,
    pub seq: u64,
    /// What is set aside for it.
    pub max_cu: Cu,
    pub started: Time,
    /// The signed request.
    pub request: Vec<u8>,
}

/// How a relay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub relay_id: Digest,
    pub key_id: Arc<str>,
    pub service: ServiceId,
    pub session_id: Digest,
    pub supplier: Address,
    pub seq: u64,
    pub status: Status,
    /// What is billed.
    pub usage: Usage,
    /// What the gateway acknowledges: the less of its own count and the supplier's.
    pub cu: Cu,
    /// What it costs, rounded down.
    pub cost: Amount,
    /// The same before rounding.
    pub due: Due,
    pub started: Time,
    pub first_byte: Option<Time>,
    pub finished: Time,
    pub request: Vec<u8>,
    /// The supplier's signed receipt, where there is one.
    pub receipt: Option<Vec<u8>>,
}

/// The books. Clones share them.
#[derive(Clone, Debug)]
pub struct Books {
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
}

/// Why the books cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error("the books at {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the books at {path} are used by another gateway: stop it, or give this one its own")]
    InUse { path: PathBuf },
    #[error("the books could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the books could not be read or written: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("the books hold a row that cannot be read: {0}")]
    BadRow(String),
    #[error("the books are closed")]
    Closed,
}

/// The books while a gateway runs on them: nobody else may. Dropping it lets go.
#[derive(Debug)]
pub struct BooksLock {
    _file: File,
}

impl Books {
    /// Opens or makes the books at `path`. Must be called within a tokio runtime: it starts the
    /// task that writes, which ends when the last clone is dropped.
    pub async fn open(path: &Path) -> Result<Books, BooksError> {
        create_private(path)
            .map_err(|source| BooksError::File { path: path.to_owned(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // Money: what was committed survives a power failure.
            .synchronous(SqliteSynchronous::Full)
            .statement_cache_capacity(SCRIPTS_MAX)
            .busy_timeout(BUSY_TIMEOUT);
        let mut connection = options.connect().await?;
        // A gateway and a tool may open new books at once: one of them waits for the other's tables.
        let mut tables = connection.begin_with("BEGIN IMMEDIATE").await?;
        migrator().run_direct(&mut *tables).await?;
        tables.commit().await?;
        let readers =
            SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options).await?;
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(writer::run(connection, waiting));
        Ok(Books { readers, jobs })
    }

    /// Takes the books at `path` for one gateway. Tools that change keys do not need it.
    pub fn lock(path: &Path) -> Result<BooksLock, BooksError> {
        let lock = path.with_extension("lock");
        let failed = |source| BooksError::File { path: lock.clone(), source };
        create_private(&lock).map_err(failed)?;
        let file = OpenOptions::new().write(true).open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(BooksLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(BooksError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Makes a file that only its owner reads, and the folder for it, where they are not there.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        let (name, sql) = (Cow::Borrowed(name), Cow::Borrowed(sql));
        Migration::new(version, name, MigrationType::Simple, sql, false)
    };
    Migrator {
        migrations: Cow::Owned(vec![
            migration(1, "books", include_str!("../migrations/0001_books.sql")),
            migration(2, "coins", include_str!("../migrations/0002_coins.sql")),
        ]),
        ..Migrator::DEFAULT
    }
}
