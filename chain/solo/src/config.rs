//! The engine's settings.

use crate::faucet::FaucetConfig;
use crate::price::GasPrice;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The settings as a person begins with them: `lode init chain` writes this.
pub const TEMPLATE: &str = include_str!("config.toml");

/// How one node of the embedded chain runs. What the whole network must agree on is in the genesis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the genesis, the validator's keys and the chain's file are.
    pub home: PathBuf,
    /// Where JSON-RPC and WebSocket are served.
    pub listen: SocketAddr,
    /// Milliseconds from one block to the next.
    pub block_time_ms: u64,
    /// What a transaction pays for a unit of gas at least.
    pub min_gas_price: GasPrice,
    /// The last blocks that are kept; 0 keeps all.
    pub keep_blocks: u64,
    /// Seconds that `broadcast_tx_commit` waits for the block.
    pub commit_timeout_s: u64,
    /// HTTP and WebSocket connections at once.
    pub connections_max: usize,
    /// Origins whose pages may call from a browser; `*` is any.
    pub cors_origins: Vec<String>,
    /// Gives coins away, in networks for development.
    pub faucet: Option<FaucetConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            home: PathBuf::from("chain"),
            listen: SocketAddr::from(([127, 0, 0, 1], 26_657)),
            block_time_ms: 1_000,
            min_gas_price: "0.001ulode".parse().expect("it is a price"),
            keep_blocks: 0,
            commit_timeout_s: 10,
            connections_max: 512,
            cors_origins: Vec::new(),
            faucet: None,
        }
    }
}
