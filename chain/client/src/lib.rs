//! The chain as the other roles know it: keys, questions, blocks, transactions.
//!
//! It speaks CometBFT's RPC and the Cosmos SDK's formats and nothing else, so the embedded engine
//! and a Cosmos SDK node are the same to it.
//!
//! ```text
//!  keys ---- Signer ------+
//!                         v
//!  Endpoints --> Chain --> Sender      messages --> one transaction --> in a block, or known lost
//!                  |
//!                  +--> query, tx, balances …    answers that are never older than the last
//!                  +--> blocks                   each height once, in order
//!  rpc: several nodes as one;  pulse: how high the chain is
//! ```

mod blocks;
mod chain;
mod endpoints;
mod event;
#[cfg(test)]
mod fake;
pub mod keys;
mod pulse;
mod rpc;
mod sender;

pub use blocks::{BlockNews, Blocks, Gap};
pub use chain::{AccountState, Chain, QueryError, TxFound, TxPage};
pub use endpoints::Endpoints;
pub use event::Event;
pub use rpc::{ConnectError, Offline};
pub use sender::{BadGasPrice, GasPolicy, GasPrice, Included, SendError, Sender};
