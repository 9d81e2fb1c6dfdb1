//! Rows brought to one size: by their root mean square, or around their mean.

use super::activation::{dot, sum};
use super::{At, Step, Tape};
use crate::train::weights::{WeightId, Weights};

/// `weight * row / |row|`: what flows back through it, for one row.
pub(super) fn rms_back(x: &[f32], weight: &[f32], scale: f32, flow: &[f32], to: &mut [f32]) {
    let mut along = 0.0;
    for (((x, w), f), _) in x.chunks(16).zip(weight.chunks(16)).zip(flow.chunks(16)).zip(0..) {
        along += x.iter().zip(w).zip(f).map(|((x, w), f)| x * w * f).sum::<f32>();
    }
    let along = along * scale * scale * scale / x.len() as f32;
    for (to, ((x, w), f)) in to.iter_mut().zip(x.iter().zip(weight).zip(flow)) {
        *to += scale * w * f - along * x;
    }
}

/// The same for a row that was brought around zero: `unit` is what it became.
pub(super) fn layer_back(unit: &[f32], weight: &[f32], scale: f32, flow: &[f32], to: &mut [f32]) {
    let n = unit.len() as f32;
    let scaled: Vec<f32> = weight.iter().zip(flow).map(|(w, f)| w * f).collect();
    let (mean, along) = (sum(&scaled) / n, dot(&scaled, unit) / n);
    for (to, (s, u)) in to.iter_mut().zip(scaled.iter().zip(unit)) {
        *to += scale * (s - mean - along * u);
    }
}

impl Tape {
    /// Each row over its root mean square, times `weight`.
    pub fn rms_norm(&mut self, weights: &Weights, x: At, weight: WeightId, epsilon: f32) -> At {
        let width = self.width(x);
        let mut out = self.buffer(self.values[x.0].len());
        let w = &weights.get(weight).values;
        let mut scales = Vec::with_capacity(out.len() / width);
        let rows = self.values[x.0].chunks_exact(width);
        for (out, row) in out.chunks_exact_mut(width).zip(rows) {
            let scale = 1.0 / (dot(row, row) / width as f32 + epsilon).sqrt();
            scales.push(scale);
            let pairs = row.iter().zip(w);
            out.iter_mut().zip(pairs).for_each(|(out, (x, w))| *out = x * scale * w);
        }
        self.push(Step::RmsNorm { x, weight, scales }, out, width)
    }

    /// Each row around its mean, over its deviation, times `weight`, plus `bias`.
    pub fn layer_norm(
        &mut self,
        weights: &Weights,
        x: At,
        (weight, bias): (WeightId, WeightId),
        epsilon: f32,
    ) -> At {
        let width = self.width(x);
        let length = self.values[x.0].len();
        let (mut unit, mut out) = (self.buffer(length), self.buffer(length));
        let (w, b) = (&weights.get(weight).values, &weights.get(bias).values);
        let mut scales = Vec::with_capacity(length / width);
        let rows = self.values[x.0].chunks_exact(width);
        let outs = unit.chunks_exact_mut(width).zip(out.chunks_exact_mut(width));
        for (row, (unit, out)) in rows.zip(outs) {
            let mean = sum(row) / width as f32;
            unit.iter_mut().zip(row).for_each(|(unit, x)| *unit = x - mean);
            let scale = 1.0 / (dot(unit, unit) / width as f32 + epsilon).sqrt();
            scales.push(scale);
            for ((out, unit), (w, b)) in out.iter_mut().zip(unit).zip(w.iter().zip(b)) {
                *unit *= scale;
                *out = *unit * w + b;
            }
        }
        self.push(Step::LayerNorm { x, weight, bias, unit, scales }, out, width)
    }
}
