//! Lets a fuzzer loose on `hostile::market`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::market(bytes));
