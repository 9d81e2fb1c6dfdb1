//! A fixed vector through every kernel: which bits this machine gives.
//!
//! All kernels of one *class* give the same bits, so that an answer can be checked exactly on
//! another machine of the class. Whoever starts an engine asks first whether this machine belongs
//! to the class that the program was written for: a faulty processor, or a compiler that rounds
//! otherwise, would make every honest answer look like another model's.

use super::product::{Level, products_at};
use super::{Kind, Matrix, Rows};
use crate::buffer::Buffer;

/// What the bits of this program's kernels are called.
pub const KERNEL_CLASS: &str = "lode-exact-1";

/// Digest of what the kernels of the class make of the fixed vector.
const EXPECTED: &str = "2d32eb568047239b5704b406e3ba7d0a956ba04567bfb3012a876b71b25ff2d5";

/// A strip and a bit of another, so that both whole and cut strips are computed.
const ROWS: usize = 21;
const COLUMNS: usize = 512;

/// Enough rows of activations for all widths of the kernels: 8, 4, 2 and 1.
const TEXTS: usize = 15;

/// This machine gives other bits than its class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {kernels} kernels of this processor give other bits than the class {KERNEL_CLASS} ({got}, not {EXPECTED}): what it answers would not pass for this model; report the processor and use another machine"
)]
pub struct KernelFault {
    pub kernels: &'static str,
    pub got: String,
}

/// Runs the fixed vector through every kernel of this processor.
pub fn check_kernels() -> Result<(), KernelFault> {
    for level in Level::all() {
        let got = digest(level).to_hex().to_string();
        if got != EXPECTED {
            return Err(KernelFault { kernels: level.name(), got });
        }
    }
    Ok(())
}

fn digest(level: Level) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut numbers = Numbers(1);
    for kind in Kind::ALL {
        let bytes = weights(kind, &mut numbers);
        let matrix = Matrix::pack(kind, &bytes, ROWS, COLUMNS);
        let matrix = matrix.expect("whole blocks of finite scales can be packed");
        let mut values = Buffer::dirty(TEXTS * COLUMNS);
        values.iter_mut().for_each(|value| *value = numbers.float());
        let rows = Rows::new(values, COLUMNS);
        for product in &products_at(level, &[&matrix], &rows) {
            product.iter().for_each(|value| _ = hasher.update(&value.to_bits().to_le_bytes()));
        }
    }
    // Norms, gates and attention stand on these.
    for _ in 0..256 {
        let x = numbers.float() * 8.0;
        for value in [libm::expf(x), libm::sinf(x), libm::cosf(x), x.abs().sqrt()] {
            hasher.update(&value.to_bits().to_le_bytes());
        }
    }
    hasher.finalize()
}

/// Weights as a file holds them: codes at random, scales near one.
fn weights(kind: Kind, numbers: &mut Numbers) -> Vec<u8> {
    let bytes = kind.bytes(ROWS, COLUMNS).expect("the columns are whole blocks");
    let mut bytes: Vec<u8> = (0..bytes).map(|_| numbers.next() as u8).collect();
    let (_, block) = kind.block();
    for block in bytes.chunks_exact_mut(block) {
        let scales: &[usize] = match kind {
            Kind::F32 => {
                block.copy_from_slice(&numbers.float().to_le_bytes());
                &[]
            }
            Kind::F16 | Kind::Q4_0 | Kind::Q5_0 | Kind::Q8_0 => &[0],
            Kind::BF16 => {
                block.copy_from_slice(&half::bf16::from_f32(numbers.float()).to_le_bytes());
                &[]
            }
            Kind::Q4_1 | Kind::Q5_1 | Kind::Q4_K | Kind::Q5_K => &[0, 2],
            Kind::Q6_K => &[208],
        };
        for at in scales {
            let scale = half::f16::from_f32(numbers.float());
            block[*at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
    }
    bytes
}

/// Numbers from a counter (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From -1 to 1.
    pub(super) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_of_this_processor_is_of_the_class() {
        assert_eq!(check_kernels(), Ok(()));
    }
}
