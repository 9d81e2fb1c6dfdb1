//! Writes a model of 125 million random weights to measure with: `random_model FOLDER`.
//!
//! It is a Llama at F16; llama.cpp's `llama-quantize` makes other types of it.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/families/build.rs"]
mod build;

use build::{Format, Spec};
use engine::Kind;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let spec = Spec {
        hidden: 768,
        feed_forward: 2048,
        layers: 12,
        heads: 12,
        kv_heads: 12,
        head: 64,
        vocabulary: 32_000,
        tied: false,
        ..Spec::all()[0].clone()
    };
    std::fs::create_dir_all(&folder).unwrap();
    build::write(&spec, Format::Gguf(Kind::F16), std::path::Path::new(&folder));
}
