//! What a configuration makes of a relay miner.

use crate::clock::Clock;
use crate::config::{Config, ConfigRefused};
use crate::count;
use crate::forward::{BadUpstream, Upstream};
use crate::serve::Parts;
use chain_client::keys::{KeyStore, StoreError, UnlockRefused};
use chain_client::{Chain, ConnectError, GasPolicy, Sender};
use meter::LoadError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Why a relay miner cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartRefused {
    #[error(transparent)]
    Config(#[from] ConfigRefused),
    #[error("{} cannot be read: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Keys(#[from] StoreError),
    #[error(transparent)]
    Unlock(#[from] UnlockRefused),
    #[error(transparent)]
    Chain(#[from] ConnectError),
    #[error(transparent)]
    Model(#[from] LoadError),
    #[error(transparent)]
    Upstream(#[from] BadUpstream),
    #[error("payouts cannot be told at {at}: {source}; set admin to a free address")]
    Admin { at: std::net::SocketAddr, source: std::io::Error },
}

impl Parts {
    /// Unlocks the keys, connects to the chain and reads the models that `config` names.
    pub async fn of(config: Config, gas: GasPolicy) -> Result<Parts, StartRefused> {
        config.check()?;
        let keys = KeyStore::open(&config.keys.folder)?;
        let password = config.keys.password_file.as_deref().map(read_line).transpose()?;
        let password = password.as_ref().map(|line| line.as_str());
        let signer = keys.unlock(&config.keys.operator, password)?;
        let relay_secret = keys.unlock_relay(&config.keys.relay, password)?;
        let api_key = config.backend.api_key_file.as_deref().map(read_line).transpose()?;
        let api_key = api_key.as_ref().map(|line| line.as_str());
        let upstream = Upstream::new(&config.backend.url, api_key, config.times.patience())?;
        let counters = count::load(&config.models)?;
        let chain = Chain::connect(&config.chain).await?;
        let at = config.admin;
        let admin = TcpListener::bind(at).await;
        Ok(Parts {
            operator: signer.address(),
            relay_secret,
            market: Arc::new(Sender::new(chain, signer, gas)),
            counters,
            upstream,
            home: config.home,
            limits: config.limits,
            times: config.times,
            keep_settled: config.keep_settled,
            clock: Clock::system(),
            admin: Some(admin.map_err(|source| StartRefused::Admin { at, source })?),
            reload: None,
        })
    }
}

fn read_line(path: &Path) -> Result<zeroize::Zeroizing<String>, StartRefused> {
    let line = daemon::file::first_line(path);
    line.map_err(|source| StartRefused::File { path: path.to_owned(), source })
}
