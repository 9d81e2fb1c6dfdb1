//! What an auditor measures an answer with: two instruments for its quality, and a recount.
//!
//! The [cross-encoder](cross) is small and looks at every drawn answer; the [judge] is a language
//! model that is asked for a mark, and sees what the first finds doubtful. Both give whole numbers
//! per mille, so that auditors can be compared. The [recount] says what a receipt should have
//! billed at most. Which model ran is another question, and not asked here.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cross;
pub mod judge;
pub mod mark;
pub mod recount;
pub mod roc;

pub use mark::{Mark, quality};
