//! Columns one by one, for processors without kernels of their own.

use super::{COLUMNS, Lanes};
use half::{bf16, f16};

pub(in crate::kernel) struct Plain;

fn each(value: impl Fn(usize) -> f32) -> [f32; COLUMNS] {
    std::array::from_fn(value)
}

// SAFETY of all of them: the caller's pointers lead to what is read, and unaligned reads are used.
impl Lanes for Plain {
    type F = [f32; COLUMNS];
    type I = [i32; COLUMNS];
    type W = [u8; 4 * COLUMNS];

    const ROWS: usize = 2;
    const BIASED: bool = false;

    unsafe fn zero() -> Self::F {
        [0.0; COLUMNS]
    }

    unsafe fn splat(value: f32) -> Self::F {
        [value; COLUMNS]
    }

    unsafe fn load(from: *const f32) -> Self::F {
        unsafe { from.cast::<Self::F>().read_unaligned() }
    }

    unsafe fn load_f16(from: *const u8) -> Self::F {
        let bytes = unsafe { from.cast::<[[u8; 2]; COLUMNS]>().read_unaligned() };
        each(|i| f16::from_le_bytes(bytes[i]).to_f32())
    }

    unsafe fn load_bf16(from: *const u8) -> Self::F {
        let bytes = unsafe { from.cast::<[[u8; 2]; COLUMNS]>().read_unaligned() };
        each(|i| bf16::from_le_bytes(bytes[i]).to_f32())
    }

    unsafe fn load_u8(from: *const u8) -> Self::F {
        let bytes = unsafe { from.cast::<[u8; COLUMNS]>().read_unaligned() };
        each(|i| f32::from(bytes[i]))
    }

    unsafe fn load_i8(from: *const u8) -> Self::F {
        let bytes = unsafe { from.cast::<[i8; COLUMNS]>().read_unaligned() };
        each(|i| f32::from(bytes[i]))
    }

    unsafe fn store(to: *mut f32, value: Self::F) {
        unsafe { to.cast::<Self::F>().write_unaligned(value) }
    }

    unsafe fn add(a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] + b[i])
    }

    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] - b[i])
    }

    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] * b[i])
    }

    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        each(|i| a[i].mul_add(b[i], c[i]))
    }

    unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        each(|i| (-a[i]).mul_add(b[i], c[i]))
    }

    unsafe fn none() -> Self::I {
        [0; COLUMNS]
    }

    unsafe fn float(sum: Self::I) -> Self::F {
        each(|i| sum[i] as f32)
    }

    unsafe fn codes(from: *const u8) -> Self::W {
        unsafe { from.cast::<Self::W>().read_unaligned() }
    }

    unsafe fn halves(codes: Self::W) -> (Self::W, Self::W) {
        (codes.map(|byte| byte & 15), codes.map(|byte| byte >> 4))
    }

    unsafe fn dot(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        let four = unsafe { activation.cast::<[i8; 4]>().read_unaligned() };
        let product = |at: usize, j: usize| i32::from(codes[at * 4 + j]) * i32::from(four[j]);
        std::array::from_fn(|i| sum[i] + (0..4).map(|j| product(i, j)).sum::<i32>())
    }

    unsafe fn dot_wide(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        let four = unsafe { activation.cast::<[i8; 4]>().read_unaligned() };
        let value = |at: usize, j: usize| i32::from(codes[at * 4 + j]) - 128;
        let product = |at: usize, j: usize| value(at, j) * i32::from(four[j]);
        std::array::from_fn(|i| sum[i] + (0..4).map(|j| product(i, j)).sum::<i32>())
    }
}
