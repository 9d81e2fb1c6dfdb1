//! The rows of a step: where they belong, and which of them are asked for.

use crate::attention::Run;
use crate::cache::{Cache, PageId};
use crate::model::Chunk;

/// Where one row of a step belongs.
pub(crate) struct Row {
    pub(crate) table: usize,
    pub(crate) position: usize,
}

/// What all layers of a step share.
#[derive(Default)]
pub(crate) struct Step {
    /// The pages of each sequence.
    pub(crate) tables: Vec<Vec<PageId>>,
    pub(crate) rows: Vec<Row>,
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
}

impl Step {
    /// The rows, by sequences.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let rows = self.rows.iter().enumerate();
        rows.fold(Vec::new(), |mut runs: Vec<Run>, (i, &Row { table, position })| {
            match runs.last_mut().filter(|run| run.table == table) {
                Some(run) => run.rows.end = i + 1,
                None => runs.push(Run { table, rows: i..i + 1, from: position }),
            }
            runs
        })
    }
}

/// After how many of its last tokens a piece wants to know what follows.
pub(crate) fn rows_wanted(cache: &Cache, chunk: &Chunk<'_>) -> usize {
    if chunk.wants_logits { 1 + cache.guessed(chunk.slot) } else { 0 }
}

/// The last rows of all pieces. Pieces say how many rows they have, and how many of the last are wanted.
pub(crate) fn wanted(pieces: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let (mut last, mut end) = (Vec::new(), 0);
    for (rows, wants) in pieces {
        end += rows;
        last.extend(end - wants.min(rows)..end);
    }
    last
}

/// The rows of `x` that are named, side by side.
pub(crate) fn picked(rows: &[usize], hidden: usize, x: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows.len() * hidden);
    rows.iter().for_each(|row| out.extend_from_slice(&x[row * hidden..(row + 1) * hidden]));
    out
}

/// The tokens of all pieces, side by side.
pub(crate) fn tokens_of(chunks: &[Chunk<'_>]) -> Vec<u32> {
    chunks.iter().flat_map(|chunk| chunk.tokens).copied().collect()
}
