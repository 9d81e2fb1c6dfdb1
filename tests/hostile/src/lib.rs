//! What must hold of foreign bytes, whoever made them up.
//!
//! Each function takes any bytes, hands them to one reader, and panics where a promise is broken.
//! Property tests run them on made-up and slightly changed bytes; the fuzz targets in `fuzz/` let a
//! fuzzer look for worse.
#![allow(clippy::unwrap_used)]

mod audits;
mod files;
mod links;
mod market;
mod samples;
mod talk;
mod wires;

pub use audits::{ask, exhibit};
pub use files::{book, model};
pub use links::frame;
pub use market::market;
pub use samples::{Sample, samples};
pub use talk::{answer, document, request, splice};
pub use wires::{trie_proof, vrf, wire};

/// Hands any bytes to one reader, and panics where a promise is broken.
pub type Reader = fn(&[u8]);

/// All readers, by their names.
pub const READERS: [(&str, Reader); 13] = [
    ("wire", wire),
    ("trie_proof", trie_proof),
    ("vrf", vrf),
    ("ask", ask),
    ("exhibit", exhibit),
    ("market", market),
    ("request", request),
    ("answer", answer),
    ("splice", splice),
    ("document", document),
    ("book", book),
    ("model", model),
    ("frame", frame),
];

/// The reader of this name.
pub fn reader(name: &str) -> Option<Reader> {
    READERS.iter().find(|(known, _)| *known == name).map(|(_, reader)| *reader)
}
