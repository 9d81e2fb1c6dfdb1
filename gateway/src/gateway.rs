//! A gateway's parts, held together.

use crate::account::Roll;
use crate::books::{Books, BooksError};
use crate::chain::Chain;
use crate::config::Settings;
use crate::count::Counters;
use crate::metrics::Metrics;
use crate::pool::Market;
use crate::upstream::Upstream;
use proto::keys::RelaySecret;
use proto::{Address, Digest, Height, Time};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// What a gateway is made of.
pub struct Parts {
    pub settings: Settings,
    pub chain: Arc<dyn Chain>,
    /// The relay key that is registered on chain for the gateway's account.
    pub relay_key: RelaySecret,
    pub books: Books,
    pub counters: Counters,
    pub clock: Clock,
}

/// A gateway. Clones share it.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// What clones of a gateway share.
#[doc(hidden)]
pub struct Inner {
    pub(crate) settings: Settings,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) secret: RelaySecret,
    pub(crate) books: Books,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
    pub(crate) roll: Roll,
    pub(crate) market: Market,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Metrics,
    /// Requests that may run.
    pub(crate) slots: Arc<Semaphore>,
    /// What must end before the gateway does.
    pub(crate) tasks: TaskTracker,
    /// Where tasks run: relays are settled there also by who drops them elsewhere.
    pub(crate) handle: tokio::runtime::Handle,
    /// Asked when what waits shall be done at once.
    pub(crate) hurry: CancellationToken,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error("the figures could not be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("what was under way could not be read: {0}")]
    Chain(#[from] crate::chain::ChainError),
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl Gateway {
    /// A gateway that serves nothing yet: [`crate::serve`] starts it. Must be called within a tokio
    /// runtime.
    pub async fn new(parts: Parts) -> Result<Gateway, NotStarted> {
        let Parts { settings, chain, relay_key, books, counters, clock } = parts;
        Ok(Gateway(Arc::new(Inner {
            upstream: Upstream::new(&settings.times),
            slots: Arc::new(Semaphore::new(settings.limits.requests)),
            roll: Roll::read(books.clone()).await?,
            metrics: Metrics::new()?,
            market: Market::default(),
            tasks: TaskTracker::new(),
            handle: tokio::runtime::Handle::current(),
            hurry: CancellationToken::new(),
            secret: relay_key,
            settings,
            chain,
            books,
            counters,
            clock,
        })))
    }

    /// Runs something that must end before the gateway does.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.handle);
    }

    /// The height of the last block that is known.
    pub fn height(&self) -> Height {
        *self.chain.heights().borrow()
    }

    /// The time.
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// Whose escrow pays.
    pub fn app(&self) -> Address {
        self.settings.app.unwrap_or_else(|| self.chain.account())
    }

    /// Whether requests can be served: a session is open and a supplier in it can be asked.
    pub fn ready(&self) -> Result<(), String> {
        let (height, now) = (self.height(), std::time::Instant::now());
        let mut why = vec!["no service is sold".to_owned()];
        for desk in self.market.desks() {
            let reason = match desk.current(height) {
                None => format!("{}: no session is open", desk.service.id),
                Some(open) => {
                    let can = |place: &Arc<crate::pool::Place>| {
                        !place.is_recovering() && place.supplier.is_reachable(now)
                    };
                    if open.places.iter().any(can) {
                        return Ok(());
                    }
                    format!("{}: no supplier can be asked", desk.service.id)
                }
            };
            why.push(reason);
        }
        if why.len() > 1 {
            why.remove(0);
        }
        Err(why.join("; "))
    }
}

impl std::ops::Deref for Gateway {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// 32 random bytes.
pub(crate) fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A relay's id: never used before, and told to nobody before it is used.
pub(crate) fn relay_id() -> Result<Digest, getrandom::Error> {
    random().map(Digest)
}
