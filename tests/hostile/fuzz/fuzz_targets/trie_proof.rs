//! Lets a fuzzer loose on `hostile::trie_proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::trie_proof(bytes));
