//! What heads make of the positions that they see.
//!
//! A score is a dot product in sixteen partial sums that are then added up in order; the weights of
//! a softmax are added up, and values by their weights, in the order of positions. These orders are
//! kept for each head of each row alone. What stands side by side in registers are positions for
//! scores and the numbers of a value for sums, and a few heads that see the same pages share what
//! is loaded.

use super::lanes::{COLUMNS, Lanes};
use super::product::Level;
use crate::buffer::Buffer;
use crate::cache::{PAGE, Page};
use crate::math;
use std::ops::Range;

/// What one head of one row asks.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    /// Its query, of as many numbers as a key has.
    pub(crate) query: *const f32,
    /// Where the sum of values goes.
    pub(crate) out: *mut f32,
    /// The positions that it sees, counted from the beginning of the first page.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Heads that are computed together.
pub(crate) const ASKS: usize = 4;

/// Registers of one key's positions, of one page.
const HALVES: usize = PAGE / COLUMNS;

/// Answers `asks`, which see some of the same `pages` of keys and values of `size` numbers each.
///
/// # Safety
/// Queries and outs of all asks lead to `size` numbers, outs to different ones; nobody sees
/// positions beyond the pages.
pub(crate) unsafe fn heed(asks: &[Ask], pages: &[Page<'_>], size: usize) {
    // SAFETY: the caller's; the level is one of this processor.
    unsafe { heed_at(Level::best(), asks, pages, size) }
}

/// # Safety
/// As for [`heed`], and the processor has `level`.
pub(super) unsafe fn heed_at(level: Level, asks: &[Ask], pages: &[Page<'_>], size: usize) {
    let fits = |page: &Page<'_>| page.keys.len() == PAGE * size && page.values.len() == PAGE * size;
    assert!(pages.iter().all(fits), "a page holds a head's keys and values of {PAGE} tokens");
    let seen = |ask: &Ask| ask.from < ask.to && ask.to <= pages.len() * PAGE;
    assert!(asks.iter().all(seen), "a head sees some positions of its pages");
    // SAFETY: the caller's.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => with_avx512(asks, pages, size),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => with_avx2(asks, pages, size),
            Level::Plain => all::<super::lanes::Plain>(asks, pages, size),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn with_avx512(asks: &[Ask], pages: &[Page<'_>], size: usize) {
    // SAFETY: the caller's.
    unsafe { all::<super::lanes::Avx512>(asks, pages, size) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn with_avx2(asks: &[Ask], pages: &[Page<'_>], size: usize) {
    // SAFETY: the caller's.
    unsafe { all::<super::lanes::Avx2>(asks, pages, size) }
}

// SAFETY of all functions here: the processor is one for `L`; what the asks and pages lead to is
// as `heed` asks for and was checked there. A closure that is not inlined would be compiled for any
// processor, so there are loops.

#[inline(always)]
unsafe fn all<L: Lanes>(asks: &[Ask], pages: &[Page<'_>], size: usize) {
    unsafe {
        let (fours, rest) = asks.as_chunks::<ASKS>();
        for asks in fours {
            some::<L, ASKS>(asks, pages, size);
        }
        let (twos, rest) = rest.as_chunks::<2>();
        for asks in twos {
            some::<L, 2>(asks, pages, size);
        }
        let (ones, _) = rest.as_chunks::<1>();
        for asks in ones {
            some::<L, 1>(asks, pages, size);
        }
    }
}

#[inline(always)]
unsafe fn some<L: Lanes, const M: usize>(asks: &[Ask; M], pages: &[Page<'_>], size: usize) {
    let each = pages.len() * PAGE;
    // Scores of pages that nobody sees stay dirty, and unread.
    let mut weights = Buffer::<f32>::dirty(M * each);
    let (low, high) = (asks.iter().map(|a| a.from).min(), asks.iter().map(|a| a.to).max());
    let seen = low.unwrap_or(0) / PAGE..high.unwrap_or(0).div_ceil(PAGE);
    unsafe {
        for number in seen.clone() {
            let to = weights.as_mut_ptr().add(number * PAGE);
            scores::<L, M>(asks, pages[number].keys, size, (to, each));
        }
        let mut rows = weights.chunks_exact_mut(each).zip(asks);
        let rows: [&mut [f32]; M] = std::array::from_fn(|_| {
            let (row, ask) = rows.next().expect("there is a row of weights for each ask");
            &mut row[ask.from..ask.to]
        });
        softmax(rows);
        for ask in asks {
            std::slice::from_raw_parts_mut(ask.out, size).fill(0.0);
        }
        for number in seen {
            let from = weights.as_ptr().add(number * PAGE);
            values::<L, M>(asks, number * PAGE, pages[number].values, size, (from, each));
        }
    }
}

/// Scores of all positions of a page.
#[inline(always)]
unsafe fn scores<L: Lanes, const M: usize>(
    asks: &[Ask; M],
    keys: &[f32],
    size: usize,
    (to, each): (*mut f32, usize),
) {
    unsafe {
        let scale = L::splat(1.0 / (size as f32).sqrt());
        let mut totals = [[L::zero(); HALVES]; M];
        for first in 0..COLUMNS {
            let mut sums = [[L::zero(); HALVES]; M];
            let mut i = first;
            while i < size {
                let mut key = [L::zero(); HALVES];
                for (h, key) in key.iter_mut().enumerate() {
                    *key = L::load(keys.as_ptr().add(i * PAGE + h * COLUMNS));
                }
                for m in 0..M {
                    let query = L::splat(*asks[m].query.add(i));
                    for h in 0..HALVES {
                        sums[m][h] = L::add(sums[m][h], L::mul(query, key[h]));
                    }
                }
                i += COLUMNS;
            }
            for m in 0..M {
                for h in 0..HALVES {
                    totals[m][h] = L::add(totals[m][h], sums[m][h]);
                }
            }
        }
        for m in 0..M {
            for h in 0..HALVES {
                L::store(to.add(m * each + h * COLUMNS), L::mul(totals[m][h], scale));
            }
        }
    }
}

/// Turns scores into weights that add up to one.
#[inline(always)]
fn softmax<const M: usize>(mut rows: [&mut [f32]; M]) {
    for row in &mut rows {
        math::raise(row);
    }
    // Each sum has one order, which takes its time; several go on side by side.
    let mut sums = [0f32; M];
    let shortest = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    for i in 0..shortest {
        for m in 0..M {
            sums[m] += rows[m][i];
        }
    }
    for (row, sum) in rows.iter_mut().zip(&mut sums) {
        for weight in &row[shortest..] {
            *sum += weight;
        }
        for weight in row.iter_mut() {
            *weight /= *sum;
        }
    }
}

/// Adds the values of a page whose positions begin at `base`, by their weights.
#[inline(always)]
unsafe fn values<L: Lanes, const M: usize>(
    asks: &[Ask; M],
    base: usize,
    values: &[f32],
    size: usize,
    (weights, each): (*const f32, usize),
) {
    let seen = asks.map(|ask| {
        let inside = |position: usize| position.clamp(base, base + PAGE) - base;
        inside(ask.from)..inside(ask.to)
    });
    let begin = seen.iter().map(|seen| seen.start).max().unwrap_or(0);
    let end = seen.iter().map(|seen| seen.end).min().unwrap_or(0);
    let outs = asks.map(|ask| ask.out);
    unsafe {
        let common = begin < end;
        let (begin, end) = if common { (begin, end) } else { (PAGE, PAGE) };
        for m in 0..M {
            let Range { start, end } = seen[m];
            let weights = (weights.add(m * each), 0);
            add::<L, 1, 4>(&[outs[m]], values, size, weights, start..end.min(begin));
        }
        if common {
            add::<L, M, 2>(&outs, values, size, (weights, each), begin..end);
        }
        for m in 0..M {
            let Range { start, end: last } = seen[m];
            let weights = (weights.add(m * each), 0);
            add::<L, 1, 4>(&[outs[m]], values, size, weights, end.max(start)..last);
        }
    }
}

/// Adds the values at some places of a page, which all of these heads see.
#[inline(always)]
unsafe fn add<L: Lanes, const M: usize, const WIDE: usize>(
    outs: &[*mut f32; M],
    values: &[f32],
    size: usize,
    weights: (*const f32, usize),
    places: Range<usize>,
) {
    if places.is_empty() {
        return;
    }
    let values = values.as_ptr();
    unsafe {
        let mut i = 0;
        while i + WIDE * COLUMNS <= size {
            strip::<L, M, WIDE>(outs, values, (i, size), weights, places.clone());
            i += WIDE * COLUMNS;
        }
        while i + COLUMNS <= size {
            strip::<L, M, 1>(outs, values, (i, size), weights, places.clone());
            i += COLUMNS;
        }
        for i in i..size {
            for (m, out) in outs.iter().enumerate() {
                for place in places.clone() {
                    let weight = *weights.0.add(m * weights.1 + place);
                    *out.add(i) += weight * *values.add(place * size + i);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn strip<L: Lanes, const M: usize, const WIDE: usize>(
    outs: &[*mut f32; M],
    values: *const f32,
    (i, size): (usize, usize),
    (weights, each): (*const f32, usize),
    places: Range<usize>,
) {
    unsafe {
        let mut sums = [[L::zero(); WIDE]; M];
        for m in 0..M {
            for w in 0..WIDE {
                sums[m][w] = L::load(outs[m].add(i + w * COLUMNS));
            }
        }
        for place in places {
            let mut value = [L::zero(); WIDE];
            for (w, value) in value.iter_mut().enumerate() {
                *value = L::load(values.add(place * size + i + w * COLUMNS));
            }
            for m in 0..M {
                let weight = L::splat(*weights.add(m * each + place));
                for w in 0..WIDE {
                    sums[m][w] = L::add(sums[m][w], L::mul(weight, value[w]));
                }
            }
        }
        for m in 0..M {
            for w in 0..WIDE {
                L::store(outs[m].add(i + w * COLUMNS), sums[m][w]);
            }
        }
    }
}

#[cfg(test)]
#[path = "heed/tests.rs"]
mod tests;
