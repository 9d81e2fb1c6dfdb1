//! NVIDIA's driver and run-time compiler, found when they are asked for.

use super::gpu::{Argument, Gpu, Grid, Place, Room};
use super::program::{self, Kernel};
use crate::device::DeviceFault as Fault;
use cudarc::driver::sys::{CUfunction, CUmodule, CUstream};
use cudarc::driver::{CudaContext, CudaStream, DriverError, result};
use cudarc::nvrtc::{self, result::NvrtcError};
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::sync::Arc;

/// Products of bytes in one instruction, and threads that go their own ways: Volta and later.
const CAPABILITY_MIN: (i32, i32) = (7, 0);

/// A GPU by NVIDIA's driver.
pub(super) struct Driver {
    name: String,
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    kernels: HashMap<Kernel, CUfunction>,
    module: CUmodule,
}

// SAFETY: functions and modules are handles that the driver lets every thread use; each call binds the context
// to its thread first.
#[allow(unsafe_code)]
unsafe impl Send for Driver {}
// SAFETY: as above; the driver's calls are safe to make at the same time.
#[allow(unsafe_code)]
unsafe impl Sync for Driver {}

impl Driver {
    /// The GPU of this number, with all kernels compiled for it.
    pub(super) fn new(number: usize) -> Result<Driver, Fault> {
        present()?;
        let device = format!("cuda:{number}");
        let failed = |error: DriverError| failed(&device, &error);
        result::init().map_err(failed)?;
        let count = result::device::get_count().map_err(failed)?.max(0) as usize;
        if number >= count {
            return Err(Fault::NoGpu { number, count });
        }
        let context = CudaContext::new(number).map_err(failed)?;
        let model = context.name().map_err(failed)?;
        let capability = context.compute_capability().map_err(failed)?;
        if capability < CAPABILITY_MIN {
            let (major, minor) = capability;
            return Err(Fault::Old { name: model, major, minor });
        }
        let stream = context.new_stream().map_err(failed)?;
        let code = compiled(Target::of(capability, &architectures()?)?)?;
        let (module, kernels) = loaded(&code).map_err(failed)?;
        let name = format!("{device} ({model})");
        Ok(Driver { name, context, stream, kernels, module })
    }

    fn stream(&self) -> CUstream {
        self.stream.cu_stream()
    }

    /// Makes the GPU that of this thread, and names it where it fails.
    fn on<R>(&self, call: impl FnOnce() -> Result<R, DriverError>) -> Result<R, Fault> {
        let bound = self.context.bind_to_thread().and_then(|()| call());
        bound.map_err(|error| failed(&self.name, &error))
    }
}

fn failed(device: &str, error: &DriverError) -> Fault {
    Fault::Failed { device: device.to_owned(), reason: error.to_string() }
}

/// Whether driver and compiler are there: what asks them for anything else panics where they are not.
#[allow(unsafe_code)]
fn present() -> Result<(), Fault> {
    // SAFETY: both open a library and look for nothing in it. The libraries are NVIDIA's, found by the system's
    // rules, and are as much to be trusted as the system.
    unsafe {
        if !cudarc::driver::sys::is_culib_present() {
            return Err(Fault::NoDriver);
        }
        compiler_present()
    }
}

/// # Safety
/// As for loading NVIDIA's library.
#[allow(unsafe_code)]
unsafe fn compiler_present() -> Result<(), Fault> {
    // SAFETY: the caller's.
    match unsafe { nvrtc::sys::is_culib_present() } {
        true => Ok(()),
        false => Err(Fault::NoCompiler),
    }
}

/// For which machine kernels are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// For a GPU of this very architecture.
    Own(i32),
    /// In the driver's language, for the driver to finish: a compiler may be older than a GPU.
    Older(i32),
}

impl Target {
    /// The best that the compiler can do for a GPU.
    pub(super) fn of((major, minor): (i32, i32), known: &[i32]) -> Result<Target, Fault> {
        let own = major * 10 + minor;
        if known.contains(&own) {
            return Ok(Target::Own(own));
        }
        let older = known.iter().copied().filter(|known| *known < own).max();
        older.map(Target::Older).ok_or_else(|| {
            let least = known.iter().min().copied().unwrap_or_default();
            Fault::Compile(format!(
                "the run-time compiler's oldest architecture is {least}, but the GPU has {own}: install an older compiler"
            ))
        })
    }

    fn option(self) -> String {
        match self {
            Target::Own(architecture) => format!("--gpu-architecture=sm_{architecture}"),
            Target::Older(architecture) => format!("--gpu-architecture=compute_{architecture}"),
        }
    }
}

/// All architectures that the compiler knows.
#[allow(unsafe_code)]
pub(super) fn architectures() -> Result<Vec<i32>, Fault> {
    let wrong = |error: NvrtcError| Fault::Compile(error.to_string());
    let mut count = 0;
    // SAFETY: the compiler is there, as was checked. It writes one number, then as many as it said.
    unsafe {
        compiler_present()?;
        nvrtc::sys::nvrtcGetNumSupportedArchs(&raw mut count).result().map_err(wrong)?;
        let mut known = vec![0; count.max(0) as usize];
        nvrtc::sys::nvrtcGetSupportedArchs(known.as_mut_ptr()).result().map_err(wrong)?;
        Ok(known)
    }
}

/// The kernels for a target: machine code, or text that ends with a zero byte.
#[allow(unsafe_code)]
pub(super) fn compiled(target: Target) -> Result<Vec<u8>, Fault> {
    let wrong = |error: NvrtcError| Fault::Compile(error.to_string());
    let text = CString::new(program::text()).expect("the kernels hold no zero byte");
    let program = nvrtc::result::create_program(&text, Some(c"lode.cu")).map_err(wrong)?;
    let options = [
        target.option(),
        "--std=c++17".to_owned(),
        "--fmad=false".to_owned(),
        "--ftz=false".to_owned(),
        "--prec-div=true".to_owned(),
        "--prec-sqrt=true".to_owned(),
    ];
    // SAFETY: the program was just made, and ends here, after what is asked of it.
    unsafe {
        let code = match (nvrtc::result::compile_program(program, &options), target) {
            (Ok(()), Target::Own(_)) => machine_code(program).map_err(wrong),
            (Ok(()), Target::Older(_)) => nvrtc::result::get_ptx(program)
                .map(|text| text.into_iter().map(|byte| byte as u8).collect())
                .map_err(wrong),
            (Err(error), _) => {
                let log = nvrtc::result::get_program_log(program).unwrap_or_default();
                let log: Vec<u8> = log.into_iter().map(|byte| byte as u8).collect();
                Err(Fault::Compile(format!("{error}: {}", String::from_utf8_lossy(&log))))
            }
        };
        // What was compiled is held already.
        let _ended = nvrtc::result::destroy_program(program);
        code
    }
}

/// # Safety
/// The program was compiled for an architecture of its own.
#[allow(unsafe_code)]
unsafe fn machine_code(program: nvrtc::sys::nvrtcProgram) -> Result<Vec<u8>, NvrtcError> {
    let mut size = 0;
    // SAFETY: the compiler says how many bytes it writes, then writes them.
    unsafe {
        nvrtc::sys::nvrtcGetCUBINSize(program, &raw mut size).result()?;
        let mut code = vec![0u8; size];
        nvrtc::sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()).result()?;
        Ok(code)
    }
}

#[allow(unsafe_code)]
fn loaded(code: &[u8]) -> Result<(CUmodule, HashMap<Kernel, CUfunction>), DriverError> {
    // SAFETY: the code is what the compiler made, and the module is kept for as long as its functions.
    unsafe {
        let module = result::module::load_data(code.as_ptr().cast())?;
        let function = |kernel: Kernel| {
            let name = CString::new(kernel.to_string()).expect("names hold no zero byte");
            result::module::get_function(module, name).map(|function| (kernel, function))
        };
        let kernels = Kernel::all().into_iter().map(function).collect::<Result<_, _>>()?;
        Ok((module, kernels))
    }
}

#[allow(unsafe_code)]
impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: nothing of the module is used any more. A driver that fails here is about to go, too.
        let _gone = self.on(|| unsafe { result::module::unload(self.module) });
    }
}

#[allow(unsafe_code)]
impl Gpu for Driver {
    fn name(&self) -> &str {
        &self.name
    }

    fn memory(&self) -> Result<Option<Room>, Fault> {
        self.on(result::mem_get_info).map(|(free, all)| Some(Room { free, all }))
    }

    fn take(&self, bytes: usize, what: &'static str) -> Result<Place, Fault> {
        // SAFETY: nothing is read of the memory before it was written.
        match self.on(|| unsafe { result::malloc_sync(bytes) }) {
            Ok(place) => Ok(Place(place)),
            Err(fault) => {
                // The driver says only that there is no memory; how much there is, a person must know.
                if let Some(room) = self.memory()? {
                    room.check(&self.name, what, bytes)?;
                }
                Err(fault)
            }
        }
    }

    unsafe fn give_back(&self, place: Place) {
        // SAFETY: the caller's. Where a GPU failed its memory is gone anyway.
        let _gone = self.on(|| unsafe { result::free_sync(place.0) });
    }

    unsafe fn write(&self, to: Place, bytes: &[u8]) -> Result<(), Fault> {
        // SAFETY: the caller's for the place; the driver has copied pageable memory when it returns.
        self.on(|| unsafe { result::memcpy_htod_async(to.0, bytes, self.stream()) })
    }

    unsafe fn read(&self, from: Place, bytes: &mut [u8]) -> Result<(), Fault> {
        // SAFETY: the caller's for the place; what is written to is waited for.
        self.on(|| unsafe {
            result::memcpy_dtoh_async(bytes, from.0, self.stream())?;
            result::stream::synchronize(self.stream())
        })
    }

    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: Grid,
        arguments: &mut [Argument],
    ) -> Result<(), Fault> {
        let mut pointers: Vec<*mut c_void> =
            arguments.iter_mut().map(|argument| (&raw mut *argument).cast()).collect();
        let function = self.kernels[&kernel];
        let (blocks, threads) = ((grid.blocks as u32, 1, 1), (grid.threads as u32, 1, 1));
        // SAFETY: the caller's: the arguments are those of the kernel, and the driver copies them.
        self.on(|| unsafe {
            result::launch_kernel(function, blocks, threads, 0, self.stream(), &mut pointers)
        })
    }
}
