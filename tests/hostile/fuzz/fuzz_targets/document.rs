//! Lets a fuzzer loose on `hostile::document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::document(bytes));
