//! The columns in two registers of 256 bits.

use super::Lanes;
use core::arch::x86_64::*;

pub(in crate::kernel) struct Avx2;

// SAFETY of all of them: the caller has checked for AVX2, FMA and F16C, its pointers lead to what
// is read, and unaligned loads are used.
impl Lanes for Avx2 {
    type F = [__m256; 2];
    type I = [__m256i; 2];
    type W = [__m256i; 2];

    const ROWS: usize = 2;
    const BIASED: bool = false;

    #[inline(always)]
    unsafe fn zero() -> Self::F {
        unsafe { [_mm256_setzero_ps(); 2] }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::F {
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::F {
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u8) -> Self::F {
        unsafe {
            let (a, b) = (_mm_loadu_si128(from.cast()), _mm_loadu_si128(from.add(16).cast()));
            [_mm256_cvtph_ps(a), _mm256_cvtph_ps(b)]
        }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u8) -> Self::F {
        unsafe {
            let (a, b) = (_mm_loadu_si128(from.cast()), _mm_loadu_si128(from.add(16).cast()));
            let (a, b) = (_mm256_cvtepu16_epi32(a), _mm256_cvtepu16_epi32(b));
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(a)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(b)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn load_u8(from: *const u8) -> Self::F {
        unsafe {
            let (a, b) = (_mm_loadl_epi64(from.cast()), _mm_loadl_epi64(from.add(8).cast()));
            let (a, b) = (_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(b));
            [_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b)]
        }
    }

    #[inline(always)]
    unsafe fn load_i8(from: *const u8) -> Self::F {
        unsafe {
            let (a, b) = (_mm_loadl_epi64(from.cast()), _mm_loadl_epi64(from.add(8).cast()));
            let (a, b) = (_mm256_cvtepi8_epi32(a), _mm256_cvtepi8_epi32(b));
            [_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b)]
        }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::F) {
        unsafe {
            _mm256_storeu_ps(to, value[0]);
            _mm256_storeu_ps(to.add(8), value[1]);
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F {
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F {
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }

    #[inline(always)]
    unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        unsafe { [_mm256_fnmadd_ps(a[0], b[0], c[0]), _mm256_fnmadd_ps(a[1], b[1], c[1])] }
    }

    #[inline(always)]
    unsafe fn none() -> Self::I {
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    unsafe fn float(sum: Self::I) -> Self::F {
        unsafe { [_mm256_cvtepi32_ps(sum[0]), _mm256_cvtepi32_ps(sum[1])] }
    }

    #[inline(always)]
    unsafe fn codes(from: *const u8) -> Self::W {
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast())] }
    }

    #[inline(always)]
    unsafe fn halves(codes: Self::W) -> (Self::W, Self::W) {
        unsafe {
            let mask = _mm256_set1_epi8(15);
            let low = [_mm256_and_si256(codes[0], mask), _mm256_and_si256(codes[1], mask)];
            let (a, b) = (_mm256_srli_epi16::<4>(codes[0]), _mm256_srli_epi16::<4>(codes[1]));
            (low, [_mm256_and_si256(a, mask), _mm256_and_si256(b, mask)])
        }
    }

    #[inline(always)]
    unsafe fn dot(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        unsafe {
            let four = _mm256_set1_epi32(activation.cast::<i32>().read_unaligned());
            [pairs(sum[0], codes[0], four), pairs(sum[1], codes[1], four)]
        }
    }

    #[inline(always)]
    unsafe fn dot_wide(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I {
        unsafe {
            let four = _mm256_set1_epi32(activation.cast::<i32>().read_unaligned());
            [signed(sum[0], codes[0], four), signed(sum[1], codes[1], four)]
        }
    }
}

/// Products of unsigned and signed bytes, four added up. Two of them fit 16 bits as codes are
/// below 128.
#[inline(always)]
unsafe fn pairs(sum: __m256i, codes: __m256i, four: __m256i) -> __m256i {
    unsafe {
        let two = _mm256_maddubs_epi16(codes, four);
        _mm256_add_epi32(sum, _mm256_madd_epi16(two, _mm256_set1_epi16(1)))
    }
}

/// The same for codes that are 128 too high: their signs move to the activations, which are never
/// -128, so that two products fit 16 bits.
#[inline(always)]
unsafe fn signed(sum: __m256i, codes: __m256i, four: __m256i) -> __m256i {
    unsafe {
        let values = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
        pairs(sum, _mm256_abs_epi8(values), _mm256_sign_epi8(four, values))
    }
}
