//! What boxes that share a model say to each other, and how.
//!
//! ```text
//! key      who a box is: an ed25519 key; a peer is known by its public half
//! secure   TLS 1.3 with those keys and no certificates (RFC 7250), both sides proven
//! frame    what is said: frames of one form, each with a bound
//! bytes    numbers, texts and lists of bounded bytes
//! wire     frames over a connection, each wait with a deadline
//! ```

mod bytes;
mod frame;
mod key;
mod secure;
mod wire;

pub use bytes::Malformed;
pub use frame::{
    About, CONTROL_MAX, Frame, Greeting, HOPS_MAX, Order, PROBE_MAX, REASON_MAX, ROWS_MAX, Rows,
    VERSION, Yield, frame_max,
};
pub use key::{KeyError, LinkKey, PeerKey};
pub use secure::{Keys, SecureError, accept, dial};
pub(crate) use wire::now_micros;
pub use wire::{LinkError, Receiver, Sender, split};
