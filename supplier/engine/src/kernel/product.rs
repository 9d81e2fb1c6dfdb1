//! Several matrices times the same rows, on all threads.

use super::float::{Brain, Half, Single, floats};
use super::integer::{Task, eight, pairs, six, supers};
#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::lanes::{COLUMNS, Lanes, Plain};
use super::matrix::{Form, GROUP, Matrix};
use super::rows::Rows;
use crate::buffer::Buffer;
use rayon::prelude::*;
use std::ops::Range;

/// What the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Plain,
}

impl Level {
    /// All that this processor has, the best first.
    pub(super) fn all() -> Vec<Level> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                levels.push(Level::Avx512);
            }
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                levels.push(Level::Avx2);
            }
        }
        levels.push(Level::Plain);
        levels
    }

    /// What its kernels are called.
    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            Level::Plain => "plain",
        }
    }

    /// The best that this processor has.
    pub(super) fn best() -> Level {
        static BEST: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| Level::all()[0])
    }
}

/// What the kernels of this processor are called.
pub(crate) fn class() -> &'static str {
    Level::best().name()
}

/// Below this many products of weights threads cost more than they save.
const PARALLEL_MIN: usize = 1 << 17;

/// Pieces of work for each thread: some threads are slower than others.
const PIECES: usize = 4;

/// The products of each of `matrices` with all `rows`, row by row.
pub(crate) fn products(matrices: &[&Matrix], rows: &Rows) -> Vec<Buffer<f32>> {
    products_at(Level::best(), matrices, rows)
}

/// Where products go. Each strip of each matrix writes its own columns.
#[derive(Clone, Copy)]
struct Out(*mut f32);

// SAFETY: pieces of work write disjoint columns, and nobody reads before all are done.
unsafe impl Send for Out {}
// SAFETY: as above.
unsafe impl Sync for Out {}

pub(super) fn products_at(level: Level, matrices: &[&Matrix], rows: &Rows) -> Vec<Buffer<f32>> {
    // All strips of all rows are written.
    let mut outs: Vec<Buffer<f32>> =
        matrices.iter().map(|matrix| Buffer::dirty(rows.count() * matrix.rows)).collect();
    for matrix in matrices {
        assert_eq!(matrix.columns, rows.width, "a matrix takes rows of its own width");
    }
    let threads = rayon::current_num_threads();
    let all: usize = matrices.iter().map(|matrix| matrix.strips()).sum();
    let work = all * COLUMNS * rows.width * rows.count();
    let parallel = threads > 1 && work >= PARALLEL_MIN;
    let piece = if parallel { all.div_ceil(threads * PIECES) } else { all.max(1) };
    let mut pieces = Vec::new();
    for (matrix, out) in matrices.iter().zip(&mut outs) {
        let out = Out(out.as_mut_ptr());
        let starts = (0..matrix.strips()).step_by(piece);
        pieces.extend(starts.map(|from| (*matrix, from..(from + piece).min(matrix.strips()), out)));
    }
    let run = |(matrix, strips, out): (&Matrix, Range<usize>, Out)| {
        // SAFETY: the level is one of this processor; `out` has room for all rows of the matrix.
        unsafe { at_level(level, matrix, rows, strips, out) }
    };
    if parallel {
        pieces.into_par_iter().for_each(run);
    } else {
        pieces.into_iter().for_each(run);
    }
    outs
}

/// # Safety
/// The processor has `level`; `out` has `rows.count()` rows of `matrix.rows` places.
unsafe fn at_level(level: Level, matrix: &Matrix, rows: &Rows, strips: Range<usize>, out: Out) {
    // SAFETY: the caller's.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => with_avx512(matrix, rows, strips, out),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => with_avx2(matrix, rows, strips, out),
            Level::Plain => run::<Plain>(matrix, rows, strips, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn with_avx512(matrix: &Matrix, rows: &Rows, strips: Range<usize>, out: Out) {
    // SAFETY: the caller's.
    unsafe { run::<Avx512>(matrix, rows, strips, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn with_avx2(matrix: &Matrix, rows: &Rows, strips: Range<usize>, out: Out) {
    // SAFETY: the caller's.
    unsafe { run::<Avx2>(matrix, rows, strips, out) }
}

#[inline(always)]
unsafe fn run<L: Lanes>(matrix: &Matrix, rows: &Rows, strips: Range<usize>, out: Out) {
    for strip in strips {
        let mut row = 0;
        while row < rows.count() {
            let left = (rows.count() - row).min(L::ROWS);
            // SAFETY: the caller's; there are as many rows left as each call takes.
            unsafe {
                row += match left {
                    8.. => some::<L, 8>(matrix, rows, strip, row, out),
                    4.. => some::<L, 4>(matrix, rows, strip, row, out),
                    2.. => some::<L, 2>(matrix, rows, strip, row, out),
                    _ => some::<L, 1>(matrix, rows, strip, row, out),
                };
            }
        }
    }
}

/// One strip times `M` rows from `row` on.
#[inline(always)]
unsafe fn some<L: Lanes, const M: usize>(
    matrix: &Matrix,
    rows: &Rows,
    strip: usize,
    row: usize,
    out: Out,
) -> usize {
    let (codes, heads) = matrix.strip(strip);
    let (codes, columns) = (codes.as_ptr().cast::<u8>(), matrix.columns);
    let blocks = rows.blocks.as_ptr().wrapping_add(row * rows.stride());
    let (groups, stride) = (columns / GROUP, rows.stride());
    let task = Task { codes, heads: heads.as_ptr(), groups, blocks, stride, cold: row == 0 };
    // SAFETY: the strip is whole, there are `M` rows, and integer forms have whole groups, for
    // which rows hold blocks.
    unsafe {
        let values = rows.values.as_ptr().add(row * columns);
        let totals = match matrix.form {
            Form::F32 => floats::<L, Single, M>(codes, values, columns),
            Form::F16 => floats::<L, Half, M>(codes, values, columns),
            Form::BF16 => floats::<L, Brain, M>(codes, values, columns),
            Form::Eight => eight::<L, M>(&task),
            Form::Pairs4 => pairs::<L, M, false>(&task),
            Form::Pairs8 => pairs::<L, M, true>(&task),
            Form::Super4 => supers::<L, M, false>(&task),
            Form::Super8 => supers::<L, M, true>(&task),
            Form::Six => six::<L, M>(&task),
        };
        let columns = (matrix.rows - strip * COLUMNS).min(COLUMNS);
        for (m, total) in totals.into_iter().enumerate() {
            let to = out.0.add((row + m) * matrix.rows + strip * COLUMNS);
            if columns == COLUMNS {
                L::store(to, total);
            } else {
                let mut last = [0f32; COLUMNS];
                L::store(last.as_mut_ptr(), total);
                std::ptr::copy_nonoverlapping(last.as_ptr(), to, columns);
            }
        }
    }
    M
}
