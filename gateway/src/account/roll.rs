//! The API keys of a running gateway: all in memory, brought up to date when somebody changed one.

use super::{ApiKey, KeyHash, KeyRecord, KeyTerms, Rate};
use crate::books::{Books, BooksError};
use crate::openai::Refusal;
use crate::purse::{Due, Purse};
use proto::service::{Service, ServiceId};
use proto::{Coin, Time};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as AsyncMutex;

/// How old the keys in memory may be: a revoked key works for this long at most.
const FRESH: Duration = Duration::from_millis(250);

/// An API key in use.
#[derive(Debug)]
pub struct Account {
    pub record: KeyRecord,
    /// The record's id, to be shared.
    pub id: Arc<str>,
    pub purse: Arc<Purse<Due>>,
    load: Arc<Load>,
}

/// What changes of a key while it is used; it outlives a change of its record.
#[derive(Debug)]
struct Load {
    rate: Mutex<Option<Rate>>,
    running: AtomicUsize,
}

/// A request that runs on a key's account.
#[derive(Debug)]
pub struct Ticket(Arc<Load>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Account {
    fn new(record: KeyRecord, before: Option<&Account>) -> Account {
        let limit = record.terms.cap.map(Due::whole);
        let purse = match before {
            Some(account) => {
                account.purse.set_limit(limit);
                account.purse.clone()
            }
            None => Purse::new(limit, record.spent),
        };
        let same_rate = before.filter(|a| a.record.terms.per_minute == record.terms.per_minute);
        let rate = record.terms.per_minute.map(Rate::new);
        let load = same_rate.map_or_else(
            || Arc::new(Load { rate: Mutex::new(rate), running: AtomicUsize::new(0) }),
            |account| account.load.clone(),
        );
        Account { id: record.id.as_str().into(), record, purse, load }
    }

    /// Whether the key can be used at `now`.
    pub fn check(&self, now: Time) -> Result<(), Refusal> {
        let name = || self.record.terms.name.clone();
        if self.record.revoked.is_some() {
            return Err(Refusal::RevokedKey { name: name() });
        }
        if self.record.terms.expires.is_some_and(|expires| now >= expires) {
            return Err(Refusal::ExpiredKey { name: name() });
        }
        Ok(())
    }

    /// Whether the key may use a model.
    pub fn may_use(&self, model: &ServiceId) -> bool {
        self.record.terms.models.is_empty() || self.record.terms.models.contains(model)
    }

    /// Counts a request against the key's rate and `at_once`.
    pub fn enter(&self, now: Instant, at_once: usize) -> Result<Ticket, Refusal> {
        let name = || self.record.terms.name.clone();
        let running = self.load.running.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket(self.load.clone());
        if running >= at_once {
            return Err(Refusal::TooManyAtOnce { name: name(), running });
        }
        let mut rate = self.load.rate.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = &mut *rate {
            let per_minute = rate.per_minute();
            let wait = rate.take(now);
            wait.map_err(|after| Refusal::TooOften { name: name(), per_minute, after })?;
        }
        Ok(ticket)
    }

    /// Whether the key spends the coin that a service is priced in.
    pub fn spends(&self, service: &Service) -> Result<(), Refusal> {
        let KeyTerms { name, denom, .. } = &self.record.terms;
        if *denom == service.denom {
            return Ok(());
        }
        Err(Refusal::OtherCoin {
            name: name.clone(),
            spends: denom.clone(),
            model: service.id.clone(),
            denom: service.denom.clone(),
        })
    }

    /// Sets aside what a request may cost.
    pub fn reserve(&self, due: Due) -> Result<crate::purse::Reservation<Due>, Refusal> {
        let terms = &self.record.terms;
        self.purse.reserve(due).map_err(|short| Refusal::KeySpent {
            name: terms.name.clone(),
            cap: Coin::new(terms.cap.unwrap_or_default(), terms.denom.clone()),
            left: short.left.spent(),
            needed: short.needed.needed(),
        })
    }
}

/// All API keys.
#[derive(Debug)]
pub struct Roll {
    books: Books,
    accounts: RwLock<Accounts>,
    // Held while the books are read, so that one request reads for all that wait.
    reading: AsyncMutex<()>,
}

#[derive(Debug)]
struct Accounts {
    by_hash: HashMap<KeyHash, Arc<Account>>,
    counter: i64,
    checked: Option<Instant>,
}

impl Roll {
    /// Reads all keys.
    pub async fn read(books: Books) -> Result<Roll, BooksError> {
        let accounts = Accounts { by_hash: HashMap::new(), counter: -1, checked: None };
        let roll = Roll { books, accounts: RwLock::new(accounts), reading: AsyncMutex::new(()) };
        roll.refresh(Instant::now()).await?;
        Ok(roll)
    }

    /// The account of a key, or why there is none. Errors of the books let known keys go on.
    pub async fn find(&self, key: &ApiKey, now: Time) -> Result<Arc<Account>, Refusal> {
        let hash = key.hash();
        let asked = Instant::now();
        // A key that is not there may have been made a moment ago. Who guesses keys makes the
        // gateway read one number, and all who guess at once make it read it once.
        for since in [asked.checked_sub(FRESH).unwrap_or(asked), asked] {
            self.refresh(since).await.map_err(|error| {
                tracing::error!(%error, "API keys not read");
                Refusal::BooksFailed
            })?;
            if let Some(account) = self.account(&hash) {
                account.check(now)?;
                return Ok(account);
            }
        }
        Err(Refusal::UnknownKey { shown: key.shown() })
    }

    /// The account with this id.
    pub fn by_id(&self, id: &str) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.by_hash.values().find(|account| account.record.id == id).cloned()
    }

    fn account(&self, hash: &KeyHash) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.by_hash.get(hash).cloned()
    }

    fn checked(&self) -> Option<Instant> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).checked
    }

    /// Sees to it that changes before `since` are known.
    async fn refresh(&self, since: Instant) -> Result<(), BooksError> {
        let known = |roll: &Roll| roll.checked().is_some_and(|checked| checked >= since);
        if known(self) {
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        if known(self) {
            return Ok(());
        }
        let checked = Some(Instant::now());
        let counter = self.books.key_changes().await?;
        let known = {
            let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
            accounts.checked = checked;
            accounts.counter == counter
        };
        if known {
            return Ok(());
        }
        let records = self.books.keys().await?;
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let by_hash = records.into_iter().map(|record| {
            let before = accounts.by_hash.get(&record.hash).map(|account| &**account);
            (record.hash, Arc::new(Account::new(record, before)))
        });
        accounts.by_hash = by_hash.collect();
        accounts.counter = counter;
        Ok(())
    }
}
