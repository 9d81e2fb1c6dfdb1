//! What the roles of Lode must agree on: names, bytes and rules.
//!
//! Everything here is pure. What a rule needs it is given: no clock, network, disk or dice, no
//! float and no hash-ordered map. Gateway, relay miner, auditor and chain call the same functions
//! and so get the same answer.
//!
//! ```text
//!  units, keys, usage        numbers and names that say what they are
//!  params, service, supplier what is registered
//!  coins                     what services may be priced in
//!  session, draw, seed       who serves whom, when, on which terms
//!  relay, transcript, leaf   one completion: asked, answered, receipted, acknowledged
//!  evidence, dossier         what shows which model gave it, and all that an auditor needs
//!  claim, payout, price      what it earns
//!  audit, sealed             whether it was worth it, and how it is shown
//!  message, query, wire      how all of it is written down
//! ```

pub mod audit;
pub mod claim;
pub mod coins;
pub mod dossier;
pub mod draw;
pub mod evidence;
pub mod fixed;
pub mod keys;
pub mod leaf;
pub mod message;
pub mod names;
pub mod overcount;
pub mod params;
pub mod payout;
pub mod price;
pub mod query;
pub mod relay;
pub mod sealed;
pub mod seed;
pub mod service;
pub mod session;
pub mod signatures;
pub mod supplier;
pub mod transcript;
pub mod units;
pub mod usage;
pub mod vrf;
pub mod wire;

pub use keys::Address;
pub use units::{Amount, Coin, Cu, Denom, Digest, Height, Ppm, Price, Time};
pub use usage::{CuWeights, Usage};
