//! The boxes that run layers for this head.
//!
//! ```text
//! board    what is measured of boxes and links
//! member   one box: connects, keeps the connection, connects again
//! layout   which box runs which layers; pure
//! ```

mod board;
mod layout;
mod member;

pub(crate) use board::{Board, Seat};
pub(crate) use layout::{Candidate, Layout, Own, layout};
pub(crate) use member::{Caller, Member, News, Wait};
