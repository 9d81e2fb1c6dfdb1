//! The model as it is trained: a Llama with tied heads, in single precision.

use super::data::Rows;
use super::random::Random;
use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::ops::softmax;

/// The sizes of a model.
#[derive(Clone, Copy, Debug)]
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
pub(super) const NORM_EPSILON: f64 = 1e-6;

/// One layer's weights, by their names in GGUF.
pub(super) struct Layer {
    pub(super) attn_norm: Var,
    pub(super) q: Var,
    pub(super) k: Var,
    pub(super) v: Var,
    pub(super) output: Var,
    pub(super) ffn_norm: Var,
    pub(super) gate: Var,
    pub(super) up: Var,
    pub(super) down: Var,
}

pub(super) struct Network {
    pub(super) shape: Shape,
    pub(super) embedding: Var,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Var,
    device: Device,
}

impl Network {
    pub(super) fn new(shape: Shape, random: &mut Random, device: &Device) -> Result<Network> {
        let (h, f) = (shape.hidden, shape.feed_forward);
        let kv = shape.kv_heads * shape.head();
        let residual = 0.02 / (2.0 * shape.layers as f64).sqrt();
        let mut matrix = |rows: usize, columns: usize, deviation: f64| {
            let values: Vec<f32> =
                (0..rows * columns).map(|_| (random.normal() * deviation) as f32).collect();
            Var::from_tensor(&Tensor::from_vec(values, (rows, columns), device)?)
        };
        let embedding = matrix(shape.vocabulary, h, 0.02)?;
        let ones = || Var::ones(h, DType::F32, device);
        let mut layers = Vec::with_capacity(shape.layers);
        for _ in 0..shape.layers {
            layers.push(Layer {
                attn_norm: ones()?,
                q: matrix(h, h, 0.02)?,
                k: matrix(kv, h, 0.02)?,
                v: matrix(kv, h, 0.02)?,
                output: matrix(h, h, residual)?,
                ffn_norm: ones()?,
                gate: matrix(f, h, 0.02)?,
                up: matrix(f, h, 0.02)?,
                down: matrix(h, f, residual)?,
            });
        }
        Ok(Network { shape, embedding, layers, norm: ones()?, device: device.clone() })
    }

    pub(super) fn variables(&self) -> Vec<Var> {
        let mut all = vec![self.embedding.clone(), self.norm.clone()];
        for l in &self.layers {
            let of_layer =
                [&l.attn_norm, &l.q, &l.k, &l.v, &l.output, &l.ffn_norm, &l.gate, &l.up, &l.down];
            all.extend(of_layer.into_iter().cloned());
        }
        all
    }

    /// The cross entropy of the answers' tokens.
    pub(super) fn loss(&self, rows: &Rows) -> Result<Tensor> {
        let (b, t, h) = (rows.batch, rows.length, self.shape.hidden);
        let tokens = Tensor::from_slice(&rows.tokens, b * t, &self.device)?;
        let mut x = self.embedding.embedding(&tokens)?.reshape((b, t, h))?;
        let (cos, sin) = self.angles(t)?;
        let mask = self.mask(t)?;
        for layer in &self.layers {
            x = (&x + self.attention(layer, &norm(&x, &layer.attn_norm)?, &cos, &sin, &mask)?)?;
            let z = norm(&x, &layer.ffn_norm)?;
            let gated = (linear(&z, &layer.gate)?.silu()? * linear(&z, &layer.up)?)?;
            x = (&x + linear(&gated, &layer.down)?)?;
        }
        let asked = Tensor::from_slice(&rows.asked, rows.asked.len(), &self.device)?;
        let x = norm(&x, &self.norm)?.reshape((b * t, h))?.index_select(&asked, 0)?;
        let answers = Tensor::from_slice(&rows.answers, rows.answers.len(), &self.device)?;
        candle_nn::loss::cross_entropy(&x.matmul(&self.embedding.t()?)?, &answers)
    }

    fn attention(
        &self,
        layer: &Layer,
        z: &Tensor,
        cos: &Tensor,
        sin: &Tensor,
        mask: &Tensor,
    ) -> Result<Tensor> {
        let (b, t, h) = z.dims3()?;
        let Shape { heads, kv_heads, .. } = self.shape;
        let head = self.shape.head();
        let split = |x: Tensor, n: usize| x.reshape((b, t, n, head))?.transpose(1, 2)?.contiguous();
        let rotate = |x: &Tensor| candle_nn::rotary_emb::rope_slow(x, cos, sin);
        let spread = |x: Tensor| {
            x.unsqueeze(2)?
                .expand((b, kv_heads, heads / kv_heads, t, head))?
                .contiguous()?
                .reshape((b, heads, t, head))
        };
        let q = rotate(&split(linear(z, &layer.q)?, heads)?)?;
        let k = spread(rotate(&split(linear(z, &layer.k)?, kv_heads)?)?)?;
        let v = spread(split(linear(z, &layer.v)?, kv_heads)?)?;
        let scores = (q.matmul(&k.t()?)? * (1.0 / (head as f64).sqrt()))?.broadcast_add(mask)?;
        let mixed = softmax(&scores, D::Minus1)?.matmul(&v)?;
        linear(&mixed.transpose(1, 2)?.contiguous()?.reshape((b, t, h))?, &layer.output)
    }

    fn angles(&self, length: usize) -> Result<(Tensor, Tensor)> {
        let half = self.shape.head() / 2;
        let angle = |at: usize| {
            (0..half).map(move |i| at as f32 * ROPE_BASE.powf(-(i as f32) / half as f32))
        };
        let angles: Vec<f32> = (0..length).flat_map(angle).collect();
        let angles = Tensor::from_vec(angles, (length, half), &self.device)?;
        Ok((angles.cos()?, angles.sin()?))
    }

    fn mask(&self, length: usize) -> Result<Tensor> {
        let hidden = |i: usize| if i % length > i / length { -1e9f32 } else { 0.0 };
        let values: Vec<f32> = (0..length * length).map(hidden).collect();
        Tensor::from_vec(values, (length, length), &self.device)
    }
}

fn norm(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mean = (x.sqr()?.mean_keepdim(D::Minus1)? + NORM_EPSILON)?;
    x.broadcast_div(&mean.sqrt()?)?.broadcast_mul(weight)
}

fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (b, t, k) = x.dims3()?;
    x.reshape((b * t, k))?.matmul(&weight.t()?)?.reshape((b, t, ()))
}
