//! What rounding numbers between layers to bf16 changes: `residual MODEL`.
//!
//! Prints the largest difference of logits, and how often another token would be chosen.
#![allow(clippy::unwrap_used)]

use engine::{Chunk, Model, Part, Residual, last_rows};
use std::path::Path;

const TEXTS: u32 = 40;
const LENGTH: u32 = 60;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let of = |residual| {
        let part = Part { residual, ..Part::whole() };
        logits(&Model::load_part(Path::new(&folder), &part).unwrap())
    };
    let (exact, rounded) = (of(Residual::F32), of(Residual::Bf16));
    let (mut most, mut size, mut other) = (0.0f32, 0.0f32, 0);
    for (a, b) in exact.iter().zip(&rounded) {
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        most = differences.fold(most, f32::max);
        size = a.iter().fold(size, |size, a| size.max(a.abs()));
        other += usize::from(best(a) != best(b));
    }
    let texts = exact.len();
    println!(
        "{texts} texts: logits up to {size:.2} differ by up to {most:.4}; another token in {other}"
    );
}

fn best(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
}

fn logits(model: &Model) -> Vec<Vec<f32>> {
    let one = |text: u32| {
        let tokens: Vec<u32> = (0..LENGTH)
            .map(|i| (text * 7919 + i * i * 31 + 5) % model.vocabulary() as u32)
            .collect();
        let mut cache = model.cache(1);
        let slot = cache.take().unwrap();
        let chunk = Chunk { slot, tokens: &tokens, wants_logits: true };
        let (spans, x) = model.enter(&mut cache, &[chunk]).unwrap();
        model.leave(&last_rows(&spans, model.hidden(), &x)).unwrap().remove(0)
    };
    (0..TEXTS).map(one).collect()
}
