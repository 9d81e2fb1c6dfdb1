//! One step of a model over a batch of pieces of sequences.

use crate::cache::{Cache, Slot};
use crate::load::{self, Layer, LoadError, Shape, Weights};
use crate::math;
use candle_core::quantized::QMatMul;
use candle_core::{DType, Device, Module, Tensor};
use rayon::prelude::*;
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
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("a piece of no tokens")]
    Empty,
    #[error("slot {0:?} is not in use, or twice in one step")]
    Slot(Slot),
    #[error("token {token} is not among the {vocabulary} that the model knows")]
    Token { token: u32, vocabulary: usize },
    #[error("{length} tokens are more than the {context_max} of the context")]
    TooLong { length: usize, context_max: usize },
    #[error("the kernels failed: {0}")]
    Kernel(#[from] candle_core::Error),
}

/// A loaded model. It does not change; sequences live in a [`Cache`].
pub struct Model {
    weights: Weights,
}

/// Where one row of a step belongs.
struct Row {
    slot: Slot,
    position: usize,
}

impl Model {
    /// Loads `model.gguf` from the folder of a model.
    pub fn load(folder: &Path) -> Result<Model, LoadError> {
        load::read(&folder.join("model.gguf")).map(|weights| Model { weights })
    }

    /// Tokens of prompt and answer together, at most.
    pub fn context_max(&self) -> usize {
        self.weights.shape.context
    }

    /// How many tokens the model knows.
    pub fn vocabulary(&self) -> usize {
        self.weights.shape.vocabulary
    }

    /// Room for `slots` sequences.
    pub fn cache(&self, slots: usize) -> Cache {
        Cache::new(slots, self.weights.shape.layers, self.weights.shape.context)
    }

    /// Reads all `chunks` in one pass. Gives, for each that wants them, the logits of what follows.
    pub fn step(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<Option<Vec<f32>>>, StepError> {
        self.check(cache, chunks)?;
        let before: Vec<usize> = chunks.iter().map(|chunk| cache.length(chunk.slot)).collect();
        let outcome = self.run(cache, chunks);
        if outcome.is_err() {
            for (chunk, length) in chunks.iter().zip(before) {
                cache.truncate(chunk.slot, length);
            }
        }
        outcome
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
            let (length, context_max) =
                (cache.length(chunk.slot) + chunk.tokens.len(), self.context_max());
            if length > context_max {
                return Err(StepError::TooLong { length, context_max });
            }
        }
        Ok(())
    }

    fn run(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<Option<Vec<f32>>>, StepError> {
        let rows: Vec<Row> = chunks
            .iter()
            .flat_map(|chunk| {
                let (slot, from) = (chunk.slot, cache.length(chunk.slot));
                (0..chunk.tokens.len()).map(move |i| Row { slot, position: from + i })
            })
            .collect();
        let mut x = self.embed(chunks)?;
        for (i, layer) in self.weights.layers.iter().enumerate() {
            self.attend(cache, i, layer, &rows, &mut x)?;
            self.feed(layer, &mut x)?;
        }
        for chunk in chunks {
            cache.grow(chunk.slot, chunk.tokens.len());
        }
        self.logits(chunks, &x)
    }

    fn embed(&self, chunks: &[Chunk<'_>]) -> Result<Vec<f32>, StepError> {
        let tokens: Vec<u32> = chunks.iter().flat_map(|chunk| chunk.tokens).copied().collect();
        let tokens = Tensor::new(tokens, &Device::Cpu)?;
        Ok(flat(&self.weights.embedding.embedding(&tokens)?.to_dtype(DType::F32)?)?)
    }

    fn attend(
        &self,
        cache: &mut Cache,
        index: usize,
        layer: &Layer,
        rows: &[Row],
        x: &mut [f32],
    ) -> Result<(), StepError> {
        let Shape { heads, kv_heads, head, epsilon, .. } = self.weights.shape;
        let z = tensor(math::norm(x, &layer.attn_norm, epsilon), rows.len())?;
        let (mut q, mut k) = (product(&layer.q, &z)?, product(&layer.k, &z)?);
        let v = product(&layer.v, &z)?;
        for (i, row) in rows.iter().enumerate() {
            let angles = row.position * head / 2..(row.position + 1) * head / 2;
            let (cos, sin) = (&self.weights.cos[angles.clone()], &self.weights.sin[angles]);
            let queries = q[i * heads * head..(i + 1) * heads * head].chunks_exact_mut(head);
            let keys = k[i * kv_heads * head..(i + 1) * kv_heads * head].chunks_exact_mut(head);
            queries.chain(keys).for_each(|part| math::rotate(part, cos, sin));
            let kept = i * kv_heads * head..(i + 1) * kv_heads * head;
            cache.append(row.slot, index, &k[kept.clone()], &v[kept]);
        }
        let mut mixed = vec![0f32; rows.len() * heads * head];
        let cache = &*cache;
        mixed.par_chunks_exact_mut(head).enumerate().for_each(|(i, out)| {
            let (row, query) = (&rows[i / heads], &q[i * head..(i + 1) * head]);
            let kv_head = i % heads / (heads / kv_heads);
            let past = cache.layer(row.slot, index);
            mix(query, &past.keys, &past.values, row.position, kv_heads, kv_head, out);
        });
        add(x, &product(&layer.output, &tensor(mixed, rows.len())?)?);
        Ok(())
    }

    fn feed(&self, layer: &Layer, x: &mut [f32]) -> Result<(), StepError> {
        let rows = x.len() / self.weights.shape.hidden;
        let z = tensor(math::norm(x, &layer.ffn_norm, self.weights.shape.epsilon), rows)?;
        let gated = math::gated(&product(&layer.gate, &z)?, &product(&layer.up, &z)?);
        add(x, &product(&layer.down, &tensor(gated, rows)?)?);
        Ok(())
    }

    fn logits(&self, chunks: &[Chunk<'_>], x: &[f32]) -> Result<Vec<Option<Vec<f32>>>, StepError> {
        let (hidden, vocabulary) = (self.weights.shape.hidden, self.vocabulary());
        let mut last = Vec::new();
        let mut end = 0;
        for chunk in chunks {
            end += chunk.tokens.len() * hidden;
            if chunk.wants_logits {
                last.extend_from_slice(&x[end - hidden..end]);
            }
        }
        if last.is_empty() {
            return Ok(vec![None; chunks.len()]);
        }
        let rows = last.len() / hidden;
        let last = math::norm(&last, &self.weights.norm, self.weights.shape.epsilon);
        let logits = product(&self.weights.head, &tensor(last, rows)?)?;
        let mut logits = logits.chunks_exact(vocabulary).map(<[f32]>::to_vec);
        let wanted = |chunk: &Chunk<'_>| chunk.wants_logits.then(|| logits.next()).flatten();
        Ok(chunks.iter().map(wanted).collect())
    }
}

/// Attention of one query head over positions `0..=position`.
fn mix(
    query: &[f32],
    keys: &[f32],
    values: &[f32],
    position: usize,
    kv_heads: usize,
    kv_head: usize,
    out: &mut [f32],
) {
    let head = query.len();
    let at = |p: usize| (p * kv_heads + kv_head) * head..(p * kv_heads + kv_head + 1) * head;
    let scale = 1.0 / (head as f32).sqrt();
    let mut weights: Vec<f32> =
        (0..=position).map(|p| math::dot(query, &keys[at(p)]) * scale).collect();
    math::softmax(&mut weights);
    for (p, weight) in weights.iter().enumerate() {
        for (out, value) in out.iter_mut().zip(&values[at(p)]) {
            *out += weight * value;
        }
    }
}

fn tensor(values: Vec<f32>, rows: usize) -> candle_core::Result<Tensor> {
    let columns = values.len() / rows;
    Tensor::from_vec(values, (rows, columns), &Device::Cpu)
}

fn product(matrix: &QMatMul, x: &Tensor) -> candle_core::Result<Vec<f32>> {
    flat(&matrix.forward(x)?)
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
