//! One model over several boxes says what one box says, wherever it is cut.

use super::build::{Format, Spec, write};
use engine::{Chunk, Kind, Model, Outline, Part, Residual, Store, last_rows};
use proptest::prelude::*;
use std::path::Path;

/// A box that is not the first.
struct Stage {
    model: Model,
    store: Store,
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// Logits after each piece of two texts that share steps, over boxes that are cut at `cuts`.
fn over_boxes(folder: &Path, cuts: &[usize], layers: usize, residual: Residual) -> Vec<Vec<u32>> {
    let head = Model::load_part(folder, &Part::head(cuts[0], residual)).unwrap();
    let ends = cuts[1..].iter().copied().chain([layers]);
    let stage = |(from, to): (&usize, usize)| {
        let model = Model::load_part(folder, &Part::layers(*from..to, residual)).unwrap();
        Stage { store: model.store(64), model }
    };
    let filled = cuts.iter().zip(ends).filter(|(from, to)| **from < *to);
    let mut stages: Vec<Stage> = filled.map(stage).collect();
    let mut cache = head.cache(2);
    let slots = [cache.take().unwrap(), cache.take().unwrap()];
    let mut said = Vec::new();
    for round in 0..4u32 {
        let tokens = |i: u32| (0..20 * i + 1).map(|t| (t * 13 + round * 7 + i) % 300).collect();
        let texts: Vec<Vec<u32>> = vec![tokens(round % 2), tokens(2)];
        let chunks = [0, 1].map(|i| Chunk {
            slot: slots[i],
            tokens: &texts[i],
            wants_logits: i == 0 || round > 1,
        });
        let (spans, mut x) = head.enter(&mut cache, &chunks).unwrap();
        for stage in &mut stages {
            stage.model.pass(&mut stage.store, &spans, &mut x).unwrap();
        }
        let logits = head.leave(&last_rows(&spans, head.hidden(), &x)).unwrap();
        said.extend(logits.iter().map(|logits| bits(logits)));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn one_box_and_any_cut_over_up_to_four_say_the_same_bits(
        family in 0..5usize, kind in 0..Kind::ALL.len(), mut cuts in prop::collection::vec(0..=6usize, 1..4),
        rounded in any::<bool>(),
    ) {
        let layers = 6;
        let spec = Spec { layers, ..Spec::all()[family].clone() };
        let folder = tempfile::tempdir().unwrap();
        write(&spec, Format::Gguf(Kind::ALL[kind]), folder.path());
        let residual = if rounded { Residual::Bf16 } else { Residual::F32 };
        cuts.sort_unstable();
        let one = over_boxes(folder.path(), &[layers], layers, residual);
        prop_assert_eq!(over_boxes(folder.path(), &cuts, layers, residual), one);
    }
}

#[test]
fn a_step_of_one_box_is_what_entering_and_leaving_give() {
    let spec = &Spec::all()[0];
    let folder = tempfile::tempdir().unwrap();
    write(spec, Format::Gguf(Kind::Q8_0), folder.path());
    let model = Model::load(folder.path()).unwrap();
    let tokens: Vec<u32> = (0..50).collect();
    let mut cache = model.cache(1);
    let slot = cache.take().unwrap();
    let chunk = Chunk { slot, tokens: &tokens, wants_logits: true };
    let (spans, x) = model.enter(&mut cache, &[chunk]).unwrap();
    let left = model.leave(&last_rows(&spans, model.hidden(), &x)).unwrap();
    assert_eq!(bits(&left[0]), bits(&super::logits(&model, &tokens)));
}

#[test]
fn a_part_holds_its_layers_and_no_more() {
    let spec = Spec { layers: 8, ..Spec::all()[0].clone() };
    let folder = tempfile::tempdir().unwrap();
    write(&spec, Format::Gguf(Kind::Q8_0), folder.path());
    let bytes = |part: &Part| Model::load_part(folder.path(), part).unwrap().report().bytes();
    let whole = bytes(&Part::whole());
    let quarter = bytes(&Part::layers(2..4, Residual::F32));
    let ends = bytes(&Part::head(0, Residual::F32));
    assert_eq!(whole, 4 * quarter + ends);
    let outline = Outline::read(folder.path()).unwrap();
    assert_eq!((outline.layers, outline.hidden), (8, 256));
    assert!(outline.layer_bytes * 8 + outline.ends_bytes > whole / 2);
}

#[test]
fn a_part_refuses_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    write(&Spec::all()[0], Format::Gguf(Kind::F32), folder.path());
    for (from, to) in [(0, 3), (2, 1), (1, 1), (3, usize::MAX)] {
        let part = Part::layers(from..to, Residual::F32);
        assert!(Model::load_part(folder.path(), &part).is_err(), "{from}..{to}");
    }
    let stage = Model::load_part(folder.path(), &Part::layers(1..2, Residual::F32)).unwrap();
    let mut cache = stage.cache(1);
    let slot = cache.take().unwrap();
    let chunk = Chunk { slot, tokens: &[1], wants_logits: true };
    assert!(stage.step(&mut cache, &[chunk]).is_err());
    assert!(stage.leave(&[0.0; 256]).is_err());
    let mut store = stage.store(2);
    let span =
        |pages: &[u32], from, count| engine::Span { pages: pages.to_vec(), from, count, wants: 0 };
    let mut pass = |span: engine::Span, numbers: usize, value: f32| {
        stage.pass(&mut store, &[span], &mut vec![value; numbers])
    };
    assert!(pass(span(&[0], 0, 1), 256, 0.5).is_ok());
    for (span, numbers, value) in [
        (span(&[0], 0, 1), 255, 0.5),
        (span(&[0], 0, 0), 0, 0.5),
        (span(&[2], 0, 1), 256, 0.5),
        (span(&[], 0, 1), 256, 0.5),
        (span(&[0], 32, 1), 256, 0.5),
        (span(&[0], u32::MAX, 1), 256, 0.5),
        (span(&[0], 0, 1), 256, f32::NAN),
    ] {
        assert!(pass(span.clone(), numbers, value).is_err(), "{span:?}");
    }
}
