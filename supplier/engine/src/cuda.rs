//! Models on an NVIDIA GPU, with the bits of the processor.
//!
//! All that the processor's kernels do can be done elsewhere with the same bits: integer sums have no order, and the
//! floating-point steps between them have one, with one rounding each. So a GPU's answers are of the same class,
//! and whoever checks them needs no GPU.
//!
//! ```text
//! kernels/   the text of the kernels, in CUDA C that is also C++
//! program    the text as a whole, and the kernels' names
//! gpu        what is asked of a GPU: memory, and kernels one after the other
//! driver     NVIDIA's driver and run-time compiler, found when they are asked for
//! emulator   the same text, compiled for the processor
//! panel      a matrix in a GPU's memory, and its products
//! scratch    memory that steps use again
//! attention  keys, values and what heads make of them
//! network    a step over a batch
//! check      a fixed vector through every kernel, against the processor
//! ```

mod attention;
mod check;
mod driver;
mod emulator;
mod gpu;
mod network;
mod panel;
mod program;
mod scratch;

pub(crate) use attention::pages_memory;
pub(crate) use gpu::{Gpu, Memory, Place};
pub(crate) use network::Network;
pub(crate) use panel::Panel;

use crate::device::{Device, DeviceFault, Opened};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The GPU of this name, opened once for the whole process and checked against the processor.
pub(crate) fn open(device: Device) -> Result<Opened, DeviceFault> {
    static OPENED: Mutex<BTreeMap<Device, Arc<dyn Gpu>>> = Mutex::new(BTreeMap::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(gpu) = opened.get(&device) {
        return Ok(Some(gpu.clone()));
    }
    let gpu: Arc<dyn Gpu> = match device {
        Device::Cpu => return Ok(None),
        Device::Cuda(number) => Arc::new(driver::Driver::new(number)?),
        Device::Emulator => Arc::new(emulator::Emulator::new(emulator::Turns::Forwards)?),
    };
    check::check(&gpu)?;
    opened.insert(device, gpu.clone());
    Ok(Some(gpu))
}

#[cfg(test)]
mod tests;
