//! Activations, as they are and rounded to eight bits.

use super::matrix::{BLOCK, GROUP, GROUPS};
use crate::buffer::{Buffer, Kept};
use rayon::prelude::*;
use std::cell::RefCell;
use std::thread::LocalKey;

/// A block of one row, rounded: a value is `scale * code`.
#[derive(Clone)]
#[repr(C)]
pub(super) struct Block {
    pub(super) codes: [i8; BLOCK],
    pub(super) scale: f32,
    /// Sums of the codes of each group, and of each half of a group: exact, they are small.
    pub(super) sums: [f32; GROUPS],
    pub(super) halves: [f32; 2 * GROUPS],
}

impl Default for Block {
    fn default() -> Block {
        Block { codes: [0; BLOCK], scale: 0.0, sums: [0.0; GROUPS], halves: [0.0; 2 * GROUPS] }
    }
}

impl Kept for Block {
    fn unused() -> &'static LocalKey<RefCell<Vec<Vec<Block>>>> {
        thread_local! {
            static UNUSED: RefCell<Vec<Vec<Block>>> = const { RefCell::new(Vec::new()) };
        }
        &UNUSED
    }
}

/// Rows of activations, side by side.
pub(crate) struct Rows {
    pub(super) values: Buffer<f32>,
    pub(super) width: usize,
    /// Empty when the width is no multiple of [`GROUP`]: only matrices of floats have such a width.
    pub(super) blocks: Buffer<Block>,
}

/// Below this many values threads cost more than they save.
const PARALLEL_MIN: usize = 1 << 14;

impl Rows {
    /// Rows of `width` values.
    pub(crate) fn new(values: Buffer<f32>, width: usize) -> Rows {
        let each = width.div_ceil(BLOCK);
        let whole = width.is_multiple_of(GROUP);
        let mut blocks = Buffer::dirty(if whole { values.len() / width * each } else { 0 });
        if whole {
            let row = |(values, blocks): (&[f32], &mut [Block])| {
                for (values, block) in values.chunks(BLOCK).zip(blocks) {
                    block.round(values);
                }
            };
            if values.len() < PARALLEL_MIN || rayon::current_num_threads() == 1 {
                values.chunks_exact(width).zip(blocks.chunks_exact_mut(each)).for_each(row);
            } else {
                let blocks = blocks.par_chunks_exact_mut(each);
                values.par_chunks_exact(width).zip(blocks).for_each(row);
            }
        }
        Rows { values, width, blocks }
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Blocks in one row.
    pub(super) fn stride(&self) -> usize {
        self.width.div_ceil(BLOCK)
    }
}

impl Block {
    fn round(&mut self, values: &[f32]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            return unsafe { self.round_avx2(values) };
        }
        self.round_anywhere(values);
    }

    /// The same steps, compiled for wider registers.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn round_avx2(&mut self, values: &[f32]) {
        self.round_anywhere(values);
    }

    /// The value that is furthest from zero, the first of several, becomes -127.
    #[inline(always)]
    fn round_anywhere(&mut self, values: &[f32]) {
        let mut lanes = [0f32; 16];
        for chunk in values.chunks_exact(16) {
            for (most, value) in lanes.iter_mut().zip(chunk) {
                *most = if value.abs() > *most { value.abs() } else { *most };
            }
        }
        let most = lanes.iter().fold(0f32, |most, lane| if *lane > most { *lane } else { most });
        let furthest = values.iter().find(|value| value.abs() == most).copied().unwrap_or(0.0);
        if most == 0.0 {
            // Not a number, or zero: it counts as zero.
            *self = Block::default();
            return;
        }
        let inverse = -127.0 / furthest;
        self.codes[values.len()..].fill(0);
        for (code, value) in self.codes.iter_mut().zip(values) {
            *code = (inverse * value).round().clamp(-127.0, 127.0) as i8;
        }
        self.scale = 1.0 / inverse;
        for (i, part) in self.codes.chunks_exact(16).enumerate() {
            self.halves[i] = part.iter().map(|code| i32::from(*code)).sum::<i32>() as f32;
        }
        for (i, sum) in self.sums.iter_mut().enumerate() {
            *sum = self.halves[2 * i] + self.halves[2 * i + 1];
        }
    }
}
