//! Rows of a table, and positions as rotations (Su and others, 2021).

use super::{At, Step, Tape};
use crate::train::weights::{WeightId, Weights};
use std::rc::Rc;

/// By which angles each row's pairs are turned.
pub struct Angles {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Angles {
    /// The angles of `positions` for heads of `head` values.
    pub fn new(positions: impl Iterator<Item = usize>, head: usize, base: f32) -> Angles {
        let half = head / 2;
        let speed: Vec<f32> = (0..half).map(|i| base.powf(-(i as f32) / half as f32)).collect();
        let mut angles = Angles { half, cos: Vec::new(), sin: Vec::new() };
        for position in positions {
            let turned = speed.iter().map(|speed| position as f32 * speed);
            angles.cos.extend(turned.clone().map(f32::cos));
            angles.sin.extend(turned.map(f32::sin));
        }
        angles
    }

    /// Turns neighbouring pairs of all heads; `back` turns them the other way.
    pub(super) fn turn(&self, values: &mut [f32], heads: usize, back: bool) {
        let half = self.half;
        let rows = values.chunks_exact_mut(heads * half * 2);
        let angles = self.cos.chunks_exact(half).zip(self.sin.chunks_exact(half));
        for (row, (cos, sin)) in rows.zip(angles) {
            for pairs in row.chunks_exact_mut(half * 2) {
                for (pair, (cos, sin)) in pairs.chunks_exact_mut(2).zip(cos.iter().zip(sin)) {
                    let sin = if back { -sin } else { *sin };
                    let (a, b) = (pair[0], pair[1]);
                    pair[0] = a * cos - b * sin;
                    pair[1] = a * sin + b * cos;
                }
            }
        }
    }
}

impl Tape {
    /// The rows of `table` that `tokens` name.
    pub fn embed(&mut self, weights: &Weights, table: WeightId, tokens: &[u32]) -> At {
        let matrix = weights.get(table);
        let width = matrix.width;
        let mut out = self.buffer(tokens.len() * width);
        for (out, token) in out.chunks_exact_mut(width).zip(tokens) {
            out.copy_from_slice(&matrix.values[*token as usize * width..][..width]);
        }
        self.push(Step::Embed { table, tokens: tokens.to_vec() }, out, width)
    }

    /// Turns each row's heads to its position.
    pub fn rotate(&mut self, x: At, heads: usize, angles: &Rc<Angles>) -> At {
        let mut out = self.buffer(self.values[x.0].len());
        out.copy_from_slice(&self.values[x.0]);
        angles.turn(&mut out, heads, false);
        let width = self.width(x);
        self.push(Step::Rotate { x, heads, angles: angles.clone() }, out, width)
    }
}
