//! Stands before a supplier: lets relays in, passes them on, meters, signs and books them, and turns
//! the books into claims and proofs.
//!
//! ```text
//!  gateway --> serve --> admit --> forward --> supplier          a relay, streamed
//!                          |          |
//!                          v          v
//!                        book <--- receipt     on disk before it is given out
//!                          |
//!  chain <--- submit <-- duties        claims and proofs: what is due is asked, not remembered
//! ```

pub mod acks;
pub mod admit;
pub mod book;
pub mod config;
pub mod duties;
pub mod market;
pub mod tree;

pub use config::{Config, TEMPLATE};
