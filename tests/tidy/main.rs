//! The repository's own rules: who may import whom, where `unsafe` lives, how long a file gets.
#![allow(clippy::unwrap_used)]

mod imports;
mod sources;
