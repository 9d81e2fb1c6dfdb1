//! Sixteen columns of a product side by side, on each kind of processor.
//!
//! Every implementation does the same operations on the same numbers in the same order, so all of
//! them give the same bits; what differs is how many columns one instruction covers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::Avx512;
pub(super) use plain::Plain;

/// Columns of one strip of a matrix.
pub(crate) const COLUMNS: usize = 16;

/// Sixteen numbers and what is done with them. `F` are floats, `I` sums of integer products, `W`
/// the 64 bytes that hold four codes for each column.
///
/// # Safety
/// The processor has what the implementation is named after. Pointers lead to as many bytes as the
/// method reads: 16 values of the named type, or 64 codes, or 4 values of an activation.
pub(super) trait Lanes {
    type F: Copy;
    type I: Copy;
    type W: Copy;

    /// Rows of activations that fit the registers at once.
    const ROWS: usize;

    /// Whether [`Lanes::dot_wide`] takes codes as they lie, 128 too high.
    const BIASED: bool;

    unsafe fn zero() -> Self::F;
    unsafe fn splat(value: f32) -> Self::F;
    unsafe fn load(from: *const f32) -> Self::F;
    unsafe fn load_f16(from: *const u8) -> Self::F;
    unsafe fn load_bf16(from: *const u8) -> Self::F;
    unsafe fn load_u8(from: *const u8) -> Self::F;
    unsafe fn load_i8(from: *const u8) -> Self::F;
    unsafe fn store(to: *mut f32, value: Self::F);
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `c - a * b`, rounded once.
    unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    unsafe fn none() -> Self::I;
    unsafe fn float(sum: Self::I) -> Self::F;
    unsafe fn codes(from: *const u8) -> Self::W;
    /// The lower and the upper halves of each byte.
    unsafe fn halves(codes: Self::W) -> (Self::W, Self::W);
    /// Adds four products for each column. Codes are below 128.
    unsafe fn dot(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I;
    /// The same for codes of all eight bits, which stand for numbers that are 128 lower.
    unsafe fn dot_wide(sum: Self::I, codes: Self::W, activation: *const i8) -> Self::I;
}
