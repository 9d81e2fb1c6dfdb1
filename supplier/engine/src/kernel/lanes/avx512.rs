//! All columns in one register of 512 bits.

use super::Lanes;
use core::arch::x86_64::*;

pub(in crate::kernel) struct Avx512;

// SAFETY of all of them: the caller has checked for AVX-512 F, BW and VNNI, its pointers lead to
// what is read, and unaligned loads are used.
impl Lanes for Avx512 {
    type F = __m512;
    type I = __m512i;
    type W = __m512i;

    const ROWS: usize = 8;
    const BIASED: bool = true;

    #[inline(always)]
    unsafe fn zero() -> Self::F {
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::F {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::F {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u8) -> Self::F {
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u8) -> Self::F {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn load_u8(from: *const u8) -> Self::F {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_i8(from: *const u8) -> Self::F {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::F) {
        unsafe { _mm512_storeu_ps(to, value) }
    }

    #[inline(always)]
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn none() -> Self::I {
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn float(sum: Self::I) -> Self::F {
        unsafe { _mm512_cvtepi32_ps(sum) }
    }

    #[inline(always)]
    unsafe fn codes(from: *const u8) -> Self::W {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn halves(codes: Self::W) -> (Self::W, Self::W) {
        unsafe {
            let mask = _mm512_set1_epi8(15);
            let high = _mm512_srli_epi16::<4>(codes);
            (_mm512_and_si512(codes, mask), _mm512_and_si512(high, mask))
        }
    }

    #[inline(always)]
    unsafe fn dot(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        unsafe {
            let four = _mm512_set1_epi32(activation.cast::<i32>().read_unaligned());
            _mm512_dpbusd_epi32(sum, codes, four)
        }
    }

    #[inline(always)]
    unsafe fn dot_wide(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        unsafe { Self::dot(sum, codes, activation) }
    }
}
