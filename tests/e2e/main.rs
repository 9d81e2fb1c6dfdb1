//! Whole networks, with real processes and the clients that people really use.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod audit;
mod auditor;
mod boxes;
mod by_hand;
mod clients;
mod cosmos;
mod crash;
mod ibc;
mod issuer;
mod join;
mod loded;
mod network;
mod openai;
mod payout;
mod quality;
mod side_by_side;
mod stream;
mod streams;
mod wallets;
