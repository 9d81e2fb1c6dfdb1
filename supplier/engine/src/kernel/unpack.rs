//! Blocks of weights as files hold them, taken apart into codes and scales.
//!
//! The layouts are those of ggml, the format of GGUF files.

use super::matrix::GROUPS;

/// Codes and numbers of one block of 32 weights: `scale * code + least`.
pub(super) struct Group {
    pub(super) codes: [u8; 32],
    pub(super) scale: [u8; 2],
    pub(super) least: [u8; 2],
}

/// Codes and numbers of one block of 256 weights.
pub(super) struct Super {
    pub(super) codes: [u8; 256],
    pub(super) scale: [u8; 2],
    pub(super) least: [u8; 2],
    pub(super) scales: [u8; 2 * GROUPS],
    pub(super) leasts: [u8; GROUPS],
}

fn two(bytes: &[u8]) -> [u8; 2] {
    [bytes[0], bytes[1]]
}

/// `-times * half`, in half precision: exact, as `times` is a power of two, but for numbers beyond
/// all that weights are.
fn below(half: [u8; 2], times: f32) -> [u8; 2] {
    let wide = half::f16::from_le_bytes(half).to_f32();
    half::f16::from_f32(-times * wide).to_le_bytes()
}

/// The lower halves of bytes are the first codes, the upper halves the last.
fn nibbles(bytes: &[u8], codes: &mut [u8]) {
    let (first, last) = codes.split_at_mut(bytes.len());
    for (i, byte) in bytes.iter().enumerate() {
        first[i] = byte & 15;
        last[i] = byte >> 4;
    }
}

pub(super) fn q4_0(block: &[u8]) -> Group {
    let mut codes = [0; 32];
    nibbles(&block[2..18], &mut codes);
    let scale = two(block);
    Group { codes, scale, least: below(scale, 8.0) }
}

pub(super) fn q4_1(block: &[u8]) -> Group {
    let mut codes = [0; 32];
    nibbles(&block[4..20], &mut codes);
    Group { codes, scale: two(block), least: two(&block[2..]) }
}

fn fifth_bits(bytes: &[u8], codes: &mut [u8; 32]) {
    for (i, code) in codes.iter_mut().enumerate() {
        *code |= (bytes[i / 8] >> (i % 8) & 1) << 4;
    }
}

pub(super) fn q5_0(block: &[u8]) -> Group {
    let mut codes = [0; 32];
    nibbles(&block[6..22], &mut codes);
    fifth_bits(&block[2..6], &mut codes);
    let scale = two(block);
    Group { codes, scale, least: below(scale, 16.0) }
}

pub(super) fn q5_1(block: &[u8]) -> Group {
    let mut codes = [0; 32];
    nibbles(&block[8..24], &mut codes);
    fifth_bits(&block[4..8], &mut codes);
    Group { codes, scale: two(block), least: two(&block[2..]) }
}

pub(super) fn q8_0(block: &[u8]) -> Group {
    let codes = std::array::from_fn(|i| block[2 + i].wrapping_add(128));
    Group { codes, scale: two(block), least: [0; 2] }
}

/// Scales and leasts of six bits each, eight of both in twelve bytes.
fn six_bits(bytes: &[u8]) -> ([u8; 2 * GROUPS], [u8; GROUPS]) {
    let (mut scales, mut leasts) = ([0; 2 * GROUPS], [0; GROUPS]);
    for i in 0..4 {
        scales[i] = bytes[i] & 63;
        leasts[i] = bytes[i + 4] & 63;
        scales[i + 4] = (bytes[i + 8] & 15) | (bytes[i] >> 6) << 4;
        leasts[i + 4] = (bytes[i + 8] >> 4) | (bytes[i + 4] >> 6) << 4;
    }
    (scales, leasts)
}

pub(super) fn q4_k(block: &[u8]) -> Super {
    let mut codes = [0; 256];
    for part in 0..4 {
        nibbles(&block[16 + part * 32..][..32], &mut codes[part * 64..][..64]);
    }
    let (scales, leasts) = six_bits(&block[4..16]);
    Super { codes, scale: two(block), least: two(&block[2..]), scales, leasts }
}

pub(super) fn q5_k(block: &[u8]) -> Super {
    let mut codes = [0; 256];
    for part in 0..4 {
        nibbles(&block[48 + part * 32..][..32], &mut codes[part * 64..][..64]);
    }
    for (i, code) in codes.iter_mut().enumerate() {
        *code |= (block[16 + i % 32] >> (i / 32) & 1) << 4;
    }
    let (scales, leasts) = six_bits(&block[4..16]);
    Super { codes, scale: two(block), least: two(&block[2..]), scales, leasts }
}

pub(super) fn q6_k(block: &[u8]) -> Super {
    let (low, high) = (&block[..128], &block[128..192]);
    let code = |i: usize| {
        let (half, quarter, at) = (i / 128, i % 128 / 32, i % 32);
        let byte = low[half * 64 + quarter % 2 * 32 + at];
        let four = if quarter < 2 { byte & 15 } else { byte >> 4 };
        four | (high[half * 32 + at] >> (quarter * 2) & 3) << 4
    };
    let mut scales = [0; 2 * GROUPS];
    scales.copy_from_slice(&block[192..208]);
    Super {
        codes: std::array::from_fn(code),
        scale: two(&block[208..]),
        least: [0; 2],
        scales,
        leasts: [0; GROUPS],
    }
}
