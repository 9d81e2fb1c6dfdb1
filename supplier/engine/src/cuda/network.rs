//! A step over a batch, on a GPU: the host's `attend`, `feed` and `ending`, operation by operation.

use super::attention::{Heads, Placed, SCORES_MAX};
use super::gpu::{Argument, Gpu, Grid, Memory, Place, bytes_of, launch};
use super::panel::{Activations, embed, product};
use super::program::Kernel;
use super::scratch::{Desk, Scratch, Use};
use crate::cache::Pages;
use crate::device::DeviceFault as Fault;
use crate::load::{Layer, Residual, Shape, Weights};
use crate::step::Step;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads of a block that norms a row.
const NORM_THREADS: usize = 256;

/// Rows of a step, and answers that go on in it, for which there is memory from the start. More take more.
const USUAL_ROWS: usize = 512;
const USUAL_ANSWERS: usize = 16;

/// Weights of norms of one layer. Matrices know themselves where they lie.
struct Norms {
    attention: Memory,
    queries: Option<Memory>,
    keys: Option<Memory>,
    feed: Memory,
}

/// What of a model lies on a GPU beside its matrices.
pub(crate) struct Network {
    gpu: Arc<dyn Gpu>,
    norms: Vec<Norms>,
    last: Option<Memory>,
    scratch: Mutex<Scratch>,
}

impl Network {
    pub(crate) fn new(gpu: Arc<dyn Gpu>, weights: &Weights) -> Result<Network, Fault> {
        let vector = |values: &[f32]| Memory::of(&gpu, &bytes_of(values), "a norm");
        let maybe = |values: &Option<Vec<f32>>| values.as_deref().map(vector).transpose();
        let norms = |layer: &Layer| {
            Ok(Norms {
                attention: vector(&layer.attn_norm)?,
                queries: maybe(&layer.q_norm)?,
                keys: maybe(&layer.k_norm)?,
                feed: vector(&layer.ffn_norm)?,
            })
        };
        let norms = weights.layers.iter().map(norms).collect::<Result<_, _>>()?;
        let last = weights.ends.as_ref().map(|ends| vector(&ends.norm)).transpose()?;
        Ok(Network { gpu, norms, last, scratch: Mutex::default() })
    }

    /// Takes the memory of steps before pages take the rest.
    pub(crate) fn reserve(&self, weights: &Weights) -> Result<(), Fault> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        Desk::of(&mut scratch, &self.gpu, &weights.shape, USUAL_ROWS)?;
        scratch.floats(&self.gpu, Use::Scores, SCORES_MAX)?;
        if weights.ends.is_some() {
            scratch.floats(&self.gpu, Use::Logits, USUAL_ANSWERS * weights.shape.vocabulary)?;
        }
        Ok(())
    }

    pub(crate) fn gpu(&self) -> &Arc<dyn Gpu> {
        &self.gpu
    }

    /// Begins a pass over `rows` rows. One at a time: they share their memory.
    pub(crate) fn pass<'a>(&'a self, weights: &'a Weights, rows: usize) -> Result<Pass<'a>, Fault> {
        // A pass that panicked left numbers behind that nobody reads.
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = Desk::of(&mut scratch, &self.gpu, &weights.shape, rows)?;
        Ok(Pass { network: self, weights, scratch, desk })
    }
}

/// A pass that was begun.
pub(crate) struct Pass<'a> {
    network: &'a Network,
    weights: &'a Weights,
    scratch: MutexGuard<'a, Scratch>,
    desk: Desk,
}

impl Pass<'_> {
    fn gpu(&self) -> &dyn Gpu {
        &*self.network.gpu
    }

    fn shape(&self) -> &Shape {
        &self.weights.shape
    }

    /// Begins with the embeddings of tokens.
    pub(crate) fn enter(&mut self, tokens: &[u32]) -> Result<(), Fault> {
        let Some(ends) = &self.weights.ends else { return Ok(()) };
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
        let said = self.scratch.piece(&self.network.gpu, Use::Said, bytes.len())?;
        said.write(0, &bytes)?;
        embed(&*self.network.gpu, &ends.embedding, said.place(), tokens.len(), self.desk.x)?;
        self.shorten()
    }

    /// Begins with rows that another box computed.
    pub(crate) fn take(&mut self, rows: &[f32]) -> Result<(), Fault> {
        let x = self.scratch.piece(&self.network.gpu, Use::X, rows.len() * 4)?;
        x.write(0, &bytes_of(rows))
    }

    /// Runs all layers that are here.
    pub(crate) fn layers(&mut self, pages: &mut Pages, step: &Step) -> Result<(), Fault> {
        let gpu = self.network.gpu.clone();
        let placed = Placed::of(&mut self.scratch, &gpu, pages, step)?;
        for (i, (layer, norms)) in self.weights.layers.iter().zip(&self.network.norms).enumerate() {
            self.attend(&placed, i, layer, norms)?;
            self.feed(layer, norms)?;
            self.shorten()?;
        }
        Ok(())
    }

    fn attend(&mut self, at: &Placed, i: usize, layer: &Layer, norms: &Norms) -> Result<(), Fault> {
        let Shape { heads, kv_heads, head, hidden, .. } = *self.shape();
        let Desk { rows, x, z, queries, keys, values, mixed, .. } = self.desk;
        self.norm(x, norms.attention.place(), z, rows, hidden)?;
        let normed = self.desk.rows_at(z, hidden);
        normed.round(self.gpu(), &[&layer.q.matrix, &layer.k.matrix, &layer.v.matrix])?;
        for (linear, out) in [(&layer.q, queries), (&layer.k, keys), (&layer.v, values)] {
            product(self.gpu(), &linear.matrix, &normed, None, out)?;
        }
        if let Some(norm) = &norms.queries {
            self.norm(queries, norm.place(), queries, rows * heads, head)?;
        }
        if let Some(norm) = &norms.keys {
            self.norm(keys, norm.place(), keys, rows * kv_heads, head)?;
        }
        let seen = Heads { heads, kv_heads, head, window: layer.window.unwrap_or(0) };
        let pairing = self.shape().rope.pairing;
        at.place(self.gpu(), i, seen, pairing, [queries, keys, values])?;
        at.mix(&mut self.scratch, &self.network.gpu, i, seen, queries, mixed)?;
        let mixed = self.desk.rows_at(mixed, heads * head);
        mixed.round(self.gpu(), &[&layer.output.matrix])?;
        product(self.gpu(), &layer.output.matrix, &mixed, Some(x), x)
    }

    fn feed(&self, layer: &Layer, norms: &Norms) -> Result<(), Fault> {
        let Shape { hidden, feed_forward, .. } = *self.shape();
        let Desk { rows, x, z, gate, up, .. } = self.desk;
        self.norm(x, norms.feed.place(), z, rows, hidden)?;
        let normed = self.desk.rows_at(z, hidden);
        normed.round(self.gpu(), &[&layer.gate.matrix, &layer.up.matrix])?;
        product(self.gpu(), &layer.gate.matrix, &normed, None, gate)?;
        product(self.gpu(), &layer.up.matrix, &normed, None, up)?;
        let gated = self.desk.rows_at(gate, feed_forward);
        gated.gate(self.gpu(), up, &[&layer.down.matrix])?;
        product(self.gpu(), &layer.down.matrix, &gated, Some(x), x)
    }

    fn norm(
        &self,
        x: Place,
        weight: Place,
        y: Place,
        rows: usize,
        width: usize,
    ) -> Result<(), Fault> {
        norm(self.gpu(), [x, weight, y], rows, width, self.shape().epsilon)
    }

    fn shorten(&self) -> Result<(), Fault> {
        match self.weights.part.residual {
            Residual::F32 => Ok(()),
            Residual::Bf16 => {
                let all = self.desk.rows * self.shape().hidden;
                launch!(self.gpu(), Kernel::Shorten, Grid::each(all), self.desk.x, all as i64)
            }
        }
    }

    /// All rows, as the next box needs them.
    pub(crate) fn rows(mut self) -> Result<Vec<f32>, Fault> {
        let count = self.desk.rows * self.shape().hidden;
        self.scratch.piece(&self.network.gpu, Use::X, count * 4)?.floats(count)
    }

    /// The logits after the rows that are named.
    pub(crate) fn logits(mut self, rows: &[usize]) -> Result<Vec<Vec<f32>>, Fault> {
        let Some((ends, norm)) = self.weights.ends.as_ref().zip(self.network.last.as_ref()) else {
            return Ok(Vec::new());
        };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (hidden, vocabulary) = (self.shape().hidden, self.shape().vocabulary);
        let gpu = &self.network.gpu;
        let bytes: Vec<u8> = rows.iter().flat_map(|row| (*row as i32).to_le_bytes()).collect();
        let said = self.scratch.piece(gpu, Use::Said, bytes.len())?;
        said.write(0, &bytes)?;
        let said = said.place();
        let all = rows.len() * hidden;
        let last = self.scratch.floats(gpu, Use::Last, all)?;
        let logits = self.scratch.floats(gpu, Use::Logits, rows.len() * vocabulary)?;
        let Desk { x, z, .. } = self.desk;
        launch!(gpu, Kernel::Pick, Grid::each(all), x, said, last, hidden as i32, all as i64)?;
        self.norm(last, norm.place(), z, rows.len(), hidden)?;
        let normed = Activations { rows: rows.len(), ..self.desk.rows_at(z, hidden) };
        normed.round(&**gpu, &[&ends.head.matrix])?;
        product(&**gpu, &ends.head.matrix, &normed, None, logits)?;
        let count = rows.len() * vocabulary;
        let flat = self.scratch.piece(gpu, Use::Logits, count * 4)?.floats(count)?;
        Ok(flat.chunks_exact(vocabulary).map(<[f32]>::to_vec).collect())
    }
}

/// Norms `rows` rows of `width`: places of the rows, the weights and the result.
pub(crate) fn norm(
    gpu: &dyn Gpu,
    [x, weight, y]: [Place; 3],
    rows: usize,
    width: usize,
    epsilon: f32,
) -> Result<(), Fault> {
    let grid = Grid { blocks: rows, threads: NORM_THREADS };
    launch!(gpu, Kernel::Norm, grid, x, weight, epsilon, y, width as i32)
}
