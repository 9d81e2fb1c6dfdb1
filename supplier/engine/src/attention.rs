//! What each head of each row makes of the positions that it sees.

use crate::buffer::Buffer;
use crate::cache::{PAGE, Page};
use crate::kernel::{ASKS, Ask, heed};
use rayon::prelude::*;
use std::ops::Range;

/// Heads, the numbers of each, and how many of the last positions they see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    pub(crate) window: Option<usize>,
}

/// Rows of one sequence that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Which sequence of the step it is.
    pub(crate) table: usize,
    /// Its rows in the step.
    pub(crate) rows: Range<usize>,
    /// The position of the first.
    pub(crate) from: usize,
}

/// Heads of one run that are answered together: those that share the head `kv_head` of keys and
/// values, from the `first` on, rows after rows.
struct Tile<'a> {
    run: &'a Run,
    kv_head: usize,
    first: usize,
    count: usize,
}

/// Below this many rows of heads threads cost more than they save.
const PARALLEL_MIN: usize = 64;

/// Where answers go. Each tile writes those of its own heads.
#[derive(Clone, Copy)]
struct Out(*mut f32);

// SAFETY: tiles write disjoint places, and nobody reads before all are done.
unsafe impl Send for Out {}
// SAFETY: as above.
unsafe impl Sync for Out {}

impl Out {
    fn at(self, place: usize) -> *mut f32 {
        self.0.wrapping_add(place)
    }
}

/// Attention of all heads of all rows; `page` finds what a page of a table holds of a head.
pub(crate) fn attend<'a>(
    queries: &[f32],
    sizes: Sizes,
    runs: &[Run],
    page: impl Fn(usize, usize, usize) -> Page<'a> + Sync,
) -> Buffer<f32> {
    let rows = queries.len() / (sizes.heads * sizes.head);
    let covered: usize = runs.iter().map(|run| run.rows.len()).sum();
    assert_eq!(covered, rows, "runs cover all rows of a step");
    // All heads of all rows are answered.
    let mut mixed = Buffer::dirty(queries.len());
    let out = Out(mixed.as_mut_ptr());
    let one = |tile: &Tile<'_>| answer(tile, queries, sizes, &page, out);
    let tiles = tiles(runs, sizes);
    if rows * sizes.heads < PARALLEL_MIN || rayon::current_num_threads() == 1 {
        tiles.iter().for_each(one);
    } else {
        tiles.par_iter().for_each(one);
    }
    mixed
}

fn tiles(runs: &[Run], sizes: Sizes) -> Vec<Tile<'_>> {
    let group = sizes.heads / sizes.kv_heads;
    let of = |(run, kv_head): (&'_ Run, usize)| {
        let all = run.rows.len() * group;
        (0..all).step_by(ASKS).map(move |first| (kv_head, first, ASKS.min(all - first)))
    };
    let heads = runs.iter().flat_map(|run| (0..sizes.kv_heads).map(move |head| (run, head)));
    heads
        .flat_map(|(run, head)| {
            of((run, head)).map(move |(kv_head, first, count)| Tile { run, kv_head, first, count })
        })
        .collect()
}

fn answer<'a>(
    tile: &Tile<'_>,
    queries: &[f32],
    sizes: Sizes,
    page: impl Fn(usize, usize, usize) -> Page<'a>,
    out: Out,
) {
    let Sizes { heads, kv_heads, head, window } = sizes;
    let (run, group) = (tile.run, heads / kv_heads);
    let seen = |i: usize| {
        let position = run.from + i / group;
        window.map_or(0, |window| (position + 1).saturating_sub(window))..position + 1
    };
    // Rows that come later see later positions.
    let (first, last) = (seen(tile.first), seen(tile.first + tile.count - 1));
    let numbers = first.start / PAGE..last.end.div_ceil(PAGE);
    let base = numbers.start * PAGE;
    let pages: Vec<Page<'a>> =
        numbers.map(|number| page(run.table, number, tile.kv_head)).collect();
    let ask = |i: usize| {
        let place =
            ((run.rows.start + i / group) * heads + tile.kv_head * group + i % group) * head;
        let Range { start, end } = seen(i);
        let query = queries[place..place + head].as_ptr();
        Ask { query, out: out.at(place), from: start - base, to: end - base }
    };
    let asks: Vec<Ask> = (tile.first..tile.first + tile.count).map(ask).collect();
    // SAFETY: queries are `head` numbers each; so are outs, which have the places of the queries in
    // a buffer of the same length; the pages reach to the last position that is seen.
    unsafe { heed(&asks, &pages, head) }
}
