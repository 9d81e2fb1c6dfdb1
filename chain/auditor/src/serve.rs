//! An auditor's life: bonded if it is told to, at work until it is asked to stop.

use crate::beacon::{self, NoBeacon};
use crate::clerk::{Clerk, ClerkFailed, Hall};
use crate::config::{Config, ConfigRefused, Limits};
use crate::desk::{BadInstrument, Desk, Model};
use crate::fetch::{CannotAsk, Fetcher};
use crate::journal::{Journal, JournalFailed};
use crate::metrics::Metrics;
use crate::shelf::Shelf;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use chain_client::keys::{KeyStore, Signer, StoreError, UnlockRefused};
use chain_client::{Chain, ConnectError, GasPolicy, QueryError, Sender};
use daemon::Stop;
use daemon::health::Health;
use daemon::home::{HomeLock, HomeTaken};
use proto::message::BondAuditor;
use proto::service::ServiceId;
use proto::vrf::VrfSecret;
use proto::{Amount, Coin, Height};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// The pause before a bond that was not taken is sent again, and between two looks at it.
const BOND_PAUSE: Duration = Duration::from_secs(2);

/// What an auditor is made of.
pub struct Parts {
    sender: Sender,
    signer: Signer,
    secret: VrfSecret,
    desk: Desk,
    bond: Option<Coin>,
    home: PathBuf,
    limits: Limits,
}

/// Why an auditor does not start, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigRefused),
    #[error("{} cannot be read: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Keys(#[from] StoreError),
    #[error(transparent)]
    Unlock(#[from] UnlockRefused),
    #[error(transparent)]
    Beacon(#[from] NoBeacon),
    #[error(transparent)]
    Chain(#[from] ConnectError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Instrument(#[from] BadInstrument),
    #[error(transparent)]
    Ask(#[from] CannotAsk),
    #[error(transparent)]
    Home(#[from] HomeTaken),
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    #[error("dossiers cannot be kept: {0}")]
    Shelf(std::io::Error),
    #[error("figures cannot be kept: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Clerk(#[from] ClerkFailed),
}

impl Parts {
    /// Unlocks the key, reads the beacon key, connects to the chain. `models` are the listed models
    /// that `config` names.
    pub async fn of(
        config: Config,
        models: HashMap<ServiceId, Model>,
        gas: GasPolicy,
    ) -> Result<Parts, ServeError> {
        config.check()?;
        let password = config.keys.password_file.as_deref().map(first_line).transpose()?;
        let password = password.as_ref().map(|line| line.as_str());
        let signer = KeyStore::open(&config.keys.folder)?.unlock(&config.keys.account, password)?;
        let secret = beacon::load(&config.validator)?;
        let chain = Chain::connect(&config.chain).await?;
        Ok(Parts {
            sender: Sender::new(chain, signer.clone(), gas),
            signer,
            secret,
            desk: Desk::new(models, &config.quality)?,
            bond: config.bond,
            home: config.home,
            limits: config.limits,
        })
    }
}

/// Runs an auditor until `stop`.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let Parts { sender, signer, secret, desk, bond, home, limits } = parts;
    let _held = HomeLock::take(&home)?;
    let chain = sender.chain().clone();
    let height = chain.height().await?;
    let journal = Journal::open(&home, height.minus(limits.keep))?;
    let room = limits.exhibits_mib.saturating_mul(1 << 20);
    let shelf = Shelf::open(&home, room).map_err(ServeError::Shelf)?;
    let patience = Duration::from_millis(limits.fetch_ms);
    let fetcher = Fetcher::new(signer, chain.chain_id(), patience)?;
    let metrics = Metrics::new()?;
    let hall = Hall::new(sender, secret, fetcher, desk, shelf, metrics, limits.running);
    let hall = Arc::new(hall);
    // Audits that are open were drawn within the last audit window.
    let from = height.minus(chain.params().await?.windows.audit).max(Height(1));
    let bonding = tokio::spawn(keep_bonded(hall.clone(), bond, stop.clone()));
    let clerk = Clerk::new(hall.clone(), journal, limits.keep).work(from, stop.clone());
    let served = async {
        daemon::serve(router(hall.clone()), listener, stop.clone()).await;
        stop.ask();
    };
    let worked = async {
        let worked = clerk.await;
        stop.ask();
        worked.map_err(ServeError::from)
    };
    let (worked, ()) = tokio::join!(worked, served);
    bonding.abort();
    worked
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, ServeError> {
    let line = daemon::file::first_line(path);
    line.map_err(|source| ServeError::File { path: path.to_owned(), source })
}

/// Bonds what is wished, once, and looks at the bond for as long as the auditor works.
async fn keep_bonded(hall: Arc<Hall>, mut wish: Option<Coin>, stop: Stop) {
    loop {
        match look(&hall).await {
            Ok(bond) => {
                let more = wish.as_ref().map(|wish| wish.amount.saturating_sub(bond));
                match more.filter(|more| *more > Amount::ZERO) {
                    Some(more) => bond_more(&hall, more).await,
                    // Penalties are not topped up: who loses much shall look why.
                    None => wish = None,
                }
            }
            Err(error) => tracing::warn!(%error, "the bond is not known"),
        }
        tokio::select! {
            () = stop.asked() => return,
            () = tokio::time::sleep(BOND_PAUSE) => {}
        }
    }
}

async fn look(hall: &Hall) -> Result<Amount, QueryError> {
    let params = hall.chain().params().await?.audits;
    let auditor = hall.chain().auditor(hall.address()).await?;
    let bond = auditor.as_ref().map_or(Amount::ZERO, |auditor| auditor.bond);
    let bonded = auditor.is_some_and(|auditor| auditor.can_sit(&params));
    hall.metrics().bonded(bond.0);
    hall.change(|status| (status.bond, status.bonded) = (bond, bonded));
    Ok(bond)
}

async fn bond_more(hall: &Hall, more: Amount) {
    let add = Coin::stake(more);
    let message = BondAuditor { auditor: hall.address(), add: add.clone() };
    match hall.sender().send(vec![message.into()]).await {
        Ok(included) => {
            tracing::info!(%add, height = %included.height, "bonded");
            if let Err(error) = look(hall).await {
                tracing::warn!(%error, "the bond is not known");
            }
        }
        Err(error) => tracing::warn!(%add, %error, "the bond is not taken"),
    }
}

fn router(hall: Arc<Hall>) -> Router {
    let ready = hall.clone();
    let health = Health::new(hall.metrics().registry().clone(), move || {
        let status = ready.status();
        match (status.bonded, status.height > Height(0)) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("{} is bonded, which is not enough to sit", status.bond)),
            (true, false) => Err("no block was heard of yet".to_owned()),
        }
    });
    Router::new()
        .route("/status", get(async |State(hall): State<Arc<Hall>>| Json(hall.status())))
        .with_state(hall)
        .merge(health.router())
}
