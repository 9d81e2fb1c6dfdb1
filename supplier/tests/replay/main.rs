//! Answers made again: honest ones always come out the same, those of other models never do.
#![allow(clippy::unwrap_used)]

mod cheats;
mod honest;
mod stand;
mod within;
