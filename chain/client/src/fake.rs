//! Nodes that answer as CometBFT does, and fail as a test wants.

mod ledger;
mod node;
mod shape;

pub(crate) use ledger::{CHAIN_ID, Ledger, SEQUENCE, parts};
pub(crate) use node::{FakeNode, Mood};
