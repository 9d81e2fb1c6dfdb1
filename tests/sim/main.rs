//! The market with everybody in it, honest or not, block by block and without a network.
//!
//! After each block the sum of coins is what it was, and purses hold what records say. One integer
//! replays a run.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod audits;
mod coalition;
mod coins;
mod days;
mod extremes;
mod honest;
mod hostile;
mod price;
mod rogues;
mod strategies;
