//! What was loaded, and how it is run.

use super::source::Source;
use crate::device::Device;
use crate::kernel::{Kind, class};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What was loaded, and how it is run.
#[derive(Clone, Debug)]
pub struct Report {
    pub path: PathBuf,
    pub family: &'static str,
    pub layers: usize,
    pub context: usize,
    pub vocabulary: usize,
    /// For each type of weights: tensors, bytes in the file, bytes in memory.
    pub weights: BTreeMap<Kind, (usize, usize, usize)>,
    /// Where it is computed.
    pub device: Device,
    /// The kernels of this processor; a GPU has its own.
    pub kernels: &'static str,
    pub took: Duration,
}

impl Report {
    pub(super) fn of(source: &Source, device: Device) -> Report {
        let shape = &source.shape;
        Report {
            path: source.path.clone(),
            family: shape.family,
            layers: shape.layers,
            context: shape.context,
            vocabulary: shape.vocabulary,
            weights: BTreeMap::new(),
            device,
            kernels: match device {
                Device::Cpu => class(),
                Device::Cuda(_) | Device::Emulator => "cuda",
            },
            took: Duration::ZERO,
        }
    }

    pub(super) fn packed(&mut self, kind: Kind, on_disk: usize, in_memory: usize) {
        let entry = self.weights.entry(kind).or_default();
        entry.0 += 1;
        entry.1 += on_disk;
        entry.2 += in_memory;
    }

    /// Bytes of all weights in memory.
    pub fn bytes(&self) -> usize {
        self.weights.values().map(|(_, _, bytes)| bytes).sum()
    }
}

/// How the weights of a type are computed with.
fn choice(kind: Kind) -> &'static str {
    match kind {
        Kind::F32 | Kind::F16 | Kind::BF16 => "kept as they are, widened as they are read",
        Kind::Q4_0 | Kind::Q4_1 | Kind::Q5_0 | Kind::Q5_1 => {
            "laid out anew as codes, scales and offsets, nothing lost; 8-bit activations"
        }
        Kind::Q8_0 | Kind::Q4_K | Kind::Q5_K | Kind::Q6_K => "kept bit by bit; 8-bit activations",
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{}: {}, {} layers, {} tokens of context, {} in the vocabulary; device: {}, kernels: {}",
            self.path.display(),
            self.family,
            self.layers,
            self.context,
            self.vocabulary,
            self.device,
            self.kernels
        )?;
        for (kind, (count, disk, memory)) in &self.weights {
            let (disk, memory) = (mib(*disk), mib(*memory));
            write!(
                f,
                "; {count} tensors of {kind:?}, {disk:.1} MiB, {memory:.1} in memory: {}",
                choice(*kind)
            )?;
        }
        write!(f, "; loaded in {:.2} s", self.took.as_secs_f64())
    }
}
