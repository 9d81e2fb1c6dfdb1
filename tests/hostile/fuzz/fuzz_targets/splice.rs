//! Lets a fuzzer loose on `hostile::splice`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::splice(bytes));
