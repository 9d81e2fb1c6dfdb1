//! Where a model is computed.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// Where a model is computed. All devices give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
    /// The GPU's kernels, compiled for the processor: slow, to see that they give the same bits.
    Emulator,
}

/// A device's name that names none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no device {0:?}: name cpu, cuda, or one of several GPUs as cuda:1")]
pub struct DeviceError(pub String);

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Device, DeviceError> {
        match text {
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            "emulator" => Ok(Device::Emulator),
            _ => {
                let number = text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
                number.map(Device::Cuda).ok_or_else(|| DeviceError(text.to_owned()))
            }
        }
    }
}

impl TryFrom<String> for Device {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<Device, DeviceError> {
        text.parse()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
            Device::Emulator => f.write_str("emulator"),
        }
    }
}

/// Why a device does not do what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceFault {
    #[error(
        "this program was built without GPUs: build it with --features cuda, or set the device to cpu instead of {0}"
    )]
    NotBuilt(Device),
    #[error(
        "there is no NVIDIA driver on this machine (libcuda was not found): install one, or set the device to cpu"
    )]
    NoDriver,
    #[error("there is no GPU {number} here: the driver knows {count}, which are counted from 0")]
    NoGpu { number: usize, count: usize },
    #[error(
        "NVIDIA's run-time compiler was not found (libnvrtc): install the CUDA toolkit, or the Python package nvidia-cuda-nvrtc-cu12, and name the library's folder in LD_LIBRARY_PATH; or set the device to cpu"
    )]
    NoCompiler,
    #[error(
        "the GPU {name} has compute capability {major}.{minor}, but the kernels need 7.0: take another GPU, or set the device to cpu"
    )]
    Old { name: String, major: i32, minor: i32 },
    #[error("the kernels cannot be compiled: {0}")]
    Compile(String),
    #[error(
        "there is no room on {device} for {what}: {needed} bytes are needed, and {free} of its {all} are free: take a smaller model, fewer layers or a smaller cache_mib"
    )]
    Memory { device: String, what: &'static str, needed: usize, free: usize, all: usize },
    #[error("{device} failed: {reason}")]
    Failed { device: String, reason: String },
    #[error(
        "{device} gives other bits than the processor in the kernel {kernel}, {case}: its answers would not pass for this model; set the device to cpu, and report the GPU and its driver"
    )]
    Bits { device: String, kernel: String, case: String },
    #[error("the keys and values lie on another device than the model")]
    Elsewhere,
}

/// A device that is ready; `None` is the processor.
#[cfg(feature = "cuda")]
pub(crate) type Opened = Option<std::sync::Arc<dyn crate::cuda::Gpu>>;

/// A device that is ready: the processor.
#[cfg(not(feature = "cuda"))]
pub(crate) struct Opened;

impl Device {
    /// Bytes of its own memory that are free now; `None` where it has none but the host's.
    pub fn memory(self) -> Result<Option<u64>, DeviceFault> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = self.open()? {
            return Ok(gpu.memory()?.map(|room| room.free as u64));
        }
        self.open().map(|_| None)
    }

    #[cfg(feature = "cuda")]
    pub(crate) fn open(self) -> Result<Opened, DeviceFault> {
        crate::cuda::open(self)
    }

    #[cfg(not(feature = "cuda"))]
    pub(crate) fn open(self) -> Result<Opened, DeviceFault> {
        match self {
            Device::Cpu => Ok(Opened),
            Device::Cuda(_) | Device::Emulator => Err(DeviceFault::NotBuilt(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for device in [Device::Cpu, Device::Cuda(0), Device::Cuda(3), Device::Emulator] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"] {
            let told = text.parse::<Device>().unwrap_err().to_string();
            assert!(told.contains("name cpu, cuda"), "{told}");
        }
    }
}
