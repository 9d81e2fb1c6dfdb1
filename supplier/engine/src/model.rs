//! One step of a model over a batch of pieces of sequences.

use crate::attention::{Past, attend};
use crate::buffer::Buffer;
use crate::cache::{Cache, PAGE, Room, Slot};
use crate::kernel::{Rows, products};
use crate::load::{self, Layer, Linear, LoadError, Pairing, Report, Shape, Weights};
use crate::math;
use std::collections::BTreeSet;
use std::path::Path;

/// The next tokens of one sequence: a piece of its prompt, or the one token that was chosen last.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    pub slot: Slot,
    pub tokens: &'a [u32],
    /// Whether what follows the last of these tokens is asked for.
    pub wants_logits: bool,
}

/// Why a step was not made. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("a piece of no tokens")]
    Empty,
    #[error("slot {0:?} is not in use, or twice in one step")]
    Slot(Slot),
    #[error("token {token} is not among the {vocabulary} that the model knows")]
    Token { token: u32, vocabulary: usize },
    #[error("{length} tokens are more than the {length_max} that the sequence was taken for")]
    TooLong { length: usize, length_max: usize },
}

/// A loaded model. It does not change; sequences live in a [`Cache`].
pub struct Model {
    weights: Weights,
    report: Report,
}

/// Where one row of a step belongs.
struct Row {
    slot: Slot,
    position: usize,
}

/// What all layers of a step share.
struct Step {
    rows: Vec<Row>,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Model {
    /// Loads the model in a folder: a GGUF file, or safetensors with config.json.
    pub fn load(folder: &Path) -> Result<Model, LoadError> {
        load::read(folder).map(|(weights, report)| Model { weights, report })
    }

    /// What was loaded, and how it is run.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Tokens of prompt and answer together, at most.
    pub fn context_max(&self) -> usize {
        self.weights.shape.context
    }

    /// How many tokens the model knows.
    pub fn vocabulary(&self) -> usize {
        self.weights.shape.vocabulary
    }

    /// Bytes that one page of a cache takes.
    pub fn page_bytes(&self) -> usize {
        let shape = &self.weights.shape;
        shape.layers * 2 * PAGE * shape.kv_width() * size_of::<f32>()
    }

    /// Room for `slots` sequences, each as long as the context.
    pub fn cache(&self, slots: usize) -> Cache {
        let pages = slots.saturating_mul(self.context_max().div_ceil(PAGE));
        self.cache_of(Room { sequences: slots, pages })
    }

    /// A cache with `room`.
    pub fn cache_of(&self, room: Room) -> Cache {
        let shape = &self.weights.shape;
        Cache::new(room, shape.layers, shape.kv_width(), shape.context)
    }

    /// Reads all `chunks` in one pass. Gives, for each that wants them, the logits of what follows.
    pub fn step(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<Option<Vec<f32>>>, StepError> {
        self.check(cache, chunks)?;
        if rayon::current_num_threads() == 1 {
            return Ok(self.run(cache, chunks));
        }
        // On a thread of the pool, handing pieces to the others costs least.
        Ok(rayon::scope(|_| self.run(cache, chunks)))
    }

    /// Reads `tokens` of one sequence in one pass. Gives the logits of what follows each of them, as
    /// single steps would have: how an answer that is known is read again.
    pub fn follow(
        &self,
        cache: &mut Cache,
        slot: Slot,
        tokens: &[u32],
    ) -> Result<Vec<Vec<f32>>, StepError> {
        let chunk = [Chunk { slot, tokens, wants_logits: true }];
        self.check(cache, &chunk)?;
        let run = |cache: &mut Cache| {
            let x = self.hidden(cache, &chunk);
            self.heads(x.to_vec())
        };
        if rayon::current_num_threads() == 1 {
            return Ok(run(cache));
        }
        Ok(rayon::scope(|_| run(cache)))
    }

    fn run(&self, cache: &mut Cache, chunks: &[Chunk<'_>]) -> Vec<Option<Vec<f32>>> {
        let x = self.hidden(cache, chunks);
        self.logits(chunks, &x)
    }

    /// What the last layer makes of each token.
    fn hidden(&self, cache: &mut Cache, chunks: &[Chunk<'_>]) -> Buffer<f32> {
        let step = self.begin(cache, chunks);
        let mut x = self.embed(chunks);
        for (i, layer) in self.weights.layers.iter().enumerate() {
            self.attend(cache, i, layer, &step, &mut x);
            self.feed(layer, &mut x);
        }
        chunks.iter().for_each(|chunk| cache.publish(chunk.slot));
        x
    }

    fn check(&self, cache: &Cache, chunks: &[Chunk<'_>]) -> Result<(), StepError> {
        let mut seen = BTreeSet::new();
        for chunk in chunks {
            if chunk.tokens.is_empty() {
                return Err(StepError::Empty);
            }
            if !cache.is_taken(chunk.slot) || !seen.insert(chunk.slot) {
                return Err(StepError::Slot(chunk.slot));
            }
            let vocabulary = self.vocabulary();
            if let Some(&token) = chunk.tokens.iter().find(|&&t| t as usize >= vocabulary) {
                return Err(StepError::Token { token, vocabulary });
            }
            let length = cache.length(chunk.slot) + chunk.tokens.len();
            let length_max = cache.length_max(chunk.slot);
            if length > length_max {
                return Err(StepError::TooLong { length, length_max });
            }
        }
        Ok(())
    }

    /// Makes room for all tokens and turns their positions into angles.
    fn begin(&self, cache: &mut Cache, chunks: &[Chunk<'_>]) -> Step {
        let mut step = Step { rows: Vec::new(), cos: Vec::new(), sin: Vec::new() };
        for chunk in chunks {
            let from = cache.length(chunk.slot);
            for position in from..from + chunk.tokens.len() {
                step.rows.push(Row { slot: chunk.slot, position });
                self.weights.shape.rope.angles(position, &mut step.cos, &mut step.sin);
            }
            cache.grow(chunk.slot, chunk.tokens);
        }
        step
    }

    fn embed(&self, chunks: &[Chunk<'_>]) -> Buffer<f32> {
        let hidden = self.weights.shape.hidden;
        let tokens: Vec<u32> = chunks.iter().flat_map(|chunk| chunk.tokens).copied().collect();
        let mut x = Buffer::dirty(tokens.len() * hidden);
        for (token, row) in tokens.iter().zip(x.chunks_exact_mut(hidden)) {
            self.weights.embedding.row(*token as usize, row);
        }
        x
    }

    fn attend(&self, cache: &mut Cache, index: usize, layer: &Layer, step: &Step, x: &mut [f32]) {
        let shape = &self.weights.shape;
        let Shape { heads, kv_heads, head, hidden, epsilon, .. } = *shape;
        let z = Rows::new(math::norm(x, &layer.attn_norm, epsilon), hidden);
        let [mut q, mut k, v] = linears([&layer.q, &layer.k, &layer.v], &z);
        if let Some(norm) = &layer.q_norm {
            q = math::norm(&q, norm, epsilon);
        }
        if let Some(norm) = &layer.k_norm {
            k = math::norm(&k, norm, epsilon);
        }
        self.rotate(step, &mut q, heads);
        self.rotate(step, &mut k, kv_heads);
        let width = shape.kv_width();
        for (i, row) in step.rows.iter().enumerate() {
            let kept = i * width..(i + 1) * width;
            cache.write(row.slot, index, row.position, &k[kept.clone()], &v[kept]);
        }
        let cache = &*cache;
        let past = |i: usize| {
            let row = &step.rows[i];
            let from = layer.window.map_or(0, |window| (row.position + 1).saturating_sub(window));
            Past { positions: from..row.position + 1, page: cache.layer(row.slot, index) }
        };
        let mixed = attend(&q, heads, kv_heads, head, past);
        let [out] = linears([&layer.output], &Rows::new(mixed, heads * head));
        add(x, &out);
    }

    /// Turns all heads of each row to its position.
    fn rotate(&self, step: &Step, values: &mut [f32], heads: usize) {
        let head = self.weights.shape.head;
        let turn = match self.weights.shape.rope.pairing {
            Pairing::Neighbours => math::rotate,
            Pairing::Halves => math::rotate_halves,
        };
        let angles = step.cos.chunks_exact(head / 2).zip(step.sin.chunks_exact(head / 2));
        for (row, (cos, sin)) in values.chunks_exact_mut(heads * head).zip(angles) {
            row.chunks_exact_mut(head).for_each(|part| turn(part, cos, sin));
        }
    }

    fn feed(&self, layer: &Layer, x: &mut [f32]) {
        let Shape { hidden, feed_forward, epsilon, .. } = self.weights.shape;
        let z = Rows::new(math::norm(x, &layer.ffn_norm, epsilon), hidden);
        let [gate, up] = linears([&layer.gate, &layer.up], &z);
        let gated = Rows::new(math::gated(gate, &up), feed_forward);
        let [down] = linears([&layer.down], &gated);
        add(x, &down);
    }

    fn logits(&self, chunks: &[Chunk<'_>], x: &[f32]) -> Vec<Option<Vec<f32>>> {
        let hidden = self.weights.shape.hidden;
        let mut last = Vec::new();
        let mut end = 0;
        for chunk in chunks {
            end += chunk.tokens.len() * hidden;
            if chunk.wants_logits {
                last.extend_from_slice(&x[end - hidden..end]);
            }
        }
        if last.is_empty() {
            return vec![None; chunks.len()];
        }
        let mut logits = self.heads(last).into_iter();
        let wanted = |chunk: &Chunk<'_>| chunk.wants_logits.then(|| logits.next()).flatten();
        chunks.iter().map(wanted).collect()
    }

    /// The logits that follow each row of the last layer.
    fn heads(&self, rows: Vec<f32>) -> Vec<Vec<f32>> {
        let rows = math::norm(&rows, &self.weights.norm, self.weights.shape.epsilon);
        let [logits] = linears([&self.weights.head], &Rows::new(rows, self.weights.shape.hidden));
        logits.chunks_exact(self.vocabulary()).map(<[f32]>::to_vec).collect()
    }
}

/// What several matrices make of the same rows.
fn linears<const N: usize>(linears: [&Linear; N], rows: &Rows) -> [Buffer<f32>; N] {
    let matrices = linears.map(|linear| &*linear.matrix);
    let mut outs = products(&matrices, rows).into_iter();
    linears.map(|linear| {
        let mut out = outs.next().expect("there is a product for each matrix");
        if let Some(bias) = &linear.bias {
            out.chunks_exact_mut(bias.len()).for_each(|row| add(row, bias));
        }
        out
    })
}

fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
