//! Runs language models of the Llama, Mistral and Qwen families from GGUF files and safetensors.
//!
//! A [`Model`] takes a batch of [`Chunk`]s - pieces of prompts and single new tokens of several
//! sequences side by side - and gives the logits that follow. What it gives for a token does not
//! depend on what else is in the batch, on how a prompt was cut, on the number of threads or on the
//! processor: each row of a matrix product is computed alone and in one order, attention adds up in
//! the order of positions, and exponentials come from `libm`, not from the platform. So an answer can
//! be checked, bit by bit, with one pass over prompt and answer together.
//!
//! ```text
//! load      files to weights: families, settings, what is checked of strangers' files
//! kernel    products of matrices, in each type of weights and on each kind of processor
//! attention what heads make of the positions that they see
//! cache     keys and values, in pages that sequences share
//! device    where it is computed: the processor or, by the feature `cuda`, a GPU
//! model     one step over a batch
//! step      its rows, and which of them are asked for
//! pass      a step over several boxes, each with some of the layers
//! sampler   the next token, a function of logits, settings, seed and position
//! ```

mod attention;
mod buffer;
mod cache;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod kernel;
mod load;
mod math;
mod model;
mod pass;
mod sampler;
mod step;
mod threads;
#[cfg(feature = "train")]
pub mod train;

pub use cache::{Cache, Full, PAGE, Room, Slot};
pub use device::{Device, DeviceError, DeviceFault};
pub use kernel::{KERNEL_CLASS, KernelFault, Kind, check_kernels};
pub use load::{KindError, LoadError, Outline, PackError, Part, Report, Residual};
pub use model::{Chunk, Model, StepError};
pub use pass::{PassError, Span, Store, last_rows};
pub use sampler::{Candidate, Said, Sampled, Sampling, distribution, leaders, sample};
pub use threads::limit_threads;
