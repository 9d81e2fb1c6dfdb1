//! A model made worse, as somebody would make it who wants to save: fewer bits, noise, a layer less.
//!
//! For Q8_0 files. What is left is written as Q8_0 again, so that only the numbers are worse and not
//! the kernels that run them.

use super::random::Random;
use meter::gguf::{Head, HeadError};

/// What is done to a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Damage {
    /// Weights rounded to so many bits, in blocks of 32.
    Bits(u32),
    /// Normally distributed noise, as a share of a block's largest weight.
    Noise(f32),
    /// One layer is passed by.
    Layer(usize),
}

/// The number of Q8_0 in GGUF, and how its blocks lie: a scale of two bytes, 32 codes.
const Q8_0: u32 = 8;
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 34;

/// The largest code.
const CODE_MAX: f32 = 127.0;

/// The same file, damaged.
pub fn damaged(file: &[u8], damage: Damage, seed: u64) -> Result<Vec<u8>, HeadError> {
    let head = Head::read(file)?;
    let mut out = file.to_vec();
    let mut random = Random::new(seed);
    for (name, place) in head.tensors.iter().filter(|(_, place)| place.kind == Q8_0) {
        let blocks = place.sizes.iter().product::<usize>() / BLOCK;
        let Some(bytes) = out.get_mut(place.start..place.start + blocks * BLOCK_BYTES) else {
            continue;
        };
        for block in bytes.chunks_exact_mut(BLOCK_BYTES) {
            match damage {
                Damage::Bits(bits) => round(block, bits),
                Damage::Noise(share) => blur(block, share, &mut random),
                Damage::Layer(i) if leaves(name, i) => block.fill(0),
                Damage::Layer(_) => {}
            }
        }
    }
    Ok(out)
}

/// Whether a tensor leads out of a layer: without these a layer adds nothing.
fn leaves(name: &str, layer: usize) -> bool {
    let part = name.strip_prefix(&format!("blk.{layer}."));
    part.is_some_and(|part| part == "attn_output.weight" || part == "ffn_down.weight")
}

fn scale(block: &[u8]) -> f32 {
    half::f16::from_le_bytes([block[0], block[1]]).to_f32()
}

/// Codes `-m..=m`, where `2 m + 1` is the most that so many bits tell apart.
fn round(block: &mut [u8], bits: u32) {
    let most = ((1u32 << (bits - 1)) - 1) as f32;
    let coarse = half::f16::from_f32(scale(block) * CODE_MAX / most);
    for code in &mut block[2..] {
        *code = (f32::from(*code as i8) * most / CODE_MAX).round() as i8 as u8;
    }
    block[..2].copy_from_slice(&coarse.to_le_bytes());
}

fn blur(block: &mut [u8], share: f32, random: &mut Random) {
    for code in &mut block[2..] {
        let noise = random.normal() as f32 * share * CODE_MAX;
        *code = (f32::from(*code as i8) + noise).round() as i8 as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn demo() -> Vec<u8> {
        let path = "../../deploy/lode/models/lode-demo/model.gguf";
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    #[test]
    fn eight_bits_and_no_noise_are_no_damage() {
        let file = demo();
        assert!(damaged(&file, Damage::Bits(8), 1).unwrap() == file);
        assert!(damaged(&file, Damage::Noise(0.0), 1).unwrap() == file);
    }

    #[test]
    fn a_block_keeps_only_as_many_values_as_its_bits_tell_apart() {
        let file = demo();
        let place = Head::read(&file).unwrap().tensors["blk.0.attn_q.weight"].start;
        for (bits, values) in [(4, 15), (3, 7), (2, 3)] {
            let out = damaged(&file, Damage::Bits(bits), 1).unwrap();
            let mut codes = out[place + 2..place + BLOCK_BYTES].to_vec();
            codes.sort_unstable();
            codes.dedup();
            assert!((2..=values).contains(&codes.len()), "{bits} bits: {codes:?}");
        }
    }
}
