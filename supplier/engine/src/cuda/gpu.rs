//! What the pass asks of a device: memory, and kernels that are started one after the other.

use super::program::Kernel;
use crate::device::DeviceFault as Fault;
use std::sync::Arc;

/// Bytes that are free, of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: usize,
    pub(crate) all: usize,
}

impl Room {
    /// Whether `needed` bytes for `what` fit.
    pub(crate) fn check(
        self,
        device: &str,
        what: &'static str,
        needed: usize,
    ) -> Result<(), Fault> {
        let Room { free, all } = self;
        match needed <= free {
            true => Ok(()),
            false => Err(Fault::Memory { device: device.to_owned(), what, needed, free, all }),
        }
    }
}

/// An argument of a kernel, as eight bytes of which it reads as many as it needs.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Argument(u64);

impl From<i32> for Argument {
    fn from(value: i32) -> Argument {
        Argument(u64::from(value as u32))
    }
}

impl From<i64> for Argument {
    fn from(value: i64) -> Argument {
        Argument(value as u64)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Argument {
        Argument(u64::from(value.to_bits()))
    }
}

impl From<Place> for Argument {
    fn from(value: Place) -> Argument {
        Argument(value.0)
    }
}

/// An address in a device's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u64);

impl Place {
    /// No place: an argument that a kernel can do without.
    pub(crate) const NONE: Place = Place(0);

    /// The place so many bytes later.
    pub(crate) fn after(self, bytes: usize) -> Place {
        Place(self.0 + bytes as u64)
    }
}

/// How many blocks of how many threads run a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) blocks: usize,
    pub(crate) threads: usize,
}

impl Grid {
    /// Threads of a block that take one number each.
    const THREADS: usize = 128;

    /// A thread for each of `count`.
    pub(crate) fn each(count: usize) -> Grid {
        Grid { blocks: count.div_ceil(Grid::THREADS), threads: Grid::THREADS }
    }
}

/// A GPU, or what stands for it. What is asked of it is done in the order in which it was asked; only
/// [`Gpu::read`] waits for that.
pub(crate) trait Gpu: Send + Sync {
    /// What it is called.
    fn name(&self) -> &str;

    /// Its memory; `None` where it takes that of the host.
    fn memory(&self) -> Result<Option<Room>, Fault>;

    /// Whether it has as much memory of its own free as is needed for `what`.
    fn check_room(&self, what: &'static str, needed: usize) -> Result<(), Fault> {
        self.memory()?.map_or(Ok(()), |room| room.check(self.name(), what, needed))
    }

    /// Memory of its own, for `what`.
    fn take(&self, bytes: usize, what: &'static str) -> Result<Place, Fault>;

    /// Gives memory back.
    ///
    /// # Safety
    /// The place was taken here and nothing uses it any more.
    unsafe fn give_back(&self, place: Place);

    /// Copies bytes to a place.
    ///
    /// # Safety
    /// The place has room for them.
    unsafe fn write(&self, to: Place, bytes: &[u8]) -> Result<(), Fault>;

    /// Waits for all that was asked, and copies bytes from a place.
    ///
    /// # Safety
    /// The place holds so many.
    unsafe fn read(&self, from: Place, bytes: &mut [u8]) -> Result<(), Fault>;

    /// Starts a kernel.
    ///
    /// # Safety
    /// The arguments are those of the kernel, and what they lead to is as large as it expects.
    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: Grid,
        arguments: &mut [Argument],
    ) -> Result<(), Fault>;
}

/// Starts a kernel with arguments of their own types.
macro_rules! launch {
    ($gpu:expr, $kernel:expr, $grid:expr, $($argument:expr),+ $(,)?) => {{
        let mut arguments = [$(Argument::from($argument)),+];
        // SAFETY: each call names the kernel's own arguments in their order, and places that were taken for
        // what the kernel reads and writes there.
        #[allow(unsafe_code)]
        unsafe { $gpu.launch($kernel, $grid, &mut arguments) }
    }};
}
pub(crate) use launch;

/// A piece of a device's memory, given back when it is dropped.
pub(crate) struct Memory {
    device: Arc<dyn Gpu>,
    place: Place,
    bytes: usize,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {}", self.bytes, self.device.name())
    }
}

#[allow(unsafe_code)]
impl Memory {
    /// Memory that nothing was written to.
    pub(crate) fn new(
        device: &Arc<dyn Gpu>,
        bytes: usize,
        what: &'static str,
    ) -> Result<Memory, Fault> {
        let bytes = bytes.max(1);
        Ok(Memory { place: device.take(bytes, what)?, device: device.clone(), bytes })
    }

    /// Memory that holds `bytes`.
    pub(crate) fn of(
        device: &Arc<dyn Gpu>,
        bytes: &[u8],
        what: &'static str,
    ) -> Result<Memory, Fault> {
        let memory = Memory::new(device, bytes.len(), what)?;
        memory.write(0, bytes)?;
        Ok(memory)
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is memory of `device`.
    pub(crate) fn is_of(&self, device: &Arc<dyn Gpu>) -> bool {
        Arc::ptr_eq(&self.device, device)
    }

    pub(crate) fn write(&self, from: usize, bytes: &[u8]) -> Result<(), Fault> {
        assert!(from + bytes.len() <= self.bytes, "what is written fits the memory");
        // SAFETY: it fits, as was just checked.
        unsafe { self.device.write(self.place.after(from), bytes) }
    }

    /// The first `count` floats.
    pub(crate) fn floats(&self, count: usize) -> Result<Vec<f32>, Fault> {
        assert!(count * 4 <= self.bytes, "what is read was there");
        let mut bytes = vec![0; count * 4];
        // SAFETY: there are so many, as was just checked.
        unsafe { self.device.read(self.place, &mut bytes)? };
        let float = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        Ok(bytes.chunks_exact(4).map(float).collect())
    }
}

#[allow(unsafe_code)]
impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it was taken from this device, and whoever could use it borrowed it from here.
        unsafe { self.device.give_back(self.place) }
    }
}

/// The bytes of floats, as a device reads them.
pub(crate) fn bytes_of(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|float| float.to_le_bytes()).collect()
}
