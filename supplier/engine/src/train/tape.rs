//! Networks that learn: steps are written down as they are made, and gradients flow back along them.
//!
//! All values are rows side by side. A step knows how to be made and how to be undone; the few
//! kinds here are those of Llama and BERT. There is no padding: rows of several texts lie one after
//! the other, and only attention knows where a text ends.

mod activation;
mod attention;
mod backward;
mod embedding;
mod norm;

pub use attention::Heads;
pub use embedding::Angles;

use super::product::{Panels, Size, View, product};
use super::weights::{WeightId, Weights};
use std::rc::Rc;

/// A value on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(usize);

/// What made a value, and what its gradient needs.
enum Step {
    Embed { table: WeightId, tokens: Vec<u32> },
    Linear { x: At, weight: WeightId, bias: Option<WeightId> },
    RmsNorm { x: At, weight: WeightId, scales: Vec<f32> },
    LayerNorm { x: At, weight: WeightId, bias: WeightId, unit: Vec<f32>, scales: Vec<f32> },
    Rotate { x: At, heads: usize, angles: Rc<Angles> },
    Attend { q: At, k: At, v: At, heads: Heads, ends: Rc<Vec<usize>>, shares: Vec<f32> },
    Gate { gate: At, up: At, sigmoid: Vec<f32> },
    Gelu { x: At, below: Vec<f32> },
    Tanh { x: At },
    Add { a: At, b: At },
    Pick { x: At, rows: Vec<u32> },
}

/// Steps in the order in which they were made.
#[derive(Default)]
pub struct Tape {
    steps: Vec<Step>,
    values: Vec<Vec<f32>>,
    widths: Vec<usize>,
    gradients: Vec<Vec<f32>>,
    spare: Vec<Vec<f32>>,
    panels: Panels,
}

impl Tape {
    /// Forgets all steps and keeps their memory.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.widths.clear();
        let used = self.values.drain(..).chain(self.gradients.drain(..));
        self.spare.extend(used.filter(|buffer| buffer.capacity() > 0));
    }

    /// The numbers of a value, row by row.
    pub fn value(&self, at: At) -> &[f32] {
        &self.values[at.0]
    }

    fn width(&self, at: At) -> usize {
        self.widths[at.0]
    }

    fn rows(&self, at: At) -> usize {
        self.values[at.0].len() / self.widths[at.0]
    }

    fn buffer(&mut self, length: usize) -> Vec<f32> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.resize(length, 0.0);
        buffer
    }

    fn push(&mut self, step: Step, value: Vec<f32>, width: usize) -> At {
        self.steps.push(step);
        self.values.push(value);
        self.widths.push(width);
        self.gradients.push(Vec::new());
        At(self.steps.len() - 1)
    }

    /// `x` times the turned `weight`, and `bias` added to each row.
    pub fn linear(
        &mut self,
        weights: &Weights,
        x: At,
        weight: WeightId,
        bias: Option<WeightId>,
    ) -> At {
        let (rows, k) = (self.rows(x), self.width(x));
        let matrix = weights.get(weight);
        let n = matrix.rows;
        let mut out = self.buffer(rows * n);
        if let Some(bias) = bias {
            let bias = &weights.get(bias).values;
            out.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(bias));
        }
        let (left, right) = (View::rows(&self.values[x.0], k), View::columns(&matrix.values, k));
        product(&mut self.panels, Size { m: rows, n, k }, left, right, &mut out, bias.is_some());
        self.push(Step::Linear { x, weight, bias }, out, n)
    }

    /// The sum of two values.
    pub fn add(&mut self, a: At, b: At) -> At {
        let mut out = self.buffer(self.values[a.0].len());
        let pairs = self.values[a.0].iter().zip(&self.values[b.0]);
        out.iter_mut().zip(pairs).for_each(|(out, (a, b))| *out = a + b);
        self.push(Step::Add { a, b }, out, self.width(a))
    }

    /// Some rows of a value.
    pub fn pick(&mut self, x: At, rows: &[u32]) -> At {
        let width = self.width(x);
        let mut out = self.buffer(rows.len() * width);
        for (out, row) in out.chunks_exact_mut(width).zip(rows) {
            out.copy_from_slice(&self.values[x.0][*row as usize * width..][..width]);
        }
        self.push(Step::Pick { x, rows: rows.to_vec() }, out, width)
    }

    /// The cross entropy of each row of `logits` with the answer that is right, in nats. The mean of
    /// the rows, each with its weight, is what [`Tape::backward`] makes smaller.
    pub fn cross_entropy(&mut self, logits: At, answers: &[u32]) -> Vec<f32> {
        let width = self.width(logits);
        let share = 1.0 / answers.len().max(1) as f32;
        let mut gradient = self.buffer(answers.len() * width);
        gradient.copy_from_slice(&self.values[logits.0]);
        let mut losses = Vec::with_capacity(answers.len());
        for (row, answer) in gradient.chunks_exact_mut(width).zip(answers) {
            activation::softmax(row);
            let right = &mut row[*answer as usize];
            losses.push(-right.max(f32::MIN_POSITIVE).ln());
            *right -= 1.0;
            row.iter_mut().for_each(|value| *value *= share);
        }
        self.gradients[logits.0] = gradient;
        losses
    }
}
