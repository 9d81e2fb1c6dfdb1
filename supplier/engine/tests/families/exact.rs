//! What is said of a token does not depend on what is computed with it.

use super::build::{Format, Spec};
use super::{loaded, logits};
use engine::{Chunk, Kind, Model};
use proptest::prelude::*;

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// Models of every type of weights, one for each family in turn.
fn models() -> Vec<(Kind, Model)> {
    let specs = Spec::all();
    let of = |(i, kind): (usize, Kind)| {
        let spec = &specs[i % specs.len()];
        (kind, loaded(spec, Format::Gguf(kind)).0)
    };
    Kind::ALL.into_iter().enumerate().map(of).collect()
}

/// Logits after each of several texts, read side by side, in pieces of up to `piece` tokens.
fn together(model: &Model, texts: &[Vec<u32>], piece: usize) -> Vec<Vec<f32>> {
    let mut cache = model.cache(texts.len());
    let slots: Vec<_> = texts.iter().map(|_| cache.take().unwrap()).collect();
    let mut read = vec![0; texts.len()];
    let mut logits = vec![Vec::new(); texts.len()];
    while read.iter().zip(texts).any(|(read, text)| *read < text.len()) {
        let open: Vec<usize> = (0..texts.len()).filter(|i| read[*i] < texts[*i].len()).collect();
        // Pieces of different lengths, so that batches are uneven.
        let end = |i: usize| (read[i] + 1 + i * 5 % piece).min(texts[i].len());
        let chunk = |&i: &usize| Chunk {
            slot: slots[i],
            tokens: &texts[i][read[i]..end(i)],
            wants_logits: end(i) == texts[i].len(),
        };
        let chunks: Vec<Chunk<'_>> = open.iter().map(chunk).collect();
        let given = model.step(&mut cache, &chunks).unwrap();
        let ends: Vec<usize> = open.iter().map(|i| end(*i)).collect();
        for ((i, end), given) in open.into_iter().zip(ends).zip(given) {
            read[i] = end;
            logits[i] = given.unwrap_or_default();
        }
    }
    logits
}

#[test]
fn batches_pieces_and_threads_change_no_bit_in_any_type_of_weights() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) };
    let texts = prop::collection::vec(prop::collection::vec(0u32..300, 1..45), 1..7);
    for (kind, model) in models() {
        let mut runner = proptest::test_runner::TestRunner::new(config.clone());
        let strategy = (texts.clone(), 1usize..40, 1usize..4);
        runner
            .run(&strategy, |(texts, piece, threads)| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let batch = pool.install(|| together(&model, &texts, piece));
                for (text, batched) in texts.iter().zip(batch) {
                    prop_assert_eq!(bits(&batched), bits(&logits(&model, text)), "{:?}", kind);
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_known_beginning_gives_the_same_bits_as_reading_it() {
    for (kind, model) in models() {
        let text: Vec<u32> = (0..100).map(|i| i * 31 % 300).collect();
        let mut cache = model.cache(3);
        let mut given = Vec::new();
        for _ in 0..3 {
            let (slot, known) = cache.take_for(&text, 110).unwrap();
            let chunk = Chunk { slot, tokens: &text[known..], wants_logits: true };
            given.push((known, model.step(&mut cache, &[chunk]).unwrap().remove(0).unwrap()));
        }
        assert_eq!(given.iter().map(|(known, _)| *known).collect::<Vec<_>>(), [0, 96, 96]);
        assert!(given.iter().all(|(_, l)| bits(l) == bits(&given[0].1)), "{kind:?}");
    }
}
