//! A gateway over real sockets, between OpenAI clients and relay miners that sign real receipts.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod harness;

mod errors;
mod money;
mod receipts;
mod restart;
mod retry;
mod sessions;
mod streams;
