//! Reading a model: a GGUF file, or safetensors with their config.json.
//!
//! Files are mapped, not read: what is in the page cache is not copied twice, and only tensors that
//! are used are touched. Whatever the files hold, the answer is a model or an error.

mod config;
mod metadata;
mod outline;
mod part;
mod report;
mod rope;
mod shape;
mod source;
mod weights;

pub use crate::kernel::KindError;
pub use crate::kernel::PackError;
pub use outline::Outline;
pub use part::{Part, Residual};
pub use report::Report;
pub(crate) use rope::{Pairing, Rope};
pub(crate) use shape::Shape;
pub(crate) use weights::{Layer, Linear, Weights};

use crate::device::{Device, DeviceFault, Opened};
use source::Source;
use std::path::{Path, PathBuf};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} holds neither a GGUF file nor model.safetensors with config.json", .0.display())]
    Nothing(PathBuf),
    #[error(transparent)]
    Parts(#[from] meter::gguf::PartsError),
    #[error(
        "{} says that the model has {said} parts, but {found} are there: put all of them there under their own names",
        path.display()
    )]
    PartCount { path: PathBuf, said: u64, found: usize },
    #[error("{} is part {got} of the model by what it says itself, but part {expected} by its name", path.display())]
    PartOrder { path: PathBuf, got: u64, expected: usize },
    #[error("the model's parts hold {found} tensors, but {} says that there are {said}", path.display())]
    PartTensors { path: PathBuf, said: u64, found: usize },
    #[error("{} holds the tensor {name}, which another part has, too", path.display())]
    PartTwice { path: PathBuf, name: String },
    #[error("{} is no file that can be read: {reason}", path.display())]
    Format { path: PathBuf, reason: String },
    #[error(
        "the model is of the family {0:?}; the families that run here are: llama (also Mistral), qwen2, qwen3"
    )]
    Family(String),
    #[error("the model says nothing of {0}")]
    Missing(String),
    #[error("the model says {name} in a form that is not read here: it must be one whole number")]
    Form { name: String },
    #[error("the model says {name} is {value}, but it must be in {min}..={max}")]
    OutOfRange { name: String, value: u64, min: u64, max: u64 },
    #[error("the model says {name} is {value}, which is not run here")]
    Unsupported { name: String, value: String },
    #[error(
        "layers {from}..{to} were asked for, but the model has {layers}: name some of 0..{layers}"
    )]
    Layers { from: usize, to: usize, layers: usize },
    #[error("the tensor {name} is missing")]
    NoTensor { name: String },
    #[error(
        "the tensor {name} is none of a model of the family {family}: it is a variant that is not run here"
    )]
    Stranger { name: String, family: &'static str },
    #[error("the tensor {name} has the shape {got:?}, but {expected:?} fits the model")]
    Shape { name: String, got: Vec<usize>, expected: Vec<usize> },
    #[error("the tensor {name} ends at byte {end}, but its file has {length} bytes")]
    Short { name: String, end: u128, length: usize },
    #[error("the tensor {name}: {source}")]
    Kind { name: String, source: KindError },
    #[error("the tensor {name}: {source}")]
    Pack { name: String, source: PackError },
    #[error(transparent)]
    Device(#[from] DeviceFault),
}

/// Reads a part of the model in `folder` to an opened device.
pub(crate) fn read(
    folder: &Path,
    part: &Part,
    device: Device,
    opened: &Opened,
) -> Result<(Weights, Report), LoadError> {
    let began = std::time::Instant::now();
    let source = Source::open(folder)?;
    #[cfg(feature = "cuda")]
    if let Some(gpu) = opened {
        gpu.check_room("the weights", source.bytes_of(&part.within(source.shape.layers)?))?;
    }
    let mut report = Report::of(&source, device);
    let weights = weights::read(&source, part, opened, &mut report)?;
    report.took = began.elapsed();
    Ok((weights, report))
}

/// `value` when it is in `1..=max`.
fn bounded(name: &str, value: u64, max: u64) -> Result<usize, LoadError> {
    if (1..=max).contains(&value) {
        Ok(value as usize)
    } else {
        Err(LoadError::OutOfRange { name: name.to_owned(), value, min: 1, max })
    }
}
