//! Tokens that are guessed ahead: what follows the right ones is what single steps say, and nothing is
//! left of the wrong ones.

use super::build::{Format, Spec, write};
use engine::{Chunk, Kind, Model, PAGE, Part, Residual, last_rows};
use proptest::prelude::*;
use std::path::Path;

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// The text; each token of it is fixed.
fn text(length: usize) -> Vec<u32> {
    (0..length as u32).map(|i| (i * 37 + i / 7) % 300).collect()
}

/// Reads `text` from `from` on in steps of one token and guesses, of which every `lie`th is wrong.
/// Gives the bits of what follows each token.
fn guessed(model: &Model, text: &[u32], from: usize, guesses: usize, lie: usize) -> Vec<Vec<u32>> {
    let mut cache = model.cache(2);
    let (slot, _) = cache.take_for(&[], text.len()).unwrap();
    let chunk = Chunk { slot, tokens: &text[..from], wants_logits: false };
    model.step(&mut cache, &[chunk]).unwrap();
    let (mut at, mut said, mut turn) = (from, Vec::new(), 0);
    while at < text.len() {
        let count = guesses.min(text.len() - at - 1);
        let mut tokens = text[at..=at + count].to_vec();
        for token in &mut tokens[1..] {
            turn += 1;
            *token = if turn % lie == 0 { (*token + 1) % 300 } else { *token };
        }
        cache.guess(slot, count);
        let chunk = Chunk { slot, tokens: &tokens, wants_logits: true };
        let rows = model.rows(&mut cache, &[chunk]).unwrap();
        let wrong = |i: &usize| tokens[1 + i] != text[at + 1 + i];
        let right = (0..count).find(wrong).unwrap_or(count);
        cache.settle(slot, right);
        said.extend(rows[..=right].iter().map(|row| bits(row)));
        at += 1 + right;
    }
    // What others are given of it is the text, and no guess.
    let known: Vec<u32> = text.iter().copied().chain([1]).collect();
    let (_, shared) = cache.take_for(&known, known.len()).unwrap();
    assert_eq!(shared, text.len() / PAGE * PAGE);
    said
}

fn model(folder: &Path) -> Model {
    write(&Spec::all()[0], Format::Gguf(Kind::Q8_0), folder);
    Model::load(folder).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_follows_right_guesses_is_what_single_steps_say(
        from in 1..40usize, more in 1..60usize, guesses in 1..8usize, lie in 1..9usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let model = model(folder.path());
        let text = text(from + more);
        let single = guessed(&model, &text, from, 0, 1);
        prop_assert_eq!(guessed(&model, &text, from, guesses, lie), single);
    }
}

#[test]
fn over_boxes_what_follows_each_guess_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let whole = model(folder.path());
    let text = text(40);
    let single = guessed(&whole, &text, 30, 0, 1);
    let layers = Spec::all()[0].layers;
    let head = Model::load_part(folder.path(), &Part::head(1, Residual::F32)).unwrap();
    let rest = Part::layers(1..layers, Residual::F32);
    let rest = Model::load_part(folder.path(), &rest).unwrap();
    let (mut cache, mut store) = (head.cache(1), rest.store(4));
    let slot = cache.take().unwrap();
    let mut pass = |tokens: &[u32], guesses: usize| {
        cache.guess(slot, guesses);
        let chunk = Chunk { slot, tokens, wants_logits: true };
        let (spans, mut x) = head.enter(&mut cache, &[chunk]).unwrap();
        rest.pass(&mut store, &spans, &mut x).unwrap();
        let rows = head.leave(&last_rows(&spans, head.hidden(), &x)).unwrap();
        cache.settle(slot, guesses.min(2));
        rows.iter().map(|row| bits(row)).collect::<Vec<_>>()
    };
    pass(&text[..30], 0);
    let mut guesses = text[30..36].to_vec();
    guesses[3] = 299;
    assert_eq!(pass(&guesses, 5)[..3], single[..3]);
    assert_eq!(pass(&text[33..40], 6)[..3], single[3..6]);
}
