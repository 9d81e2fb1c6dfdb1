//! Lets a fuzzer loose on `hostile::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::wire(bytes));
