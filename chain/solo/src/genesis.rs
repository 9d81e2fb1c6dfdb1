//! What a chain begins with: its name, its first coins, its validator and its market.

use crate::bank;
use crate::block::app_hash;
use crate::host::MarketHost;
use crate::state::{Changes, Overlay, Pairs, Read};
use crate::validator::ValidatorPublic;
use chain::host::{Block, Validator};
use proto::names::CHAIN_ID_MAX;
use proto::query::{GetInvariants, Invariants, Query as _};
use proto::wire::Wire as _;
use proto::{Address, Amount, Coin, Digest, Height, Time, message, seed};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// The file in a chain's home that holds its genesis.
pub const GENESIS_FILE: &str = "genesis.json";

/// What a chain begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The network's name, in every signature.
    pub chain_id: String,
    /// When the chain begins, in milliseconds since 1970.
    pub genesis_time: Time,
    /// The first coins. The market's purses get theirs here too, as its records require.
    pub balances: Vec<Balance>,
    /// Who makes blocks: exactly one.
    pub validators: Vec<GenesisValidator>,
    pub market: message::Genesis,
}

/// What one account begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    pub address: Address,
    pub coins: Vec<Coin>,
}

/// Who makes blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    pub operator: Address,
    pub power: u64,
    pub keys: ValidatorPublic,
}

/// Why a chain cannot begin so.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path} is no genesis: {error}")]
    Malformed { path: PathBuf, error: serde_json::Error },
    #[error("{0:?} is no chain id: it has 1 to {CHAIN_ID_MAX} of letters, digits, - _ and .")]
    ChainId(String),
    #[error("the embedded engine has exactly one validator, the genesis names {0}")]
    Validators(usize),
    #[error("the genesis is of the year 1970 or before, or too far in the future")]
    Time,
    #[error("the coins of the genesis, {0}, are more than an amount can hold")]
    TooMany(Coin),
    #[error("the market refuses its genesis: {0}")]
    Market(chain::Refused),
    #[error("the market's records owe {owed}, but the purse {purse} begins with {has} of them")]
    Purse { purse: String, owed: String, has: Amount },
}

impl Genesis {
    /// Reads the genesis in `home`.
    pub fn load(home: &Path) -> Result<Genesis, GenesisError> {
        let path = home.join(GENESIS_FILE);
        let text = std::fs::read(&path)
            .map_err(|error| GenesisError::File { path: path.clone(), error })?;
        serde_json::from_slice(&text).map_err(|error| GenesisError::Malformed { path, error })
    }

    /// Writes the genesis into `home`, as text that a person can read.
    pub fn save(&self, home: &Path) -> Result<(), GenesisError> {
        let path = home.join(GENESIS_FILE);
        let text = serde_json::to_vec_pretty(self).expect("a genesis is plain data");
        daemon::file::write_private(&path, &text)
            .map_err(|error| GenesisError::File { path, error })
    }

    /// What names this genesis: two that differ have another.
    pub(crate) fn digest(&self) -> Digest {
        let text = serde_json::to_vec(self).expect("a genesis is plain data");
        Digest(Sha256::digest(text).into())
    }

    /// The block before the first.
    pub(crate) fn block(&self) -> Block {
        Block {
            chain_id: self.chain_id.clone(),
            height: Height(0),
            time: self.genesis_time,
            seed: seed::first(&self.chain_id),
        }
    }

    /// The validators as the market sees them.
    pub(crate) fn market_validators(&self) -> Vec<Validator> {
        let validator = |validator: &GenesisValidator| Validator {
            operator: validator.operator,
            power: validator.power,
            vrf_key: Some(validator.keys.vrf_key),
        };
        self.validators.iter().map(validator).collect()
    }

    /// The state that the chain begins with, and its hash.
    pub(crate) fn build(&self) -> Result<(Changes, Digest), GenesisError> {
        self.check()?;
        let empty = Empty;
        let mut state = Overlay::over(&empty);
        for balance in &self.balances {
            for coin in &balance.coins {
                bank::mint(&mut state, &balance.address, coin)
                    .ok_or_else(|| GenesisError::TooMany(coin.clone()))?;
            }
        }
        let (block, validators) = (self.block(), self.market_validators());
        let mut host = MarketHost::new(&mut state, &block, &validators);
        chain::genesis(&mut host, &self.market).map_err(GenesisError::Market)?;
        let answer = chain::query(&host, GetInvariants::PATH, &[]).map_err(GenesisError::Market)?;
        check_purses(&state, &answer)?;
        let changes = state.into_changes();
        let hash = app_hash(&self.digest(), &changes);
        Ok((changes, hash))
    }

    fn check(&self) -> Result<(), GenesisError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let length = (1..=CHAIN_ID_MAX).contains(&self.chain_id.len());
        if !length || !self.chain_id.chars().all(plain) {
            return Err(GenesisError::ChainId(self.chain_id.clone()));
        }
        // CometBFT's times end with the year 9999.
        if !(1..253_402_300_800_000).contains(&self.genesis_time.0) {
            return Err(GenesisError::Time);
        }
        match self.validators.len() {
            1 => Ok(()),
            others => Err(GenesisError::Validators(others)),
        }
    }
}

/// Whether the purses hold what the market's records owe.
fn check_purses(state: &dyn Read, answer: &[u8]) -> Result<(), GenesisError> {
    let invariants = Invariants::decode(answer).expect("the market encodes its own answers");
    for invariant in invariants.invariants {
        let purse = Address::of_module(&invariant.purse);
        let has = bank::balance(state, &purse, &invariant.denom);
        if has < invariant.owed {
            return Err(GenesisError::Purse {
                owed: Coin::new(invariant.owed, invariant.denom).to_string(),
                has,
                purse: invariant.purse,
            });
        }
    }
    Ok(())
}

/// No state at all.
struct Empty;

impl Read for Empty {
    fn get(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn range(&self, _: &[u8], _: &[u8], _: usize) -> Pairs {
        Pairs::new()
    }
}
