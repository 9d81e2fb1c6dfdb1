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
mod answer;
pub mod book;
pub mod clock;
pub mod config;
pub mod count;
pub mod duties;
mod exhibit;
pub mod explain;
pub mod forward;
mod gate;
mod interrupted;
mod look;
pub mod market;
mod metrics;
mod miner;
mod parts;
pub mod payouts;
mod pulse;
pub mod receipt;
mod relay;
pub mod reprice;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod rig;
mod router;
mod serve;
pub mod sessions;
mod submit;
pub mod tree;
pub mod vault;

pub use config::{Config, TEMPLATE};
pub use interrupted::Interrupted;
pub use parts::StartRefused;
pub use serve::{Parts, ServeError, serve};
