//! The small steps between the matrix products, each with one order of additions.
//!
//! Those that take time are compiled twice, the second time for wider registers. Rust never joins
//! a product and a sum into one rounding, so both give the same bits.

use crate::buffer::Buffer;
use rayon::prelude::*;

/// Lanes of a dot product: wide enough for the widest vector units, the same everywhere.
const LANES: usize = 16;

/// Below this many values threads cost more than they save.
const PARALLEL_MIN: usize = 1 << 15;

/// A function that does what `$anywhere` does, in the widest registers that the processor has.
macro_rules! widened {
    ($name:ident, $wide:ident, $anywhere:ident, ($($argument:ident: $kind:ty),*)) => {
        fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2, which is all that the function asks for.
                return unsafe { $wide($($argument),*) };
            }
            $anywhere($($argument),*);
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        unsafe fn $wide($($argument: $kind),*) {
            $anywhere($($argument),*);
        }
    };
}

/// The sum of products, in [`LANES`] partial sums that are then added up in order.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_chunks.remainder(), b_chunks.remainder());
    for (x, y) in a_chunks.zip(b_chunks) {
        for i in 0..LANES {
            lanes[i] += x[i] * y[i];
        }
    }
    for (i, (x, y)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] += x * y;
    }
    lanes.iter().sum()
}

/// Root-mean-square norm of each row of as many values as there are weights.
pub(crate) fn norm(x: &[f32], weight: &[f32], epsilon: f32) -> Buffer<f32> {
    let mut y = Buffer::dirty(x.len());
    let width = weight.len();
    if x.len() < PARALLEL_MIN || rayon::current_num_threads() == 1 {
        norm_rows(x, weight, epsilon, &mut y);
    } else {
        let rows = x.par_chunks_exact(width).zip(y.par_chunks_exact_mut(width));
        rows.for_each(|(x, y)| norm_rows(x, weight, epsilon, y));
    }
    y
}

widened!(norm_rows, norm_rows_wide, norm_rows_anywhere, (x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32]));

#[inline(always)]
fn norm_rows_anywhere(x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32]) {
    let width = weight.len();
    for (row, out) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let scale = 1.0 / (dot(row, row) / width as f32 + epsilon).sqrt();
        for ((out, value), weight) in out.iter_mut().zip(row).zip(weight) {
            *out = value * scale * weight;
        }
    }
}

/// `silu(gate) * up`, value by value.
pub(crate) fn gated(mut gate: Buffer<f32>, up: &[f32]) -> Buffer<f32> {
    if gate.len() < PARALLEL_MIN || rayon::current_num_threads() == 1 {
        gate_values(&mut gate, up);
    } else {
        let parts = gate.par_chunks_mut(PARALLEL_MIN / 8).zip(up.par_chunks(PARALLEL_MIN / 8));
        parts.for_each(|(gate, up)| gate_values(gate, up));
    }
    gate
}

widened!(gate_values, gate_values_wide, gate_values_anywhere, (gate: &mut [f32], up: &[f32]));

#[inline(always)]
fn gate_values_anywhere(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.chunks_mut(LANES).zip(up.chunks(LANES)) {
        let mut powers = [0f32; LANES];
        for (power, gate) in powers.iter_mut().zip(gate.iter()) {
            *power = -gate;
        }
        exponentials(&mut powers);
        for ((gate, up), power) in gate.iter_mut().zip(up).zip(powers) {
            *gate = *gate / (1.0 + power) * up;
        }
    }
}

/// Exponentials of scores less the highest of them.
#[inline(always)]
pub(crate) fn raise(scores: &mut [f32]) {
    let mut highest = [f32::NEG_INFINITY; LANES];
    for part in scores.chunks(LANES) {
        for (highest, score) in highest.iter_mut().zip(part) {
            *highest = if *score > *highest { *score } else { *highest };
        }
    }
    let highest = highest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    for part in scores.chunks_mut(LANES) {
        for score in part.iter_mut() {
            *score -= highest;
        }
        exponentials(part);
    }
}

/// Beyond this the exponential or its steps leave the range of normal numbers.
const NORMAL_MAX: f32 = 87.336_55;

/// Below this an exponential is zero.
const ZERO_MAX: f32 = -103.972_084;

/// Exponentials, with the bits that `libm::expf` gives.
#[inline(always)]
pub(crate) fn exponentials(values: &mut [f32]) {
    let plain = values.iter().all(|x| x.abs() < NORMAL_MAX || *x < ZERO_MAX);
    for x in values.iter_mut() {
        *x = if plain { exponential(*x) } else { libm::expf(*x) };
    }
}

/// The steps of `libm::expf` without branches, so that they can be done for many values at once:
/// the value less `k` times the logarithm of two, a polynomial of the rest, and `k` added to the
/// exponent. For what [`exponentials`] takes as plain.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    // The constants are those of the algorithm, split so that products with `k` are exact.
    let (ln2_high, ln2_low) = (f32::from_bits(0x3f31_7200), f32::from_bits(0x35bf_be8e));
    let (p1, p2) = (f32::from_bits(0x3e2a_aa8f), f32::from_bits(0xbb35_5215));
    let size = x.abs();
    let many = (std::f32::consts::LOG2_E * x + 0.5f32.copysign(x)).trunc();
    let k = if size > f32::from_bits(0x3f85_1592) { many } else { 1f32.copysign(x) };
    let k = if size > f32::from_bits(0x3eb1_7218) { k } else { 0.0 };
    let (high, low) = (x - k * ln2_high, k * ln2_low);
    let rest = high - low;
    let square = rest * rest;
    let c = rest - square * (p1 + square * p2);
    let y = 1.0 + (rest * c / (2.0 - c) - low + high);
    // Adding this moves an integer into the lowest bits.
    let integer = (k + 12_582_912.0).to_bits();
    let scaled = y * f32::from_bits(integer.wrapping_add(127) << 23);
    let tiny = size <= f32::from_bits(0x3900_0000);
    let value = if tiny { 1.0 + x } else { scaled };
    if x < ZERO_MAX { 0.0 } else { value }
}

/// Rotates neighbouring pairs of one head by the angles of a position.
pub(crate) fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(cos.iter().zip(sin)) {
        let (a, b) = (pair[0], pair[1]);
        pair[0] = a * cos - b * sin;
        pair[1] = a * sin + b * cos;
    }
}

/// Rotates each value of one head's first half with the value half a head later.
pub(crate) fn rotate_halves(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = head.split_at_mut(head.len() / 2);
    for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
        (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_have_the_bits_of_libm() {
        // Every 509th float of both signs, and what is around the places where steps change.
        let near = [0x3900_0000u32, 0x3eb1_7218, 0x3f85_1592, 0x42ae_ac50, 0x42cf_f1b5];
        let near = near.into_iter().flat_map(|bits| bits - 50..bits + 50);
        let all = (0..0x7f80_0000u32).step_by(509).chain(near);
        let all: Vec<f32> =
            all.flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)]).collect();
        for values in all.chunks(LANES) {
            let mut got = values.to_vec();
            exponentials(&mut got);
            for (x, got) in values.iter().zip(got) {
                assert_eq!(got.to_bits(), libm::expf(*x).to_bits(), "{x}");
            }
        }
    }

    #[test]
    fn wide_and_narrow_registers_give_the_same_bits() {
        let x: Vec<f32> = (0..999).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.37).collect();
        let (mut wide, mut narrow) = (x.clone(), x.clone());
        gate_values(&mut wide, &x);
        gate_values_anywhere(&mut narrow, &x);
        assert_eq!(wide, narrow);
        let (weight, mut narrow) = (vec![0.7; 333], vec![0.0; 999]);
        norm_rows_anywhere(&x, &weight, 1e-5, &mut narrow);
        assert_eq!(*norm(&x, &weight, 1e-5), narrow);
    }
}
