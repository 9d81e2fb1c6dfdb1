//! Lets a fuzzer loose on `hostile::model`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::model(bytes));
