//! What each head of each row makes of the positions that it sees.

use crate::buffer::Buffer;
use crate::cache::PAGE;
use crate::math;
use rayon::prelude::*;
use std::ops::Range;

/// The positions that a row sees, and the pages that hold their keys and values.
pub(crate) struct Past<P> {
    pub(crate) positions: Range<usize>,
    /// The keys and values of one layer in a page of the row's sequence.
    pub(crate) page: P,
}

/// Below this many rows of heads threads cost more than they save.
const PARALLEL_MIN: usize = 64;

/// Attention of all heads of all rows; `past` tells what a row sees.
pub(crate) fn attend<'a, P>(
    queries: &[f32],
    heads: usize,
    kv_heads: usize,
    head: usize,
    past: impl Fn(usize) -> Past<P> + Sync,
) -> Buffer<f32>
where
    P: Fn(usize) -> &'a [f32],
{
    let mut mixed = Buffer::dirty(queries.len());
    mixed.fill(0.0);
    let one = |(i, out): (usize, &mut [f32])| {
        let past = past(i / heads);
        let kv_head = i % heads / (heads / kv_heads);
        let place = Place { kv_heads, kv_head, head };
        mix(&queries[i * head..(i + 1) * head], &past, place, out);
    };
    if queries.len() / head < PARALLEL_MIN || rayon::current_num_threads() == 1 {
        mixed.chunks_exact_mut(head).enumerate().for_each(one);
    } else {
        mixed.par_chunks_exact_mut(head).enumerate().for_each(one);
    }
    mixed
}

/// Where in a page a head finds its keys.
#[derive(Clone, Copy)]
struct Place {
    kv_heads: usize,
    kv_head: usize,
    head: usize,
}

impl Place {
    fn at(self, position: usize) -> usize {
        (position % PAGE * self.kv_heads + self.kv_head) * self.head
    }
}

fn mix<'a>(query: &[f32], past: &Past<impl Fn(usize) -> &'a [f32]>, place: Place, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        return unsafe { mix_avx2(query, past, place, out) };
    }
    mix_anywhere(query, past, place, out);
}

/// The same steps, compiled for wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn mix_avx2<'a>(
    query: &[f32],
    past: &Past<impl Fn(usize) -> &'a [f32]>,
    place: Place,
    out: &mut [f32],
) {
    mix_anywhere(query, past, place, out);
}

/// Scores in the order of positions, their softmax, and the values by their weights in that order.
#[inline(always)]
fn mix_anywhere<'a>(
    query: &[f32],
    past: &Past<impl Fn(usize) -> &'a [f32]>,
    place: Place,
    out: &mut [f32],
) {
    let head = place.head;
    let scale = 1.0 / (head as f32).sqrt();
    let mut weights = Vec::with_capacity(past.positions.len());
    for part in parts(&past.positions) {
        let page = (past.page)(part.start / PAGE);
        for position in part {
            let key = &page[place.at(position)..][..head];
            weights.push(math::dot(query, key) * scale);
        }
    }
    math::softmax(&mut weights);
    let mut weights = weights.iter();
    for part in parts(&past.positions) {
        let page = (past.page)(part.start / PAGE);
        let values = &page[page.len() / 2..];
        for (position, weight) in part.zip(&mut weights) {
            for (out, value) in out.iter_mut().zip(&values[place.at(position)..][..head]) {
                *out += weight * value;
            }
        }
    }
}

/// Positions, cut where pages end.
fn parts(positions: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = *positions;
    (start / PAGE..end.div_ceil(PAGE))
        .map(move |page| (page * PAGE).max(start)..((page + 1) * PAGE).min(end))
}
