//! One step of a model over a batch of pieces of sequences.

use crate::attention::{Run, Sizes, attend};
use crate::buffer::Buffer;
use crate::cache::{Cache, PAGE, PageId, Pages, Room, Slot};
use crate::kernel::{Rows, products};
use crate::load::{self, Layer, Linear, LoadError, Pairing, Part, Report, Shape, Weights};
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
    #[error(
        "{guessed} tokens are said to be guessed, but the piece has {tokens}, and the first is known"
    )]
    Guessed { guessed: usize, tokens: usize },
    #[error("this is a part of a model: its {part} of {layers} layers cannot make a step alone")]
    Partial { part: usize, layers: usize },
}

/// A loaded model, or a part of one. It does not change; sequences live in a [`Cache`].
pub struct Model {
    pub(crate) weights: Weights,
    report: Report,
}

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
    rows: Vec<Row>,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Step {
    /// The rows, by sequences.
    fn runs(&self) -> Vec<Run> {
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

impl Model {
    /// Loads the model in a folder: a GGUF file, or safetensors with config.json.
    pub fn load(folder: &Path) -> Result<Model, LoadError> {
        Model::load_part(folder, &Part::whole())
    }

    /// Loads a part of the model in a folder. Weights that do not belong to it are not touched.
    pub fn load_part(folder: &Path, part: &Part) -> Result<Model, LoadError> {
        load::read(folder, part).map(|(weights, report)| Model { weights, report })
    }

    /// Which part of the model this is.
    pub fn part(&self) -> &Part {
        &self.weights.part
    }

    /// Numbers in one row of what flows from layer to layer.
    pub fn hidden(&self) -> usize {
        self.weights.shape.hidden
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
        self.weights.layers.len() * 2 * PAGE * shape.kv_width() * size_of::<f32>()
    }

    /// Room for `slots` sequences, each as long as the context.
    pub fn cache(&self, slots: usize) -> Cache {
        let pages = slots.saturating_mul(self.context_max().div_ceil(PAGE));
        self.cache_of(Room { sequences: slots, pages })
    }

    /// A cache with `room`.
    pub fn cache_of(&self, room: Room) -> Cache {
        let shape = &self.weights.shape;
        Cache::new(room, self.weights.layers.len(), shape.kept(), shape.context)
    }

    /// Reads all `chunks` in one pass. Gives, for each that wants them, the logits of what follows.
    pub fn step(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<Option<Vec<f32>>>, StepError> {
        let mut rows = self.rows(cache, chunks)?.into_iter();
        let last = |chunk: &Chunk<'_>| {
            let guessed = cache.guessed(chunk.slot);
            chunk.wants_logits.then(|| rows.nth(guessed)).flatten()
        };
        Ok(chunks.iter().map(last).collect())
    }

    /// Reads all `chunks` in one pass. Gives the logits of what follows those that want them, in their
    /// order; where the end of one is guessed ([`Cache::guess`]), what follows each guess, too.
    pub fn rows(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<Vec<f32>>, StepError> {
        self.check_whole()?;
        self.check(cache, chunks)?;
        Ok(on_a_pool_thread(|| {
            let (_, x) = self.read(cache, chunks);
            let piece = |chunk: &Chunk<'_>| (chunk.tokens.len(), rows_wanted(cache, chunk));
            self.ending(&wanted(chunks.iter().map(piece), self.hidden(), &x))
        }))
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
        self.check_whole()?;
        self.check(cache, &chunk)?;
        Ok(on_a_pool_thread(|| {
            let (_, x) = self.read(cache, &chunk);
            self.ending(&x)
        }))
    }

    /// Reads `chunks` by the embedding and the layers that are here.
    pub(crate) fn read(&self, cache: &mut Cache, chunks: &[Chunk<'_>]) -> (Step, Buffer<f32>) {
        let step = self.begin(cache, chunks);
        let mut x = self.embed(chunks);
        self.layers(cache.pages_mut(), &step, &mut x);
        chunks.iter().for_each(|chunk| cache.publish(chunk.slot));
        (step, x)
    }

    /// All layers that are here, one after the other.
    pub(crate) fn layers(&self, pages: &mut Pages, step: &Step, x: &mut [f32]) {
        for (i, layer) in self.weights.layers.iter().enumerate() {
            self.attend(pages, i, layer, step, x);
            self.feed(layer, x);
            self.weights.part.residual.round(x);
        }
    }

    fn check_whole(&self) -> Result<(), StepError> {
        let (part, layers) = (self.weights.layers.len(), self.weights.shape.layers);
        match self.weights.part.is_whole(layers) {
            true => Ok(()),
            false => Err(StepError::Partial { part, layers }),
        }
    }

    pub(crate) fn check(&self, cache: &Cache, chunks: &[Chunk<'_>]) -> Result<(), StepError> {
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
            let (guessed, tokens) = (cache.guessed(chunk.slot), chunk.tokens.len());
            if guessed >= tokens {
                return Err(StepError::Guessed { guessed, tokens });
            }
        }
        Ok(())
    }

    /// Makes room for all tokens and turns their positions into angles.
    fn begin(&self, cache: &mut Cache, chunks: &[Chunk<'_>]) -> Step {
        let mut step = Step::default();
        for chunk in chunks {
            let from = cache.length(chunk.slot);
            cache.grow(chunk.slot, chunk.tokens);
            self.place(&mut step, cache.table(chunk.slot).to_vec(), from, chunk.tokens.len());
        }
        step
    }

    /// Adds `count` rows of a sequence to a step.
    pub(crate) fn place(&self, step: &mut Step, pages: Vec<PageId>, from: usize, count: usize) {
        for position in from..from + count {
            step.rows.push(Row { table: step.tables.len(), position });
            self.weights.shape.rope.angles(position, &mut step.cos, &mut step.sin);
        }
        step.tables.push(pages);
    }

    fn embed(&self, chunks: &[Chunk<'_>]) -> Buffer<f32> {
        let hidden = self.weights.shape.hidden;
        let tokens: Vec<u32> = chunks.iter().flat_map(|chunk| chunk.tokens).copied().collect();
        let mut x = Buffer::dirty(tokens.len() * hidden);
        let Some(ends) = &self.weights.ends else { return x };
        for (token, row) in tokens.iter().zip(x.chunks_exact_mut(hidden)) {
            ends.embedding.row(*token as usize, row);
        }
        self.weights.part.residual.round(&mut x);
        x
    }

    fn attend(&self, pages: &mut Pages, index: usize, layer: &Layer, step: &Step, x: &mut [f32]) {
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
            let page = step.tables[row.table][row.position / PAGE];
            pages.write(page, index, row.position % PAGE, &k[kept.clone()], &v[kept]);
        }
        let pages = &*pages;
        let page = |table: usize, page: usize, head: usize| {
            pages.head(step.tables[table][page], index, head)
        };
        let sizes = Sizes { heads, kv_heads, head, window: layer.window };
        let mixed = attend(&q, sizes, &step.runs(), page);
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

    /// Logits of rows that all layers have read.
    pub(crate) fn ending(&self, rows: &[f32]) -> Vec<Vec<f32>> {
        let Some(ends) = self.weights.ends.as_ref().filter(|_| !rows.is_empty()) else {
            return Vec::new();
        };
        let last = math::norm(rows, &ends.norm, self.weights.shape.epsilon);
        let [logits] = linears([&ends.head], &Rows::new(last, self.hidden()));
        logits.chunks_exact(self.vocabulary()).map(<[f32]>::to_vec).collect()
    }
}

/// After how many of its last tokens a piece wants to know what follows.
pub(crate) fn rows_wanted(cache: &Cache, chunk: &Chunk<'_>) -> usize {
    if chunk.wants_logits { 1 + cache.guessed(chunk.slot) } else { 0 }
}

/// The last rows of all pieces. Pieces say how many rows they have, and how many of the last are wanted.
pub(crate) fn wanted(
    pieces: impl Iterator<Item = (usize, usize)>,
    hidden: usize,
    x: &[f32],
) -> Vec<f32> {
    let (mut last, mut end) = (Vec::new(), 0);
    for (rows, wants) in pieces {
        end += rows * hidden;
        last.extend_from_slice(&x[end - wants.min(rows) * hidden..end]);
    }
    last
}

/// On a thread of the pool, handing pieces to the others costs least.
pub(crate) fn on_a_pool_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match rayon::current_num_threads() {
        1 => work(),
        _ => rayon::scope(|_| work()),
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
