//! Lets a fuzzer loose on `hostile::vrf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::vrf(bytes));
