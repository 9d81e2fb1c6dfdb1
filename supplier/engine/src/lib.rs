//! Runs language models: Llama-family models from GGUF files, on candle's quantised kernels.
//!
//! A [`Model`] takes a batch of [`Chunk`]s - pieces of prompts and single new tokens of several
//! sequences side by side - and gives the logits that follow. What it gives for a token does not
//! depend on what else is in the batch, on how a prompt was cut, or on the number of threads:
//! each row of a matrix product is computed alone and in one order, attention adds up in the
//! order of positions, and exponentials come from `libm`, not from the platform. So an answer can
//! be checked, bit by bit, with one pass over prompt and answer together.

mod cache;
mod load;
mod math;
mod model;
mod sampler;
mod threads;
#[cfg(feature = "train")]
pub mod train;

pub use cache::{Cache, Full, Slot};
pub use load::LoadError;
pub use model::{Chunk, Model, StepError};
pub use sampler::{Candidate, Sampled, Sampling, sample};
pub use threads::limit_threads;
