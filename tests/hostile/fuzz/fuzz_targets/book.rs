//! Lets a fuzzer loose on `hostile::book`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::book(bytes));
