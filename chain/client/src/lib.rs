//! chain-client

pub mod keys;
