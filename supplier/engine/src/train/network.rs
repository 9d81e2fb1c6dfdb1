//! The model as it is trained: a Llama with tied heads, in single precision.

use super::data::Batch;
use super::random::Random;
use super::tape::{Angles, Heads, Tape};
use super::weights::{Role, WeightId, Weights};
use std::rc::Rc;

/// The sizes of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub vocabulary: usize,
    pub hidden: usize,
    pub feed_forward: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub context: usize,
}

impl Shape {
    pub(super) fn head(&self) -> usize {
        self.hidden / self.heads
    }
}

/// The base of the rotary angles.
pub(super) const ROPE_BASE: f32 = 10_000.0;

/// Keeps a norm from dividing by zero.
pub(super) const NORM_EPSILON: f32 = 1e-6;

/// One layer's weights, by their names in GGUF.
struct Layer {
    attn_norm: WeightId,
    q: WeightId,
    k: WeightId,
    v: WeightId,
    output: WeightId,
    ffn_norm: WeightId,
    gate: WeightId,
    up: WeightId,
    down: WeightId,
}

/// What is trained. Weights have the names and the layout that GGUF files give them.
pub(super) struct Network {
    pub(super) shape: Shape,
    pub(super) weights: Weights,
    embedding: WeightId,
    layers: Vec<Layer>,
    norm: WeightId,
}

impl Network {
    pub(super) fn new(shape: Shape, random: &mut Random) -> Network {
        let (h, f, kv) = (shape.hidden, shape.feed_forward, shape.kv_heads * shape.head());
        let mut weights = Weights::default();
        let embedding =
            weights.draw("token_embd.weight", Role::Table, (shape.vocabulary, h), 0.02, random);
        let norm = weights.line("output_norm.weight", h, 1.0);
        let residual = 0.02 / (2.0 * shape.layers as f64).sqrt();
        let layer = |i: usize| {
            let name = |part: &str| format!("blk.{i}.{part}.weight");
            let attn_norm = weights.line(&name("attn_norm"), h, 1.0);
            let ffn_norm = weights.line(&name("ffn_norm"), h, 1.0);
            let mut matrix = |part: &str, rows: usize, width: usize, deviation: f64| {
                weights.draw(&name(part), Role::Matrix, (rows, width), deviation, random)
            };
            Layer {
                attn_norm,
                ffn_norm,
                q: matrix("attn_q", h, h, 0.02),
                k: matrix("attn_k", kv, h, 0.02),
                v: matrix("attn_v", kv, h, 0.02),
                output: matrix("attn_output", h, h, residual),
                gate: matrix("ffn_gate", f, h, 0.02),
                up: matrix("ffn_up", f, h, 0.02),
                down: matrix("ffn_down", h, f, residual),
            }
        };
        let layers = (0..shape.layers).map(layer).collect();
        Network { shape, weights, embedding, layers, norm }
    }

    /// Learns from a batch: leaves gradients, and gives the cross entropy of each token of an answer.
    pub(super) fn learn(&mut self, tape: &mut Tape, batch: &Batch) -> Vec<f32> {
        let Shape { heads, kv_heads, .. } = self.shape;
        let head = self.shape.head();
        let rule = Heads { heads, kv_heads, head, causal: true };
        let angles = Rc::new(Angles::new(batch.positions(), head, ROPE_BASE));
        let ends = Rc::new(batch.ends.clone());
        let asked = &batch.asked;
        let w = &self.weights;
        let mut x = tape.embed(w, self.embedding, &batch.tokens);
        for layer in &self.layers {
            let z = tape.rms_norm(w, x, layer.attn_norm, NORM_EPSILON);
            let [q, k, v] = [layer.q, layer.k, layer.v].map(|id| tape.linear(w, z, id, None));
            let (q, k) = (tape.rotate(q, heads, &angles), tape.rotate(k, kv_heads, &angles));
            let mixed = tape.attend((q, k, v), rule, &ends);
            let out = tape.linear(w, mixed, layer.output, None);
            x = tape.add(x, out);
            let z = tape.rms_norm(w, x, layer.ffn_norm, NORM_EPSILON);
            let [gate, up] = [layer.gate, layer.up].map(|id| tape.linear(w, z, id, None));
            let gated = tape.gate(gate, up);
            let down = tape.linear(w, gated, layer.down, None);
            x = tape.add(x, down);
        }
        let x = tape.pick(x, asked);
        let x = tape.rms_norm(w, x, self.norm, NORM_EPSILON);
        let logits = tape.linear(w, x, self.embedding, None);
        let losses = tape.cross_entropy(logits, &batch.answers);
        tape.backward(&mut self.weights);
        losses
    }
}
