//! A GPU says the same bits as the processor: its kernels, compiled for the processor, run whole passes of every
//! family and type of weights.

use super::build::{Format, Spec, write};
use engine::{Chunk, Device, DeviceFault, Kind, LoadError, Model, Part, Residual, last_rows};
use std::path::Path;

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// What is tested: a GPU where one is named, as DEVICE=cuda, or what stands for one.
fn device() -> Device {
    std::env::var("DEVICE").map_or(Device::Emulator, |name| name.parse().unwrap())
}

/// A part of a model on the processor and on what stands for a GPU; none where there is no C++ compiler.
fn both(folder: &Path, part: &Part) -> Option<[Model; 2]> {
    match Model::load_on(folder, part, device()) {
        Ok(gpu) => Some([Model::load_part(folder, part).unwrap(), gpu]),
        Err(LoadError::Device(DeviceFault::Compile(reason)))
            if reason.contains("needs a C++ compiler") =>
        {
            println!("not tested: {reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn text(length: usize, seed: u32) -> Vec<u32> {
    (0..length as u32).map(|i| (i * 53 + i / 7 + seed * 31) % 300).collect()
}

/// What a model says of three texts that are read side by side, in uneven pieces, and then go on token by token.
fn said(model: &Model) -> Vec<Vec<u32>> {
    let texts = [text(41, 0), text(9, 1), text(70, 2)];
    let mut cache = model.cache(3);
    let slots = [(); 3].map(|()| cache.take().unwrap());
    let mut said = Vec::new();
    for pieces in [[0..30, 0..8, 0..1], [30..40, 8..9, 1..68]] {
        let pieces = pieces.into_iter().enumerate();
        let chunks: Vec<Chunk<'_>> = pieces
            .map(|(i, piece)| Chunk {
                slot: slots[i],
                tokens: &texts[i][piece],
                wants_logits: i != 1,
            })
            .collect();
        said.extend(model.rows(&mut cache, &chunks).unwrap());
    }
    for (i, at) in [(0, 40), (2, 68), (2, 69)] {
        let tokens = &texts[i][at..=at];
        let chunk = Chunk { slot: slots[i], tokens, wants_logits: true };
        said.extend(model.rows(&mut cache, &[chunk]).unwrap());
    }
    // Read again in one pass, as an auditor does.
    cache.free(slots[0]);
    let slot = cache.take().unwrap();
    said.extend(model.follow(&mut cache, slot, &texts[0]).unwrap());
    said.iter().map(|logits| bits(logits)).collect()
}

fn check(format: Format) {
    for spec in Spec::all() {
        let folder = tempfile::tempdir().unwrap();
        write(&spec, format, folder.path());
        let Some([cpu, gpu]) = both(folder.path(), &Part::whole()) else { return };
        assert!(gpu.report().to_string().contains(&format!("device: {}, kernels: cuda", device())));
        let (expected, got) = (said(&cpu), said(&gpu));
        assert_eq!(expected.len(), 2 + 2 + 3 + 41);
        assert!(got == expected, "{} {format:?}", spec.family);
        // What a step says at the end of a text is what one pass over it says there.
        assert_eq!(got[4], got[got.len() - 1]);
    }
}

#[test]
fn every_family_and_type_of_weights_gives_the_bits_of_the_processor() {
    for kind in Kind::ALL {
        check(Format::Gguf(kind));
    }
}

#[test]
fn safetensors_give_the_bits_of_the_processor() {
    check(Format::Safetensors(Kind::BF16));
}

/// Logits of a text over two boxes, each on the processor or not.
fn over_boxes(folder: &Path, residual: Residual, gpus: [bool; 2]) -> Option<Vec<Vec<u32>>> {
    let [cpu, gpu] = both(folder, &Part::head(1, residual))?;
    let head = if gpus[0] { gpu } else { cpu };
    let [cpu, gpu] = both(folder, &Part::layers(1..2, residual))?;
    let rest = if gpus[1] { gpu } else { cpu };
    let (mut cache, mut store) = (head.cache(1), rest.store(8));
    let slot = cache.take().unwrap();
    let text = text(50, 3);
    let mut said = Vec::new();
    for (piece, guesses) in [(0..35, 0), (35..36, 0), (36..40, 3), (40..50, 0)] {
        cache.guess(slot, guesses);
        let chunk = Chunk { slot, tokens: &text[piece], wants_logits: true };
        let (spans, mut x) = head.enter(&mut cache, &[chunk]).unwrap();
        rest.pass(&mut store, &spans, &mut x).unwrap();
        let rows = head.leave(&last_rows(&spans, head.hidden(), &x)).unwrap();
        said.extend(rows.iter().map(|row| bits(row)));
        cache.settle(slot, guesses);
    }
    Some(said)
}

#[test]
fn boxes_with_and_without_a_gpu_are_one_model() {
    for residual in [Residual::F32, Residual::Bf16] {
        let folder = tempfile::tempdir().unwrap();
        write(&Spec::all()[1], Format::Gguf(Kind::Q4_K), folder.path());
        let Some(expected) = over_boxes(folder.path(), residual, [false, false]) else { return };
        for gpus in [[true, false], [false, true], [true, true]] {
            let got = over_boxes(folder.path(), residual, gpus).unwrap();
            assert!(got == expected, "{residual:?} {gpus:?}");
        }
    }
}

#[test]
fn a_cache_of_another_device_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(&Spec::all()[0], Format::Gguf(Kind::Q8_0), folder.path());
    let Some([cpu, gpu]) = both(folder.path(), &Part::whole()) else { return };
    let mut cache = cpu.cache(1);
    let slot = cache.take().unwrap();
    let chunk = Chunk { slot, tokens: &[1], wants_logits: true };
    let told = gpu.step(&mut cache, &[chunk]).unwrap_err().to_string();
    assert!(told.contains("another device"), "{told}");
    assert!(gpu.reserve(&mut gpu.cache(2)).is_ok());
}
