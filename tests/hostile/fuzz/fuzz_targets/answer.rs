//! Lets a fuzzer loose on `hostile::answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::answer(bytes));
