//! How weights follow their gradients.
//!
//! Matrices follow Muon (Jordan and others, 2024): the momentum, made orthogonal by a few steps of
//! Newton and Schulz, so that rare associations move a matrix as much as frequent ones. That is what
//! a model of many facts needs: it learns a fact from fewer sights of it than with Adam. Tables and
//! lines follow AdamW (Loshchilov and Hutter, 2019).

use super::product::{Panels, Size, View, product};
use super::weights::{Role, Weight, Weights};

/// How far old gradients reach, in Muon.
const MOMENTUM: f32 = 0.95;
/// The size of an orthogonal step for each value, as Adam's steps have it (Liu and others, 2025).
const MUON_SIZE: f32 = 0.2;
/// The polynomial of Newton and Schulz's steps, steepened for few steps.
const QUINTIC: [f32; 3] = [3.4445, -4.7750, 2.0315];
const QUINTIC_STEPS: usize = 5;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.98;
const ADAM_EPSILON: f32 = 1e-8;
/// The longest gradient that is followed as it is.
const GRADIENT_MAX: f32 = 1.0;

/// What is remembered of one weight's gradients.
#[derive(Clone, Debug)]
pub struct Moments {
    pub first: Vec<f32>,
    /// Empty where only the first is used.
    pub second: Vec<f32>,
}

/// Moves weights, step by step.
pub struct Optimiser {
    moments: Vec<Moments>,
    step: i32,
    decay: f32,
    panels: Panels,
}

impl Optimiser {
    /// Begins; `decay` draws matrices towards zero.
    pub fn new(weights: &Weights, decay: f32) -> Optimiser {
        let moments = weights.iter().map(|weight| Moments {
            first: vec![0.0; weight.values.len()],
            second: vec![0.0; if weight.role == Role::Matrix { 0 } else { weight.values.len() }],
        });
        Optimiser { moments: moments.collect(), step: 0, decay, panels: Panels::default() }
    }

    /// Goes on after `step` steps with what was remembered.
    pub fn resume(&mut self, step: usize, moments: Vec<Moments>) {
        self.step = step as i32;
        self.moments = moments;
    }

    pub fn moments(&self) -> &[Moments] {
        &self.moments
    }

    /// Moves the weights that have gradients against these, and forgets them.
    pub fn step(&mut self, weights: &mut Weights, rate: f32) {
        self.step += 1;
        let squares: f32 =
            weights.iter().map(|w| w.gradient.iter().map(|g| g * g).sum::<f32>()).sum();
        let shrink = (GRADIENT_MAX / squares.sqrt().max(f32::MIN_POSITIVE)).min(1.0);
        for (weight, moments) in weights.iter_mut().zip(&mut self.moments) {
            if weight.gradient.is_empty() {
                continue;
            }
            weight.gradient.iter_mut().for_each(|gradient| *gradient *= shrink);
            match weight.role {
                Role::Matrix => muon(weight, moments, rate, self.decay, &mut self.panels),
                Role::Table | Role::Line => adam(weight, moments, rate, self.step),
            }
            weight.gradient.clear();
        }
    }
}

fn adam(weight: &mut Weight, moments: &mut Moments, rate: f32, step: i32) {
    let (grown1, grown2) = (1.0 - BETA1.powi(step), 1.0 - BETA2.powi(step));
    let pairs = moments.first.iter_mut().zip(&mut moments.second);
    let values = weight.values.iter_mut().zip(&weight.gradient);
    for ((value, gradient), (first, second)) in values.zip(pairs) {
        *first = BETA1 * *first + (1.0 - BETA1) * gradient;
        *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
        *value -= rate * (*first / grown1) / ((*second / grown2).sqrt() + ADAM_EPSILON);
    }
}

fn muon(weight: &mut Weight, moments: &mut Moments, rate: f32, decay: f32, panels: &mut Panels) {
    let pairs = moments.first.iter_mut().zip(&weight.gradient);
    let ahead: Vec<f32> = pairs
        .map(|(first, gradient)| {
            *first = MOMENTUM * *first + gradient;
            gradient + MOMENTUM * *first
        })
        .collect();
    let step = orthogonal(ahead, weight.rows, weight.width, panels);
    let size = rate * MUON_SIZE * (weight.rows.max(weight.width) as f32).sqrt();
    for (value, step) in weight.values.iter_mut().zip(step) {
        *value -= rate * decay * *value + size * step;
    }
}

/// The matrix with the same directions, all of about the size one.
fn orthogonal(x: Vec<f32>, rows: usize, width: usize, panels: &mut Panels) -> Vec<f32> {
    // The smaller side's square is multiplied.
    let tall = rows > width;
    let (m, n) = if tall { (width, rows) } else { (rows, width) };
    let mut x = if tall { turned(&x, rows, width) } else { x };
    let length = x.iter().map(|x| x * x).sum::<f32>().sqrt() + 1e-7;
    x.iter_mut().for_each(|x| *x /= length);
    let [a, b, c] = QUINTIC;
    let (mut square, mut fourth, mut next) = (vec![0.0; m * m], vec![0.0; m * m], vec![0.0; m * n]);
    for _ in 0..QUINTIC_STEPS {
        let size = Size { m, n: m, k: n };
        product(panels, size, View::rows(&x, n), View::columns(&x, n), &mut square, false);
        let size = Size { m, n: m, k: m };
        product(panels, size, View::rows(&square, m), View::rows(&square, m), &mut fourth, false);
        fourth
            .iter_mut()
            .zip(&square)
            .for_each(|(fourth, square)| *fourth = b * square + c * *fourth);
        next.iter_mut().zip(&x).for_each(|(next, x)| *next = a * x);
        let size = Size { m, n, k: m };
        product(panels, size, View::rows(&fourth, m), View::rows(&x, n), &mut next, true);
        std::mem::swap(&mut x, &mut next);
    }
    if tall { turned(&x, width, rows) } else { x }
}

fn turned(x: &[f32], rows: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    for (i, row) in x.chunks_exact(width).enumerate() {
        out[i..].iter_mut().step_by(rows).zip(row).for_each(|(out, x)| *out = *x);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::random::Random;

    #[test]
    fn an_orthogonal_step_has_every_direction_at_about_the_same_size() {
        let mut random = Random::new(4);
        for (rows, width) in [(24, 40), (40, 24)] {
            let x: Vec<f32> = (0..rows * width).map(|_| random.normal() as f32).collect();
            let step = orthogonal(x, rows, width, &mut Panels::default());
            let total: f32 = step.iter().map(|x| x * x).sum();
            let smaller = rows.min(width) as f32;
            assert!((0.6..1.4).contains(&(total / smaller)), "{total} of {smaller}");
        }
    }

    #[test]
    fn steps_lead_to_where_the_gradient_ends() {
        let mut random = Random::new(4);
        let mut weights = Weights::default();
        let matrix = weights.draw("matrix", Role::Matrix, (4, 6), 1.0, &mut random);
        let line = weights.line("line", 8, 2.0);
        let mut optimiser = Optimiser::new(&weights, 0.0);
        for step in 0..600 {
            for id in [matrix, line] {
                let values = weights.get(id).values.clone();
                weights.get_mut(id).gradient = values;
            }
            optimiser.step(&mut weights, 0.05 * (1.0 - step as f32 / 600.0));
        }
        // What is left is the last steps' size; both began at one or more for each value.
        let squares: f32 =
            weights.iter().flat_map(|weight| &weight.values).map(|value| value * value).sum();
        assert!(squares < 0.05 * weights.count() as f32, "{squares}");
    }
}
