//! Lets a fuzzer loose on `hostile::request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::request(bytes));
