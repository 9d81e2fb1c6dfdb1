//! NVIDIA's driver and run-time compiler, found when they are asked for.

use super::gpu::{Argument, Gpu, Grid, Place};
use super::program::{self, Kernel};
use crate::device::DeviceFault as Fault;
use cudarc::driver::sys::{CUfunction, CUmodule, CUstream};
use cudarc::driver::{CudaContext, CudaStream, DriverError, result};
use cudarc::nvrtc;
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};
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
        let text = compiled(architecture(capability)?)?;
        let (module, kernels) = loaded(&text).map_err(failed)?;
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

/// The newest architecture that the compiler knows and the GPU runs: a compiler may be older than a GPU.
fn architecture((major, minor): (i32, i32)) -> Result<i32, Fault> {
    let (known, own) = (architectures()?, major * 10 + minor);
    known.iter().copied().filter(|known| *known <= own).max().ok_or_else(|| {
        let least = known.iter().min().copied().unwrap_or_default();
        Fault::Compile(format!(
            "the run-time compiler's oldest architecture is {least}, but the GPU has {own}: install an older compiler"
        ))
    })
}

/// All architectures that the compiler knows.
#[allow(unsafe_code)]
pub(super) fn architectures() -> Result<Vec<i32>, Fault> {
    let wrong = |error: nvrtc::result::NvrtcError| Fault::Compile(error.to_string());
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

/// The kernels in the driver's language, for an architecture.
#[allow(unsafe_code)]
pub(super) fn compiled(architecture: i32) -> Result<CString, Fault> {
    let wrong = |error: nvrtc::result::NvrtcError| Fault::Compile(error.to_string());
    let text = CString::new(program::text()).expect("the kernels hold no zero byte");
    let program = nvrtc::result::create_program(&text, Some(c"lode.cu")).map_err(wrong)?;
    let options = [
        format!("--gpu-architecture=compute_{architecture}"),
        "--std=c++17".to_owned(),
        "--fmad=false".to_owned(),
        "--ftz=false".to_owned(),
        "--prec-div=true".to_owned(),
        "--prec-sqrt=true".to_owned(),
    ];
    // SAFETY: the program was just made, and ends here, after what is asked of it.
    unsafe {
        let outcome = nvrtc::result::compile_program(program, &options);
        let told = match outcome {
            Ok(()) => nvrtc::result::get_ptx(program).map_err(wrong),
            Err(error) => {
                let log = nvrtc::result::get_program_log(program).unwrap_or_default();
                Err(Fault::Compile(format!("{error}: {}", string(&log).to_string_lossy())))
            }
        };
        // What was compiled is held already.
        let _ended = nvrtc::result::destroy_program(program);
        told.map(|text| string(&text))
    }
}

/// Text up to its first zero byte.
fn string(bytes: &[c_char]) -> CString {
    let text = bytes.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0);
    CString::new(text.collect::<Vec<u8>>()).expect("it ends before its first zero byte")
}

#[allow(unsafe_code)]
fn loaded(text: &CString) -> Result<(CUmodule, HashMap<Kernel, CUfunction>), DriverError> {
    // SAFETY: the text ends with a zero byte, and the module is kept for as long as its functions.
    unsafe {
        let module = result::module::load_data(text.as_ptr().cast())?;
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

    fn take(&self, bytes: usize, what: &'static str) -> Result<Place, Fault> {
        // SAFETY: nothing is read of the memory before it was written.
        match self.on(|| unsafe { result::malloc_sync(bytes) }) {
            Ok(place) => Ok(Place(place)),
            Err(fault) => {
                let Ok((free, all)) = self.on(result::mem_get_info) else { return Err(fault) };
                if free > bytes {
                    return Err(fault);
                }
                Err(Fault::Memory { device: self.name.clone(), what, needed: bytes, free, all })
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
