//! What no single role can show.
#![allow(clippy::unwrap_used)]

pub mod dice;
pub mod strategies;
pub mod town;
