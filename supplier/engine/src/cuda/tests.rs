use super::driver::Target;
use super::emulator::{Emulator, Turns};
use super::*;
use std::path::Path;
use std::process::Command;

/// An emulator; none where there is no C++ compiler, which is said.
fn emulator(turns: Turns) -> Option<Arc<dyn Gpu>> {
    match Emulator::new(turns) {
        Ok(emulator) => Some(Arc::new(emulator)),
        Err(DeviceFault::Compile(reason)) if reason.contains("needs a C++ compiler") => {
            println!("not tested: {reason}");
            None
        }
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn a_gpu_that_is_named_gives_the_bits_of_the_processor() {
    match std::env::var("DEVICE") {
        Ok(name) => match open(name.parse().unwrap()) {
            Ok(gpu) => assert!(gpu.is_some()),
            Err(fault) => panic!("{fault}"),
        },
        Err(_) => println!("not tested: no GPU is named, as DEVICE=cuda"),
    }
}

/// Runs that test in a process of its own that finds a stand-in for NVIDIA's libraries.
fn named(folder: &Path, device: &str, gpu: &[(&str, &str)]) -> (bool, String) {
    let test = "cuda::tests::a_gpu_that_is_named_gives_the_bits_of_the_processor";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).envs(gpu.iter().copied());
    let output = command.env("LD_LIBRARY_PATH", folder).env("DEVICE", device).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(told).unwrap())
}

#[test]
fn the_driver_is_asked_for_what_a_gpu_can_do_and_refusals_say_why() {
    let folder = tempfile::tempdir().unwrap();
    match emulator::stand_in(folder.path()) {
        Ok(()) => {}
        Err(DeviceFault::Compile(reason)) if reason.contains("needs a C++ compiler") => {
            return println!("not tested: {reason}");
        }
        Err(fault) => panic!("{fault}"),
    }
    for capability in ["90", "121"] {
        let (passed, told) = named(folder.path(), "cuda", &[("GPU_CAPABILITY", capability)]);
        assert!(passed, "{told}");
    }
    for (device, gpu, expected) in [
        ("cuda:3", ("GPU_FREE", "100000000"), "no GPU 3 here: the driver knows 1"),
        ("cuda:0", ("GPU_FREE", "1000"), "no room on cuda:0 (Stand-in) for"),
        ("cuda:0", ("GPU_CAPABILITY", "61"), "Stand-in has compute capability 6.1"),
    ] {
        let (passed, told) = named(folder.path(), device, &[gpu]);
        assert!(!passed && told.contains(expected), "{told}");
    }
}

#[test]
fn every_kernel_gives_the_bits_of_the_processor_in_either_order_of_threads() {
    for turns in [Turns::Forwards, Turns::Backwards] {
        let Some(gpu) = emulator(turns) else { return };
        assert_eq!(check::check(&gpu), Ok(()), "{turns:?}");
    }
}

/// Instructions with floats that round, and so must say how.
const ROUNDING: [&str; 7] = ["add.", "sub.", "mul.", "fma.", "div.", "rcp.", "sqrt."];

/// Faults of the compiled text: floats that are not rounded once to the nearest.
fn shortcuts(text: &str) -> Vec<&str> {
    let operation = |line: &&str| line.contains(".f32") && !line.starts_with("//");
    let wrong = |line: &&str| {
        let own =
            line.strip_prefix('@').and_then(|rest| rest.split_once(' ')).map_or(*line, |r| r.1);
        let rounds = ROUNDING.iter().any(|name| own.starts_with(name));
        // Rounding half away from zero is adding a half, towards zero, and cutting off.
        let exact = own.contains(".rn.") || own.starts_with("add.rz.");
        own.contains(".ftz") || own.contains(".approx") || (rounds && !exact)
    };
    text.lines().map(str::trim).filter(operation).filter(wrong).collect()
}

#[test]
fn kernels_are_compiled_for_each_generation_of_gpus_without_shortcuts() {
    let known = match driver::architectures() {
        Ok(known) => known,
        Err(fault) => return println!("not tested: {fault}"),
    };
    for architecture in [70, 80, 90, 120].into_iter().filter(|which| known.contains(which)) {
        let code = driver::compiled(Target::Own(architecture)).unwrap();
        assert!(code.starts_with(b"\x7fELF"), "machine code for {architecture}");
        let text = driver::compiled(Target::Older(architecture)).unwrap();
        let text = std::ffi::CStr::from_bytes_with_nul(&text).unwrap().to_str().unwrap();
        assert_eq!(shortcuts(text), Vec::<&str>::new(), "{architecture}");
        for kernel in program::Kernel::all() {
            assert!(text.contains(&format!(".entry {kernel}(")), "{kernel} is missing");
        }
        // The program says where a product and a sum are rounded as one: in products of matrices alone.
        let (products, others) = text.split_at(text.find(".entry norm_rows(").unwrap());
        assert!(products.contains("fma.rn.f32") && !others.contains("fma."), "{architecture}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let room = gpu::Room { free: 100, all: 400 };
    assert_eq!(room.check("cuda:0 (X)", "the weights", 100), Ok(()));
    let told = room.check("cuda:0 (X)", "the weights", 101).unwrap_err().to_string();
    let expected =
        "no room on cuda:0 (X) for the weights: 101 bytes are needed, and 100 of its 400";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn a_compiler_that_is_older_than_the_gpu_leaves_the_rest_to_the_driver() {
    let of = |capability| Target::of(capability, &[70, 80, 90]);
    assert_eq!(of((8, 0)), Ok(Target::Own(80)));
    assert_eq!(of((12, 0)), Ok(Target::Older(90)));
    assert!(of((6, 1)).unwrap_err().to_string().contains("oldest architecture is 70"));
}

#[test]
fn a_gpu_that_is_not_there_is_refused_with_what_to_do() {
    let told = open(Device::Cuda(4096)).map(|_| ()).unwrap_err().to_string();
    let sentences = ["set the device to cpu", "there is no GPU 4096 here"];
    assert!(sentences.iter().any(|sentence| told.contains(sentence)), "{told}");
}
