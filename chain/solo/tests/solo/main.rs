//! The embedded chain as its clients meet it: transactions in, blocks and answers out.
#![allow(clippy::unwrap_used)]

mod ante;
mod faucet;
mod headers;
mod hostile;
mod lanes;
mod net;
mod questions;
mod restart;
mod rpc;
mod search;
mod signatures;
mod websocket;
