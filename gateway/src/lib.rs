//! The OpenAI API on one side, staked suppliers on the other.
//!
//! ```text
//! client --HTTP--> api --> relay --> upstream --HTTP--> a supplier's relay miner
//!                   |        |
//!           account (keys)   +-- pool: sessions, places, suppliers (choose, breaker)
//!                   |        +-- flight: one relay: counted, judged, settled
//!                 books <----+-- acks, recover: what a miner knows to be acknowledged
//!                   ^
//!   chain <-- keeper (opens sessions), proofs (claims, openings, settlements)
//! ```
//! # Money
//! Before a request goes out, the most that it may cost is set aside, on its key and in its
//! session, in one step each ([`purse`]). It is settled on what came: the less of the gateway's own
//! count and the supplier's ([`judge`]). The sum of what is billed and set aside over all suppliers
//! of a session never passes its budget, so the gateway's stake is never touched. The books have a
//! relay as running before its client gets a byte, and as ended before it is acknowledged.
//!
//! # What clients see beyond OpenAI's API
//! Each answer carries `x-lode-receipt`, the id for `GET /v1/receipts/{id}`. An answer that is not
//! streamed also carries `x-lode-cost`. `usage` begins with `"cost":{"amount":"…","denom":"…"}`,
//! put there as bytes and nothing else changed; [`splice::take_out`] gives back the bytes that the
//! receipt's `response_root` is over. A stream has it only if it was asked for usage.

pub mod account;
mod acks;
mod api;
pub mod books;
pub mod breaker;
pub mod chain;
pub mod choose;
pub mod config;
pub mod count;
mod flight;
mod gateway;
pub mod judge;
pub mod keeper;
mod metrics;
pub mod openai;
pub mod pool;
mod proofs;
pub mod purse;
pub mod receipt;
mod recover;
mod relay;
mod serve;
pub mod splice;
pub mod tab;
mod upstream;

pub use api::router;
pub use gateway::{Clock, Gateway, NotStarted, Parts};
pub use relay::COST_HEADER;
pub use serve::serve;
