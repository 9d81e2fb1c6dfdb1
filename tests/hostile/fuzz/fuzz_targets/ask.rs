//! Lets a fuzzer loose on `hostile::ask`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::ask(bytes));
