//! Products with weights that are floats.

use super::lanes::{COLUMNS, Lanes};

/// How a float weight is written.
pub(super) trait Weight {
    const BYTES: usize;

    /// Sixteen weights.
    ///
    /// # Safety
    /// As for [`Lanes`].
    unsafe fn load<L: Lanes>(from: *const u8) -> L::F;
}

pub(super) struct Single;
pub(super) struct Half;
pub(super) struct Brain;

impl Weight for Single {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u8) -> L::F {
        // SAFETY: the caller's; loads need no alignment.
        unsafe { L::load(from.cast()) }
    }
}

impl Weight for Half {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u8) -> L::F {
        // SAFETY: the caller's.
        unsafe { L::load_f16(from) }
    }
}

impl Weight for Brain {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u8) -> L::F {
        // SAFETY: the caller's.
        unsafe { L::load_bf16(from) }
    }
}

/// The products of one strip of `columns` with `M` rows of activations: even and odd columns are
/// added up apart, in order, which halves the wait for each sum.
///
/// # Safety
/// `codes` leads to the whole strip, `rows` to `M` rows of `columns`, and the processor is one for
/// `L`.
#[inline(always)]
pub(super) unsafe fn floats<L: Lanes, T: Weight, const M: usize>(
    codes: *const u8,
    rows: *const f32,
    columns: usize,
) -> [L::F; M] {
    // SAFETY: all reads are within what the caller vouches for.
    unsafe {
        let line = T::BYTES * COLUMNS;
        let (mut even, mut odd) = ([L::zero(); M], [L::zero(); M]);
        for pair in 0..columns / 2 {
            let (a, b) = (codes.add(2 * pair * line), codes.add((2 * pair + 1) * line));
            let (a, b) = (T::load::<L>(a), T::load::<L>(b));
            for m in 0..M {
                let row = rows.add(m * columns + 2 * pair);
                even[m] = L::fma(a, L::splat(*row), even[m]);
                odd[m] = L::fma(b, L::splat(*row.add(1)), odd[m]);
            }
        }
        if columns % 2 == 1 {
            let last = T::load::<L>(codes.add((columns - 1) * line));
            for (m, sum) in even.iter_mut().enumerate() {
                *sum = L::fma(last, L::splat(*rows.add((m + 1) * columns - 1)), *sum);
            }
        }
        for m in 0..M {
            even[m] = L::add(even[m], odd[m]);
        }
        even
    }
}
