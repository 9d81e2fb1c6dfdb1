//! Keys, values and attention of a step in a GPU's memory.

use super::gpu::{Argument, Gpu, Grid, Memory, Place, bytes_of, launch};
use super::program::Kernel;
use super::scratch::{Scratch, Use};
use crate::cache::{PAGE, Pages};
use crate::device::DeviceFault as Fault;
use crate::load::Pairing;
use crate::step::Step;
use std::sync::Arc;

/// Scores that are held at once at most, but for a row that has more: 64 MiB of them.
pub(crate) const SCORES_MAX: usize = 1 << 24;

/// Threads of a block that makes weights of scores.
const SOFTEN_THREADS: usize = 128;

/// Threads of a block that computes scores: four pages of positions.
const SCORE_THREADS: usize = 4 * PAGE;

/// Heads of a layer, and how many of the last positions they see; 0: all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    pub(crate) window: usize,
}

impl Heads {
    fn width(self) -> usize {
        self.kv_heads * self.head
    }

    /// Pages that a row at `position` sees.
    fn span(self, position: usize) -> usize {
        let first = if self.window == 0 { 0 } else { (position + 1).saturating_sub(self.window) };
        position / PAGE - first / PAGE + 1
    }
}

/// Where the rows of a step belong, as kernels read it.
pub(crate) struct Placed {
    positions: Place,
    starts: Place,
    tables: Place,
    cos: Place,
    sin: Place,
    pages: Place,
    /// Pages there are, in each layer.
    all: usize,
    rows: Vec<usize>,
}

impl Placed {
    /// Tells the GPU of a step, and makes sure that there is memory for its pages.
    pub(crate) fn of(
        scratch: &mut Scratch,
        gpu: &Arc<dyn Gpu>,
        pages: &mut Pages,
        step: &Step,
    ) -> Result<Placed, Fault> {
        let (all, pages) = (pages.all(), pages.reserve(gpu)?);
        let (mut starts, mut tables) = (Vec::new(), Vec::new());
        for table in &step.tables {
            starts.push(tables.len() as i32);
            tables.extend(table.iter().map(|page| page.number() as i32));
        }
        let number = |value: i32| value.to_le_bytes();
        let positions = step.rows.iter().flat_map(|row| number(row.position as i32));
        let row_starts = step.rows.iter().flat_map(|row| number(starts[row.table]));
        let mut bytes: Vec<u8> = positions.chain(row_starts).collect();
        bytes.extend(tables.iter().flat_map(|page| number(*page)));
        bytes.extend(bytes_of(&step.cos));
        bytes.extend(bytes_of(&step.sin));
        let said = scratch.piece(gpu, Use::Said, bytes.len())?;
        said.write(0, &bytes)?;
        let count = step.rows.len();
        let at = |floats: usize| said.place().after(floats * 4);
        let angles = 2 * count + tables.len();
        Ok(Placed {
            positions: at(0),
            starts: at(count),
            tables: at(2 * count),
            cos: at(angles),
            sin: at(angles + step.cos.len()),
            pages,
            all,
            rows: step.rows.iter().map(|row| row.position).collect(),
        })
    }

    /// The pages of one layer.
    fn layer(&self, layer: usize, width: usize) -> Place {
        self.pages.after(layer * self.all * 2 * PAGE * width * size_of::<f32>())
    }

    /// Turns queries and keys of all rows to their positions, and puts keys and values into their pages.
    pub(crate) fn place(
        &self,
        gpu: &dyn Gpu,
        layer: usize,
        seen: Heads,
        pairing: Pairing,
        [queries, keys, values]: [Place; 3],
    ) -> Result<(), Fault> {
        let Heads { heads, kv_heads, head, .. } = seen;
        let all = self.rows.len() * (heads + 2 * kv_heads) * (head / 2);
        let (cos, sin, pages) = (self.cos, self.sin, self.layer(layer, seen.width()));
        let (positions, starts, tables) = (self.positions, self.starts, self.tables);
        let (heads, kv_heads, head) = (heads as i32, kv_heads as i32, head as i32);
        let apart = i32::from(pairing == Pairing::Halves);
        launch!(
            gpu,
            Kernel::Place,
            Grid::each(all),
            queries,
            keys,
            values,
            cos,
            sin,
            pages,
            positions,
            starts,
            tables,
            heads,
            kv_heads,
            head,
            apart,
            all as i64
        )
    }

    /// What each head of each row makes of the positions that it sees. As many rows at once as there is room
    /// for scores.
    pub(crate) fn mix(
        &self,
        scratch: &mut Scratch,
        gpu: &Arc<dyn Gpu>,
        layer: usize,
        heads: Heads,
        queries: Place,
        mixed: Place,
    ) -> Result<(), Fault> {
        let pages = self.layer(layer, heads.width());
        let span = self.rows.iter().map(|position| heads.span(*position)).max().unwrap_or(1);
        let each = heads.heads * span * PAGE;
        let rows = (SCORES_MAX / each).clamp(1, self.rows.len().max(1));
        let scores = scratch.floats(gpu, Use::Scores, rows * each)?;
        for from in (0..self.rows.len()).step_by(rows) {
            let some = from..(from + rows).min(self.rows.len());
            self.mix_rows(&**gpu, heads, span, some, [queries, pages, scores, mixed])?;
        }
        Ok(())
    }

    fn mix_rows(
        &self,
        gpu: &dyn Gpu,
        seen: Heads,
        span: usize,
        rows: std::ops::Range<usize>,
        [queries, pages, scores, mixed]: [Place; 4],
    ) -> Result<(), Fault> {
        let (positions, starts, tables) = (self.positions, self.starts, self.tables);
        let Heads { heads, kv_heads, head, window } = seen;
        let scale = 1.0 / (head as f32).sqrt();
        let (warps, all) = (rows.len() * heads * span, rows.len() * heads * head);
        let blocks = (warps * PAGE).div_ceil(SCORE_THREADS);
        let grid = Grid { blocks, threads: SCORE_THREADS };
        let soften = Grid { blocks: rows.len() * heads, threads: SOFTEN_THREADS };
        let (heads, kv_heads, head) = (heads as i32, kv_heads as i32, head as i32);
        let (window, span, from) = (window as i32, span as i32, rows.start as i32);
        launch!(
            gpu,
            Kernel::Score,
            grid,
            queries,
            pages,
            positions,
            starts,
            tables,
            scores,
            heads,
            kv_heads,
            head,
            scale,
            window,
            span,
            from,
            warps as i64
        )?;
        launch!(gpu, Kernel::Soften, soften, scores, positions, heads, window, span, from)?;
        launch!(
            gpu,
            Kernel::Mix,
            Grid::each(all),
            scores,
            pages,
            positions,
            starts,
            tables,
            mixed,
            heads,
            kv_heads,
            head,
            window,
            span,
            from,
            all as i64
        )
    }
}

/// Memory for `pages` pages of `layers` layers.
pub(crate) fn pages_memory(
    gpu: &Arc<dyn Gpu>,
    pages: usize,
    layers: usize,
    width: usize,
) -> Result<Memory, Fault> {
    let bytes = pages * layers * 2 * PAGE * width * size_of::<f32>();
    Memory::new(gpu, bytes, "keys and values")
}
