//! The boxes that run layers for this head.
//!
//! ```text
//! member   one box: connects, keeps the connection, connects again
//! layout   which box runs which layers; pure
//! ```

mod layout;
mod member;

pub(crate) use layout::{Candidate, Layout, Own, layout};
pub(crate) use member::{Caller, Member, News, Wait};
