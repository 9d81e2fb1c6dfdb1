//! Files that a crash, a bad disk or a stranger left.

use engine::Model;
use std::path::Path;

/// Readers that take a path are given a file.
fn in_a_folder(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    read(folder.path());
}

/// A relay miner's book is read up to its first wrong byte, or refused.
pub fn book(bytes: &[u8]) {
    in_a_folder("book.log", bytes, |folder| {
        let path = folder.join("book.log");
        if let Ok(Some(book)) = relayminer::book::scan(&path, u64::MAX) {
            assert!(book.length() <= bytes.len() as u64);
        }
    });
}

/// A model's file is refused with an error, never with a panic or all of the memory.
pub fn model(bytes: &[u8]) {
    in_a_folder("model.gguf", bytes, |folder| {
        if let Err(error) = Model::load(folder) {
            assert!(!error.to_string().is_empty());
        }
    });
}
