//! A relay miner's life: books opened, what a crash interrupted finished, relays served, duties done,
//! and an orderly end.

use crate::admit::Identity;
use crate::book::{StartFailed, WriteFailed, Writer};
use crate::clock::Clock;
use crate::config::{Limits, Times};
use crate::count::Counters;
use crate::exhibit::Asks;
use crate::forward::Upstream;
use crate::interrupted::{self, Interrupted};
use crate::look::Trees;
use crate::market::Market;
use crate::metrics::Metrics;
use crate::miner::Miner;
use crate::pulse::Pulse;
use crate::reprice::{Reload, Repricer};
use crate::router::{admin_router, router};
use crate::sessions::{FolderRefused, Sessions};
use crate::submit::{self, Part};
use crate::vault::{self, Vault};
use daemon::Stop;
use daemon::home::{HomeLock, HomeTaken};
use futures::StreamExt;
use proto::keys::RelaySecret;
use proto::{Address, Height};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

/// How long records that nobody waits for may take to be written at the end.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// What a relay miner is made of.
pub struct Parts {
    pub operator: Address,
    pub relay_secret: RelaySecret,
    pub market: Arc<dyn Market>,
    pub counters: Counters,
    pub upstream: Upstream,
    /// The folder of books; one relay miner at a time holds it.
    pub home: PathBuf,
    pub limits: Limits,
    pub times: Times,
    pub keep_settled: u64,
    pub clock: Clock,
    /// Where payouts are asked for.
    pub admin: Option<TcpListener>,
    /// Reads again what the operator asks for its work.
    pub reload: Option<Reload>,
}

/// Why a relay miner does not run, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Home(#[from] HomeTaken),
    #[error(transparent)]
    Books(#[from] FolderRefused),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    Writer(#[from] StartFailed),
    #[error(transparent)]
    Write(#[from] WriteFailed),
    #[error("figures cannot be kept: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("{what}: {source}")]
    System { what: &'static str, source: std::io::Error },
}

/// Runs a relay miner until `stop`, or until a book cannot be written. Relays that run are given the
/// configured time to end, then cut; all are booked when this returns.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let _home = HomeLock::take(&parts.home)?;
    let system = |what| move |source| ServeError::System { what, source };
    let admin = parts.admin;
    let drain = Duration::from_millis(parts.times.drain_ms);
    let folder = parts.home.join("books");
    std::fs::create_dir_all(&folder).map_err(system("the folder of books cannot be made"))?;
    let (writer, mut written) = Writer::start(&folder)?;
    let identity = Identity {
        chain_id: parts.market.chain_id(),
        operator: parts.operator,
        relay_key: parts.relay_secret.public(),
    };
    let sessions = Sessions::open(&folder, identity.clone(), parts.market.clone())?;
    interrupted::finish(&sessions, &writer, &parts.relay_secret, &parts.clock).await?;
    let room = parts.limits.evidence_mib.saturating_mul(1 << 20);
    let vault = Vault::open(&parts.home.join(vault::FOLDER), room)
        .map_err(system("the folder of evidence cannot be used"))?;
    let silence = Duration::from_millis(parts.times.chain_silence_ms);
    let (pulse, following) = Pulse::follow(parts.market.heights(), silence);
    let miner = Arc::new(Miner {
        identity,
        secret: parts.relay_secret,
        sessions,
        market: parts.market,
        writer,
        upstream: parts.upstream,
        counters: parts.counters,
        gate: parts.limits.gate(),
        clock: parts.clock,
        pulse,
        times: parts.times,
        metrics: Metrics::new()?,
        keep_settled: parts.keep_settled,
        trees: Arc::new(Trees::default()),
        vault,
        asks: Asks::default(),
        repricer: Repricer::new(parts.reload),
        tasks: TaskTracker::new(),
        draining: stop.clone(),
        cut: Stop::new(),
    });
    let hangups = signal(SignalKind::hangup()).map_err(system("SIGHUP cannot be heard"))?;
    let behind = Stop::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(following);
    work(&mut tasks, &miner, &behind);
    tasks.spawn(reload_when_told(miner.clone(), hangups));
    if let Some(listener) = admin {
        let (router, stop) = (admin_router(miner.clone()), stop.clone());
        tasks.spawn(daemon::serve(router, listener, stop));
    }
    let served = attend(&miner, listener, &stop, drain).await;
    behind.ask();
    tasks.shutdown().await;
    drop(miner);
    if tokio::time::timeout(LAST_WRITES, written.ended()).await.is_err() {
        tracing::warn!("some checkpoints were still to be written");
    }
    served
}

/// Serves until `stop`, and until the relays that run then have ended.
async fn attend(
    miner: &Arc<Miner>,
    listener: TcpListener,
    stop: &Stop,
    drain: Duration,
) -> Result<(), ServeError> {
    let cutting = async {
        stop.asked().await;
        tokio::time::sleep(drain).await;
        tracing::warn!(running = miner.gate.running(), "relays still run and are cut");
        miner.cut.ask();
        std::future::pending().await
    };
    let serving = async {
        daemon::serve(router(miner.clone()), listener, stop.clone()).await;
        stop.ask();
        miner.tasks.close();
        miner.tasks.wait().await;
        Ok(())
    };
    tokio::select! {
        served = serving => served,
        failed = miner.writer.failed() => Err(failed.into()),
        ended = cutting => ended,
    }
}

/// Starts what goes on beside the relays.
fn work(tasks: &mut JoinSet<()>, miner: &Arc<Miner>, stop: &Stop) {
    for part in [Part::Claims, Part::Proofs, Part::Ends] {
        tasks.spawn(submit::follow(miner.clone(), part, stop.clone()));
    }
    tasks.spawn(meet_sessions(miner.clone()));
    tasks.spawn(observe(miner.clone()));
}

/// Takes in sessions as they are opened, so that the first relay of each waits for nothing.
async fn meet_sessions(miner: Arc<Miner>) {
    let mut opened = miner.market.opened();
    while let Some(id) = opened.next().await {
        match miner.market.session(id).await {
            Ok(Some(session)) => {
                // Most sessions are others'.
                let _theirs = miner.sessions.put(session);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(session = %id, %error, "session is asked for later"),
        }
    }
}

/// Makes the asks of the configuration hold, each time the owner says so by a signal.
async fn reload_when_told(miner: Arc<Miner>, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        // What it came to is logged, and told at /status.
        let _told = miner.repricer.reload(&*miner.market, miner.identity.operator).await;
    }
}

async fn observe(miner: Arc<Miner>) {
    let mut heights = miner.pulse.heights();
    loop {
        let height = heights.borrow_and_update().0;
        miner.metrics.observe(height, miner.sessions.all().len(), miner.gate.running());
        miner.metrics.keeps(miner.vault.used());
        miner.asks.forget(Height(height));
        miner.forget_evidence(Height(height)).await;
        if heights.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
