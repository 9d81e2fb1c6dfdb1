//! Auditors: what they measure an answer with, and a process beside a validator that does it.
//!
//! ```text
//!  serve --> clerk: blocks, dockets, what is due
//!              |--> fetch: the transcript from the supplier, sealed
//!              |--> desk:  which model ran (given), cross-encoder, judge, recount
//!              |--> journal (synced) --> commit --> reveal
//! ```
//! The [cross-encoder](cross) is small and looks at every drawn answer; the [judge] is a language
//! model that is asked for a mark, and sees what the first finds doubtful. Both give whole numbers
//! per mille, so that auditors can be compared. The [recount] says what a receipt should have
//! billed at most. Which model ran is found by whoever is given as [`desk::Identify`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod beacon;
mod clerk;
pub mod config;
pub mod cross;
pub mod desk;
pub mod duties;
pub mod fetch;
pub mod journal;
pub mod judge;
pub mod mark;
mod metrics;
pub mod pairs;
pub mod recount;
pub mod roc;
mod serve;
pub mod shelf;
mod status;

pub use config::{Config, TEMPLATE};
pub use mark::{Mark, quality};
pub use serve::{Parts, ServeError, serve};
pub use status::Status;
