//! The GPU's kernels on the processor.
//!
//! The very text that a GPU's compiler gets is compiled as C++, by the system's compiler, and run block after block.
//! It is slow, and shows which bits the kernels give where there is no GPU.

use super::gpu::{Argument, Gpu, Grid, Place, Room};
use super::program::{self, Kernel};
use crate::device::DeviceFault as Fault;
use libloading::Library;
use std::collections::HashMap;
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What stands before the text of the kernels.
const HEAD: &str = include_str!("kernels/emulator.h");

/// Bytes of each piece of memory that nobody may write to, to see who does.
const FENCE: usize = 64;
const FENCE_BYTE: u8 = 0xa5;

/// Runs a kernel by its name's number: blocks, threads, pointers to its arguments.
type Launch = unsafe extern "C" fn(u32, u32, u32, *mut *mut c_void);

/// In which order the threads of a block take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Turns {
    #[default]
    Forwards,
    #[cfg(test)]
    Backwards,
}

pub(crate) struct Emulator {
    inner: Mutex<Inner>,
}

struct Inner {
    launch: Launch,
    kernels: HashMap<Kernel, u32>,
    memory: HashMap<u64, Piece>,
    /// The code that `launch` leads to.
    _library: Library,
}

/// Memory, and how many bytes into it its fence begins.
struct Piece {
    words: Vec<u64>,
    fence: usize,
}

impl Emulator {
    /// Compiles the kernels with the system's C++ compiler (`CXX`, or c++).
    pub(crate) fn new(turns: Turns) -> Result<Emulator, Fault> {
        let folder = folder().map_err(|error| Fault::Compile(error.to_string()))?;
        let library = compiled(&folder.0, turns)?;
        let kernels = Kernel::all().into_iter().zip(0..).collect();
        // SAFETY: the library was just made of our own text, and runs nothing when it is opened; `launch` has
        // this type there, and lives as long as the library, which is kept beside it.
        #[allow(unsafe_code)]
        let (library, launch) = unsafe {
            let library = Library::new(library).map_err(failed)?;
            let launch = *library.get::<Launch>(b"emulate").map_err(failed)?;
            (library, launch)
        };
        let memory = HashMap::new();
        let inner = Mutex::new(Inner { launch, kernels, memory, _library: library });
        Ok(Emulator { inner })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A kernel that panicked somewhere else left nothing half done: all it wrote were numbers.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(error: libloading::Error) -> Fault {
    Fault::Compile(error.to_string())
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is some kilobytes among temporary files.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

fn folder() -> std::io::Result<Folder> {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("lode-emulator-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir(&path)?;
    Ok(Folder(path))
}

/// The library of all kernels, in `folder`.
fn compiled(folder: &Path, turns: Turns) -> Result<PathBuf, Fault> {
    let library = folder.join("kernels.so");
    let defines: &[&str] = if turns == Turns::Forwards { &[] } else { &["-DBACKWARDS"] };
    build(&text(), defines, &library)?;
    Ok(library)
}

/// All kernels as C++, and a function that runs them by number.
fn text() -> String {
    let case = |(i, kernel): (usize, Kernel)| {
        format!("        case {i}: return launch({kernel}, blocks, threads, arguments);\n")
    };
    let cases: String = Kernel::all().into_iter().enumerate().map(case).collect();
    format!(
        "{HEAD}\n{}\nextern \"C\" void emulate(unsigned kernel, unsigned blocks, unsigned threads, void **arguments) {{\n    switch (kernel) {{\n{cases}    }}\n}}\n",
        program::text()
    )
}

/// Makes a library of C++ text, with the system's compiler.
fn build(text: &str, defines: &[&str], library: &Path) -> Result<(), Fault> {
    let disk = |error: std::io::Error| Fault::Compile(error.to_string());
    let source = library.with_extension("cpp");
    std::fs::write(&source, text).map_err(disk)?;
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut command = Command::new(&compiler);
    command.args([
        "-std=c++17",
        "-O2",
        "-march=native",
        "-ffp-contract=off",
        "-fno-strict-aliasing",
    ]);
    command.args(["-shared", "-fPIC", "-w"]).args(defines);
    let output = command.arg("-o").arg(library).arg(&source).output();
    let output = output.map_err(|error| {
        Fault::Compile(format!("the emulator needs a C++ compiler, but {compiler}: {error}"))
    })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Fault::Compile(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// Puts libraries into `folder` that stand in for NVIDIA's driver and compiler.
#[cfg(test)]
pub(super) fn stand_in(folder: &Path) -> Result<(), Fault> {
    let names: Vec<String> = Kernel::all().iter().map(|name| format!("\"{name}\"")).collect();
    let names = format!("static const char *const names[] = {{{}}};", names.join(", "));
    let text = format!("{}\n{names}\n{}", text(), include_str!("kernels/driver.cpp"));
    let (driver, compiler) = (folder.join("libcuda.so"), folder.join("libnvrtc.so"));
    build(&text, &[], &driver)?;
    std::fs::copy(driver, compiler).map(drop).map_err(|error| Fault::Compile(error.to_string()))
}

#[allow(unsafe_code)]
impl Gpu for Emulator {
    fn name(&self) -> &str {
        "emulator"
    }

    fn memory(&self) -> Result<Option<Room>, Fault> {
        Ok(None)
    }

    fn take(&self, bytes: usize, _: &'static str) -> Result<Place, Fault> {
        let words = (bytes + FENCE).div_ceil(8) + 1;
        // Whoever reads what was never written gets numbers that are none.
        let mut memory = vec![u64::MAX; words];
        let start = memory.as_ptr() as u64;
        // The kernels load sixteen bytes at once, from places that are multiples of sixteen.
        let place = start.next_multiple_of(16);
        let fence = (place - start) as usize + bytes;
        let all = memory.as_mut_ptr().cast::<u8>();
        // SAFETY: at most eight bytes lie before the place, and there is room for them and the fence.
        unsafe { std::ptr::write_bytes(all.add(fence), FENCE_BYTE, words * 8 - fence) };
        self.inner().memory.insert(place, Piece { words: memory, fence });
        Ok(Place(place))
    }

    unsafe fn give_back(&self, place: Place) {
        let Some(Piece { words, fence }) = self.inner().memory.remove(&place.0) else { return };
        let bytes = words.iter().flat_map(|word| word.to_ne_bytes());
        let whole = bytes.skip(fence).all(|byte| byte == FENCE_BYTE);
        assert!(whole, "a kernel wrote beyond its memory");
    }

    unsafe fn write(&self, to: Place, bytes: &[u8]) -> Result<(), Fault> {
        // SAFETY: the caller's: the place is one of ours, with room for the bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.0 as *mut u8, bytes.len()) };
        Ok(())
    }

    unsafe fn read(&self, from: Place, bytes: &mut [u8]) -> Result<(), Fault> {
        // SAFETY: the caller's: the place is one of ours, with so many bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(from.0 as *const u8, bytes.as_mut_ptr(), bytes.len());
        }
        Ok(())
    }

    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: Grid,
        arguments: &mut [Argument],
    ) -> Result<(), Fault> {
        // One kernel at a time: what the threads of a block share lies in one place.
        let inner = self.inner();
        let mut pointers: Vec<*mut c_void> =
            arguments.iter_mut().map(|argument| (&raw mut *argument).cast()).collect();
        let number = inner.kernels[&kernel];
        let (blocks, threads) = (grid.blocks as u32, grid.threads as u32);
        // SAFETY: the caller's: the arguments are those of the kernel.
        unsafe { (inner.launch)(number, blocks, threads, pointers.as_mut_ptr()) };
        Ok(())
    }
}
