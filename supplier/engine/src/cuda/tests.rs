use super::emulator::{Emulator, Turns};
use super::*;

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
    for architecture in [70, 75, 80, 90, 100].into_iter().filter(|which| known.contains(which)) {
        let text = driver::compiled(architecture).unwrap();
        let text = text.to_str().unwrap();
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
fn a_gpu_that_is_not_there_is_refused_with_what_to_do() {
    let told = open(Device::Cuda(4096)).map(|_| ()).unwrap_err().to_string();
    let sentences = ["set the device to cpu", "there is no GPU 4096 here"];
    assert!(sentences.iter().any(|sentence| told.contains(sentence)), "{told}");
}
