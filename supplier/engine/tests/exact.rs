//! What the model says of a token does not depend on what else is computed with it.
#![allow(clippy::unwrap_used)]

use engine::{Cache, Chunk, Model, Slot};
use proptest::prelude::*;
use std::path::Path;
use std::sync::OnceLock;

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
    MODEL.get_or_init(|| Model::load(&folder).unwrap())
}

fn read(cache: &mut Cache, slot: Slot, tokens: &[u32]) -> Vec<f32> {
    let chunk = Chunk { slot, tokens, wants_logits: true };
    model().step(cache, &[chunk]).unwrap().remove(0).unwrap()
}

/// The logits after each of `tokens`, read one by one and alone.
fn one_by_one(tokens: &[u32]) -> Vec<Vec<f32>> {
    let mut cache = model().cache(1);
    let slot = cache.take().unwrap();
    tokens.iter().map(|token| read(&mut cache, slot, &[*token])).collect()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn prefill_and_decode_agree_bit_by_bit_however_a_prompt_is_cut(
        tokens in prop::collection::vec(5u32..1_000, 2..40), cut: prop::sample::Index
    ) {
        let alone = one_by_one(&tokens);
        let cut = cut.index(tokens.len() - 1) + 1;
        let mut cache = model().cache(2);
        let slot = cache.take().unwrap();
        let first = read(&mut cache, slot, &tokens[..cut]);
        prop_assert_eq!(bits(&first), bits(&alone[cut - 1]));
        let last = read(&mut cache, slot, &tokens[cut..]);
        prop_assert_eq!(bits(&last), bits(&alone[tokens.len() - 1]));
    }

    #[test]
    fn sequences_side_by_side_do_not_know_of_each_other(
        rows in prop::collection::vec(prop::collection::vec(5u32..1_000, 1..20), 2..6)
    ) {
        let mut cache = model().cache(rows.len());
        let slots: Vec<Slot> = rows.iter().map(|_| cache.take().unwrap()).collect();
        let chunks: Vec<Chunk<'_>> = rows
            .iter()
            .zip(&slots)
            .map(|(tokens, slot)| Chunk { slot: *slot, tokens, wants_logits: true })
            .collect();
        let together = model().step(&mut cache, &chunks).unwrap();
        for (tokens, logits) in rows.iter().zip(together) {
            let alone = one_by_one(tokens).pop().unwrap();
            prop_assert_eq!(bits(&logits.unwrap()), bits(&alone));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let model = model();
    let mut cache = model.cache(1);
    let slot = cache.take().unwrap();
    assert!(cache.take().is_err());
    let long = vec![7; model.context_max() + 1];
    for tokens in [&long[..], &[], &[u32::MAX]] {
        let chunk = Chunk { slot, tokens, wants_logits: true };
        assert!(model.step(&mut cache, &[chunk]).is_err());
        assert_eq!(cache.length(slot), 0);
    }
    cache.free(slot);
    assert_eq!(cache.left(), 1);
}

#[test]
fn a_damaged_model_is_an_error_and_no_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
    let bytes = std::fs::read(folder.join("model.gguf")).unwrap();
    let place = tempfile::tempdir().unwrap();
    for cut in [0, 4, 100, 1_000, bytes.len() / 2] {
        std::fs::write(place.path().join("model.gguf"), &bytes[..cut]).unwrap();
        assert!(Model::load(place.path()).is_err(), "cut at {cut}");
    }
    assert!(Model::load(Path::new("/nowhere")).is_err());
}
