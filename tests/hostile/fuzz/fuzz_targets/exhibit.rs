//! Lets a fuzzer loose on `hostile::exhibit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::exhibit(bytes));
