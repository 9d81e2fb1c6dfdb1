//! Models of every family, in every format, say what a plain reading of the papers says; alone, in
//! batches, in pieces, over several boxes and on any number of threads the same, bit by bit; and files that are damaged
//! are errors.
#![allow(clippy::unwrap_used)]

mod build;
mod cut;
mod damage;
mod exact;
#[cfg(feature = "cuda")]
mod gpu;
mod guesses;
mod parts;
mod plain;
mod same;

use build::{Format, Spec};
use engine::{Chunk, Model};

/// A model that was written into a folder of its own and loaded from there.
fn loaded(spec: &Spec, format: Format) -> (Model, build::Weights) {
    let folder = tempfile::tempdir().unwrap();
    let weights = build::write(spec, format, folder.path());
    (Model::load(folder.path()).unwrap(), weights)
}

/// Logits after all of `tokens`, read at once.
fn logits(model: &Model, tokens: &[u32]) -> Vec<f32> {
    let mut cache = model.cache(1);
    let slot = cache.take().unwrap();
    let chunk = Chunk { slot, tokens, wants_logits: true };
    model.step(&mut cache, &[chunk]).unwrap().remove(0).unwrap()
}
