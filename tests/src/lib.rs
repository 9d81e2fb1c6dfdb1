//! What no single role can show.
#![allow(clippy::unwrap_used)]

pub mod town;
