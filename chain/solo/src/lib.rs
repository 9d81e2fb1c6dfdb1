//! The embedded chain: one validator around the market's state machine, nothing to install.
//!
//! It speaks what the Cosmos world speaks - transactions of the Cosmos SDK, blocks and JSON-RPC of
//! CometBFT 0.38 - so that `cosmrs`, `tendermint-rpc` and CosmJS are its clients, and a program that
//! runs against it runs against a Cosmos SDK node with the same market.
//!
//! ```text
//!   rpc --offer--> ante, signing --> mempool --pick--> deliver --> block --> store (redb)
//!    ^                                                 |  |                    |
//!    |                                          chain::  bank, account         |
//!    +---------------- questions, blocks, events ------------------------------+
//! ```
//! A block is executed as a pure function of the state before, its seed and its transactions, then
//! signed, then written in one durable transaction, and only then told to anybody. After a crash
//! the file holds the last block or the one before, and the chain goes on from there.

mod account;
mod amino;
mod ante;
mod bank;
mod block;
mod config;
mod deliver;
mod events;
mod faucet;
mod genesis;
mod host;
mod index;
mod mempool;
mod node;
mod price;
mod query;
mod refused;
mod rpc;
mod signing;
mod state;
mod store;
mod tx;
mod validator;

pub use ante::{BLOCK_GAS_MAX, MEMO_MAX};
pub use block::{BLOCK_BYTES_MAX, Last, Sealed, Tip};
pub use config::{Config, TEMPLATE};
pub use faucet::{FaucetConfig, FaucetError};
pub use genesis::{Balance, GENESIS_FILE, Genesis, GenesisError, GenesisValidator};
pub use mempool::MempoolRefused;
pub use node::{CHAIN_FILE, OpenError, Solo, init};
pub use price::{BadGasPrice, GasPrice};
pub use refused::TxRefused;
pub use rpc::{ServeError, router, serve};
pub use store::StoreError;
pub use tx::{TX_BYTES_MAX, TX_MESSAGES_MAX, TX_SIGNATURES_MAX};
pub use validator::{KEYS_FILE, KeysError, ValidatorKeys, ValidatorPublic};
