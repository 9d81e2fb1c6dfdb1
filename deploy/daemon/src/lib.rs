//! How every role starts, logs, reports health and metrics, and stops.

pub mod config;
pub mod file;
pub mod health;
pub mod home;
pub mod log;
pub mod process;
mod serve;
mod stop;

pub use serve::{serve, serve_within};
pub use stop::Stop;
