//! Products with weights that are integers times scales.

use super::lanes::{COLUMNS, Lanes};
use super::matrix::{GROUPS, SIX_HEAD, SUPER_HEAD};
use super::rows::Block;

/// Codes are fetched so many bytes before they are needed: memory takes longer than what is done with
/// a group, and the processor's own guesses end with each page.
const AHEAD: usize = 4096;

/// One strip of a matrix and the rounded activations of some rows.
#[derive(Clone, Copy)]
pub(super) struct Task {
    pub(super) codes: *const u8,
    pub(super) heads: *const u8,
    /// Groups of the strip.
    pub(super) groups: usize,
    /// The first block of the first row.
    pub(super) blocks: *const Block,
    /// Blocks of a row.
    pub(super) stride: usize,
    /// Whether the codes come from memory; for later rows they are near.
    pub(super) cold: bool,
}

impl Task {
    /// Asks for the bytes that come a while after these; nothing happens where there are none.
    #[inline(always)]
    fn fetch_ahead(&self, codes: *const u8, bytes: usize) {
        #[cfg(target_arch = "x86_64")]
        if self.cold {
            for line in (0..bytes).step_by(64) {
                // SAFETY: a prefetch reads nothing, whatever the address is.
                unsafe {
                    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
                    _mm_prefetch::<_MM_HINT_T0>(codes.wrapping_add(AHEAD + line).cast());
                }
            }
        }
    }
}

/// Bytes of a group of codes of eight bits, and of four.
const WIDE: usize = 512;
const NARROW: usize = 256;

// SAFETY of all functions here: `task` leads to a whole strip and to `M` rows of as many blocks as
// the strip has, and the processor is one for `L`.

/// Sums of products over one group, codes of four bits.
#[inline(always)]
unsafe fn narrow<L: Lanes, const M: usize>(
    codes: *const u8,
    rows: &[*const i8; M],
    at: usize,
) -> [L::I; M] {
    unsafe {
        let mut sums = [L::none(); M];
        for i in 0..4 {
            let (low, high) = L::halves(L::codes(codes.add(i * 64)));
            for m in 0..M {
                sums[m] = L::dot(sums[m], low, rows[m].add(at + i * 8));
            }
            for m in 0..M {
                sums[m] = L::dot(sums[m], high, rows[m].add(at + i * 8 + 4));
            }
        }
        sums
    }
}

/// Sums of products over `LINES` times four columns, codes of eight bits.
#[inline(always)]
unsafe fn wide<L: Lanes, const M: usize, const LINES: usize>(
    codes: *const u8,
    rows: &[*const i8; M],
    at: usize,
) -> [L::I; M] {
    unsafe {
        let mut sums = [L::none(); M];
        for i in 0..LINES {
            let four = L::codes(codes.add(i * 64));
            for m in 0..M {
                sums[m] = L::dot(sums[m], four, rows[m].add(at + i * 4));
            }
        }
        sums
    }
}

#[inline(always)]
unsafe fn codes_of<const M: usize>(task: &Task, block: usize) -> [*const i8; M] {
    unsafe {
        let mut rows = [std::ptr::null(); M];
        for (m, row) in rows.iter_mut().enumerate() {
            *row = (*task.blocks.add(m * task.stride + block)).codes.as_ptr();
        }
        rows
    }
}

/// Sums of products over the group `at` of the strip, codes of eight bits where `BYTES`, else of four.
#[inline(always)]
unsafe fn group_sums<L: Lanes, const M: usize, const BYTES: bool>(
    task: &Task,
    rows: &[*const i8; M],
    at: usize,
    place: usize,
) -> [L::I; M] {
    unsafe {
        let bytes = if BYTES { WIDE } else { NARROW };
        let codes = task.codes.add(at * bytes);
        task.fetch_ahead(codes, bytes);
        if BYTES { wide::<L, M, 8>(codes, rows, place) } else { narrow::<L, M>(codes, rows, place) }
    }
}

/// [`super::matrix::Form::Eight`]
#[inline(always)]
pub(super) unsafe fn eight<L: Lanes, const M: usize>(task: &Task) -> [L::F; M] {
    unsafe {
        let mut totals = [L::zero(); M];
        for block in 0..task.groups.div_ceil(GROUPS) {
            let rows = codes_of::<M>(task, block);
            for group in 0..(task.groups - block * GROUPS).min(GROUPS) {
                let at = block * GROUPS + group;
                let codes = task.codes.add(at * WIDE);
                task.fetch_ahead(codes, WIDE);
                let mut sums = [L::none(); M];
                for i in 0..8 {
                    let four = L::codes(codes.add(i * 64));
                    for m in 0..M {
                        sums[m] = L::dot_wide(sums[m], four, rows[m].add(group * 32 + i * 4));
                    }
                }
                let scale = L::load_f16(task.heads.add(at * 2 * COLUMNS));
                for m in 0..M {
                    let block = &*task.blocks.add(m * task.stride + block);
                    let mut sum = L::float(sums[m]);
                    if L::BIASED {
                        sum = L::sub(sum, L::splat(128.0 * block.sums[group]));
                    }
                    totals[m] = L::fma(sum, L::mul(scale, L::splat(block.scale)), totals[m]);
                }
            }
        }
        totals
    }
}

/// [`super::matrix::Form::Pairs4`], and `Pairs8` where `BYTES`.
#[inline(always)]
pub(super) unsafe fn pairs<L: Lanes, const M: usize, const BYTES: bool>(task: &Task) -> [L::F; M] {
    unsafe {
        let mut totals = [L::zero(); M];
        for block in 0..task.groups.div_ceil(GROUPS) {
            let rows = codes_of::<M>(task, block);
            for group in 0..(task.groups - block * GROUPS).min(GROUPS) {
                let at = block * GROUPS + group;
                let sums = group_sums::<L, M, BYTES>(task, &rows, at, group * 32);
                let head = task.heads.add(at * 4 * COLUMNS);
                let (scale, least) = (L::load_f16(head), L::load_f16(head.add(2 * COLUMNS)));
                for m in 0..M {
                    let block = &*task.blocks.add(m * task.stride + block);
                    let scale = L::mul(scale, L::splat(block.scale));
                    let shift = L::splat(block.scale * block.sums[group]);
                    totals[m] = L::fma(L::float(sums[m]), scale, totals[m]);
                    totals[m] = L::fma(least, shift, totals[m]);
                }
            }
        }
        totals
    }
}

/// [`super::matrix::Form::Super4`], and `Super8` where `BYTES`.
#[inline(always)]
pub(super) unsafe fn supers<L: Lanes, const M: usize, const BYTES: bool>(task: &Task) -> [L::F; M] {
    unsafe {
        let mut totals = [L::zero(); M];
        for block in 0..task.groups / GROUPS {
            let rows = codes_of::<M>(task, block);
            let head = task.heads.add(block * SUPER_HEAD);
            let (mut above, mut below) = ([L::zero(); M], [L::zero(); M]);
            for group in 0..GROUPS {
                let at = block * GROUPS + group;
                let sums = group_sums::<L, M, BYTES>(task, &rows, at, group * 32);
                let small = head.add(4 * COLUMNS + group * COLUMNS);
                let (scale, least) = (L::load_u8(small), L::load_u8(small.add(GROUPS * COLUMNS)));
                for m in 0..M {
                    let block = &*task.blocks.add(m * task.stride + block);
                    above[m] = L::fma(L::float(sums[m]), scale, above[m]);
                    below[m] = L::fma(least, L::splat(block.sums[group]), below[m]);
                }
            }
            let (scale, least) = (L::load_f16(head), L::load_f16(head.add(2 * COLUMNS)));
            for m in 0..M {
                let own = L::splat((*task.blocks.add(m * task.stride + block)).scale);
                totals[m] = L::fma(above[m], L::mul(scale, own), totals[m]);
                totals[m] = L::fnma(below[m], L::mul(least, own), totals[m]);
            }
        }
        totals
    }
}

/// [`super::matrix::Form::Six`]
#[inline(always)]
pub(super) unsafe fn six<L: Lanes, const M: usize>(task: &Task) -> [L::F; M] {
    unsafe {
        let mut totals = [L::zero(); M];
        for block in 0..task.groups / GROUPS {
            let rows = codes_of::<M>(task, block);
            let head = task.heads.add(block * SIX_HEAD);
            let (mut above, mut below) = ([L::zero(); M], [L::zero(); M]);
            for half in 0..2 * GROUPS {
                let codes = task.codes.add(block * GROUPS * WIDE + half * WIDE / 2);
                task.fetch_ahead(codes, WIDE / 2);
                let sums = wide::<L, M, 4>(codes, &rows, half * 16);
                let scale = L::load_i8(head.add(2 * COLUMNS + half * COLUMNS));
                for m in 0..M {
                    let block = &*task.blocks.add(m * task.stride + block);
                    above[m] = L::fma(L::float(sums[m]), scale, above[m]);
                    below[m] = L::fma(scale, L::splat(block.halves[half]), below[m]);
                }
            }
            let scale = L::load_f16(head);
            for m in 0..M {
                let own = L::splat((*task.blocks.add(m * task.stride + block)).scale);
                let value = L::fnma(below[m], L::splat(32.0), above[m]);
                totals[m] = L::fma(value, L::mul(scale, own), totals[m]);
            }
        }
        totals
    }
}
