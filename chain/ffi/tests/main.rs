//! The border as a node on the other side sees it: C functions, views and callbacks.
#![allow(clippy::unwrap_used, unreachable_pub, unsafe_code)]

mod border;
mod hostile;
mod seeds;
mod world;
