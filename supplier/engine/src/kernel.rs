//! Products of matrices, the heart of the engine.
//!
//! A [`Matrix`] lies in strips of sixteen rows, in the bits that its file had; [`Rows`] of
//! activations are rounded to eight bits in blocks, and all products within a group of weights are
//! sums of integers. Each output is computed alone, its floating-point steps in one fixed order, so
//! the same bits come out whatever else is in the batch, on however many threads, and on every
//! processor: see [`lanes`].

mod check;
mod float;
mod heed;
mod integer;
mod kind;
mod lanes;
mod matrix;
mod pack;
mod product;
mod rows;
mod unpack;

pub use check::{KERNEL_CLASS, KernelFault, check_kernels};
pub(crate) use heed::{ASKS, Ask, heed};
pub use kind::{Kind, KindError};
pub(crate) use matrix::Matrix;
pub use pack::PackError;
pub(crate) use product::{class, products};
pub(crate) use rows::Rows;

#[cfg(test)]
mod tests;
