//! The market behind a C border, for a node in another language: `loded` links it.
//!
//! ```text
//! Go: x/market ── lode_execute(call, callbacks, bytes) ──> chain::execute over [`guest::Guest`]
//!      store, bank <── get, set, range, pay, emit ──────────┘
//! ```
//! `include/lode.h` is the border's one description: who reads it knows all that may cross. Every
//! entry catches panics, so that a fault here ends a call and never the node. A callback that
//! fails ends the call too: it is left by unwinding, through code that knows nothing of it.
#![allow(unsafe_code)] // A C border cannot be drawn without; each block says why it holds.

mod border;
mod entry;
mod guest;
mod list;
mod meter;
mod seed;
mod stop;

pub use border::{Bytes, Call, Callbacks, Outcome, Room, code, preset, status};
pub use entry::{
    lode_begin_block, lode_end_block, lode_execute, lode_export, lode_genesis, lode_preset,
    lode_query,
};
pub use meter::gas;
pub use seed::{lode_seed_first, lode_seed_next, lode_vrf_prove, lode_vrf_public, lode_vrf_verify};
