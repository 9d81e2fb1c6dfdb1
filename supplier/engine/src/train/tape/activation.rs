//! Functions of single values, and shares of a whole.

use super::{At, Step, Tape};
use crate::math;

/// Values at once: as many as the widest registers hold.
const LANES: usize = 16;

/// Beyond this an exponential is as good as endless, and less than its inverse as good as nothing.
const EXPONENT_MAX: f32 = 80.0;

/// Turns values into their exponentials.
pub(super) fn exponentials(values: &mut [f32]) {
    for part in values.chunks_mut(LANES) {
        part.iter_mut().for_each(|value| *value = value.min(EXPONENT_MAX));
        math::exponentials(part);
    }
}

/// Turns a row of logits into shares of one.
pub(super) fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    row.iter_mut().for_each(|value| *value -= most);
    exponentials(row);
    let share = 1.0 / sum(row);
    row.iter_mut().for_each(|value| *value *= share);
}

/// The sum of some values, added up in lanes.
pub(super) fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += value);
    }
    lanes.iter().sum::<f32>() + rest
}

/// The sum of products, added up in lanes.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f32>() + rest
}

/// The share of a normal distribution below each value: erf by Abramowitz and Stegun, 7.1.26, which
/// is off by less than 2e-7.
fn normal_below(x: &[f32]) -> Vec<f32> {
    let mut powers: Vec<f32> = x.iter().map(|x| -0.5 * x * x).collect();
    exponentials(&mut powers);
    for (power, x) in powers.iter_mut().zip(x) {
        let size = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * size);
        let series = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
            + 0.254_829_6)
            * t;
        let tail = 0.5 * series * *power;
        *power = if *x < 0.0 { tail } else { 1.0 - tail };
    }
    powers
}

/// The normal distribution's density.
fn density(x: f32) -> f32 {
    0.398_942_3 * (-0.5 * x * x).exp()
}

pub(super) fn gelu_back(x: &[f32], below: &[f32], flow: &[f32], to: &mut [f32]) {
    for (to, ((x, below), flow)) in to.iter_mut().zip(x.iter().zip(below).zip(flow)) {
        *to += flow * (below + x * density(*x));
    }
}

impl Tape {
    /// `silu(gate) * up`.
    pub fn gate(&mut self, gate: At, up: At) -> At {
        let length = self.values[gate.0].len();
        let (mut sigmoid, mut out) = (self.buffer(length), self.buffer(length));
        let (gates, ups) = (&self.values[gate.0], &self.values[up.0]);
        sigmoid.iter_mut().zip(gates).for_each(|(to, gate)| *to = -gate);
        exponentials(&mut sigmoid);
        sigmoid.iter_mut().for_each(|value| *value = 1.0 / (1.0 + *value));
        for (out, (s, (gate, up))) in out.iter_mut().zip(sigmoid.iter().zip(gates.iter().zip(ups)))
        {
            *out = gate * s * up;
        }
        let width = self.width(gate);
        self.push(Step::Gate { gate, up, sigmoid }, out, width)
    }

    /// Each value times the share of a normal distribution below it.
    pub fn gelu(&mut self, x: At) -> At {
        let below = normal_below(&self.values[x.0]);
        let mut out = self.buffer(below.len());
        let pairs = self.values[x.0].iter().zip(&below);
        out.iter_mut().zip(pairs).for_each(|(out, (x, below))| *out = x * below);
        let width = self.width(x);
        self.push(Step::Gelu { x, below }, out, width)
    }

    pub fn tanh(&mut self, x: At) -> At {
        let mut out = self.buffer(self.values[x.0].len());
        out.iter_mut().zip(&self.values[x.0]).for_each(|(out, x)| *out = x.tanh());
        let width = self.width(x);
        self.push(Step::Tanh { x }, out, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_below_is_that_of_the_normal_distribution() {
        let x: Vec<f32> = (-60..=60).map(|i| i as f32 / 10.0).collect();
        for (x, below) in x.iter().zip(normal_below(&x)) {
            let right = 0.5 * libm::erfc(-f64::from(*x) / std::f64::consts::SQRT_2);
            assert!((f64::from(below) - right).abs() < 5e-7, "{x}: {below} for {right}");
        }
    }
}
