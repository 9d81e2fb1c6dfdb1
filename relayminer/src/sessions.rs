//! The sessions that the supplier has a seat in, each with its book.
//!
//! They come from the chain's blocks as they are opened, from the chain's answer when a gateway is
//! faster than the blocks, and from the folder of books after a restart.

mod misses;

use crate::admit::{Identity, Refused, check_seat};
use crate::book::{
    self, Book, Log, Misfit, OpenRefused, Opened, Pending, Record, WriteFailed, Writer,
};
use crate::market::Market;
use misses::Misses;
use proto::session::Session;
use proto::{Digest, Height};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// Questions to the chain for unknown sessions at once: anybody can name a session.
const QUESTIONS_MAX: usize = 8;

/// A session and its book.
#[derive(Debug)]
pub struct Live {
    session: Session,
    log: Arc<Log>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    book: Book,
    /// Whether the first record was handed to the writer.
    begun: bool,
}

/// A record that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error(transparent)]
    Write(#[from] WriteFailed),
    #[error("the book contradicts itself: {0}")]
    Misfit(#[from] Misfit),
}

impl From<BookError> for Refused {
    fn from(error: BookError) -> Refused {
        Refused::Failed(error.to_string())
    }
}

impl Live {
    /// A session of which nothing has happened. Its book will be in `folder`.
    pub fn fresh(opened: Opened, folder: &Path) -> Live {
        let session = opened.session.clone();
        let log = Arc::new(Log::fresh(folder, session.id));
        let state = State { book: Book::new(opened), begun: false };
        Live { session, log, state: Mutex::new(state) }
    }

    fn reopened(book: Book, log: Log) -> Live {
        let session = book.session().clone();
        Live { session, log: Arc::new(log), state: Mutex::new(State { book, begun: true }) }
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Where the book is, once something happened in the session.
    pub fn path(&self) -> &Path {
        self.log.path()
    }

    /// Reads the book. Nothing can be written meanwhile.
    pub fn read<T>(&self, read: impl FnOnce(&Book) -> T) -> T {
        read(&self.lock().book)
    }

    /// Adds the record that `make` finds fit for the book as it is. The returned record is in the
    /// book at once, and durable when it was waited for.
    pub async fn write<E: From<BookError>>(
        &self,
        writer: &Writer,
        make: impl FnOnce(&Book) -> Result<Record, E>,
    ) -> Result<Pending, E> {
        let slot = writer.slot().await.map_err(BookError::from)?;
        let mut state = self.lock();
        let record = make(&state.book)?;
        let framed = state.book.add(&record).map_err(BookError::from)?;
        let mut bytes = Vec::new();
        if !state.begun {
            state.begun = true;
            bytes = book::frame(&Record::Opened(Box::new(state.book.opened().clone())));
        }
        bytes.extend(framed);
        Ok(slot.put(&self.log, bytes, writer))
    }

    /// Waits until all that is in the book is on the disk. Whether there is a file at all.
    pub async fn flush(&self, writer: &Writer) -> Result<bool, WriteFailed> {
        let slot = writer.slot().await?;
        let pending = {
            let state = self.lock();
            if !state.begun {
                return Ok(false);
            }
            slot.put(&self.log, Vec::new(), writer)
        };
        pending.durable().await.map(|()| true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All sessions that are known.
pub struct Sessions {
    folder: PathBuf,
    identity: Identity,
    market: Arc<dyn Market>,
    lives: RwLock<HashMap<Digest, Arc<Live>>>,
    misses: Mutex<Misses>,
    questions: Semaphore,
}

/// Why the books cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderRefused {
    #[error("the folder of books {} cannot be read: {source}", folder.display())]
    Disk { folder: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Book(#[from] OpenRefused),
    #[error("the book {} is of {other}, but this relay miner works for {is}: use another folder", path.display())]
    OtherOperator { path: PathBuf, other: String, is: String },
}

impl Sessions {
    /// Opens all books in `folder`.
    pub fn open(
        folder: &Path,
        identity: Identity,
        market: Arc<dyn Market>,
    ) -> Result<Sessions, FolderRefused> {
        let disk = |source| FolderRefused::Disk { folder: folder.to_owned(), source };
        let mut lives = HashMap::new();
        for path in book::list(folder).map_err(disk)? {
            let Some(opening) = book::open(&path)? else { continue };
            let of = opening.book.opened();
            if (&of.chain_id, of.operator) != (&identity.chain_id, identity.operator) {
                let is = format!("{} on {}", identity.operator, identity.chain_id);
                let other = format!("{} on {}", of.operator, of.chain_id);
                return Err(FolderRefused::OtherOperator { path, other, is });
            }
            let live = Live::reopened(opening.book, opening.log);
            lives.insert(live.session.id, Arc::new(live));
        }
        Ok(Sessions {
            folder: folder.to_owned(),
            identity,
            market,
            lives: RwLock::new(lives),
            misses: Mutex::default(),
            questions: Semaphore::new(QUESTIONS_MAX),
        })
    }

    /// A session that is known here.
    pub fn get(&self, id: &Digest) -> Option<Arc<Live>> {
        self.lives.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All that are known here.
    pub fn all(&self) -> Vec<Arc<Live>> {
        self.lives.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A session that is known here, or to the chain. `at` is the last known height: what was not
    /// there is asked for again at the next one.
    pub async fn find(&self, id: &Digest, at: Height) -> Result<Arc<Live>, Refused> {
        if let Some(live) = self.get(id) {
            return Ok(live);
        }
        let Ok(_question) = self.questions.try_acquire() else {
            return Err(Refused::UnknownSession(*id));
        };
        if self.misses().has(id, at) {
            return Err(Refused::UnknownSession(*id));
        }
        let answer = self.market.session(*id).await;
        match answer.map_err(|error| Refused::Failed(error.to_string()))? {
            Some(session) => self.put(session).inspect_err(|_| self.misses().note(*id, at)),
            None => {
                self.misses().note(*id, at);
                Err(Refused::UnknownSession(*id))
            }
        }
    }

    /// Takes in a session, if the supplier has a seat in it.
    pub fn put(&self, session: Session) -> Result<Arc<Live>, Refused> {
        check_seat(&session, &self.identity)?;
        let id = session.id;
        let opened = Opened {
            chain_id: self.identity.chain_id.clone(),
            operator: self.identity.operator,
            session,
        };
        let mut lives = self.lives.write().unwrap_or_else(PoisonError::into_inner);
        let live = lives.entry(id).or_insert_with(|| Arc::new(Live::fresh(opened, &self.folder)));
        Ok(live.clone())
    }

    /// Drops a session. Its book, if there is one, stays.
    pub fn forget(&self, id: &Digest) {
        self.lives.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn misses(&self) -> MutexGuard<'_, Misses> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
