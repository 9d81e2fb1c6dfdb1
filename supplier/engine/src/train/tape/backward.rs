//! Gradients along the tape, from its end to its beginning.

use super::activation::gelu_back;
use super::attention::{self, Flows};
use super::norm::{layer_back, rms_back};
use super::{At, Step, Tape};
use crate::train::product::{Size, View, product};
use crate::train::weights::{WeightId, Weights};

impl Tape {
    /// Adds to the weights' gradients what the values with a gradient say, and forgets all steps.
    pub fn backward(&mut self, weights: &mut Weights) {
        while let Some(step) = self.steps.pop() {
            let at = At(self.steps.len());
            let flow = std::mem::take(&mut self.gradients[at.0]);
            if !flow.is_empty() {
                self.undo(step, at, &flow, weights);
            }
            let value = std::mem::take(&mut self.values[at.0]);
            self.spare.extend([flow, value].into_iter().filter(|buffer| buffer.capacity() > 0));
        }
        self.clear();
    }

    fn undo(&mut self, step: Step, at: At, flow: &[f32], weights: &mut Weights) {
        let width = self.width(at);
        match step {
            Step::Embed { table, tokens } => {
                let to = &mut weights.get_mut(table).gradient;
                for (flow, token) in flow.chunks_exact(width).zip(&tokens) {
                    add(&mut to[*token as usize * width..][..width], flow);
                }
            }
            Step::Linear { x, weight, bias } => {
                self.undo_linear(x, weight, flow, weights);
                if let Some(bias) = bias {
                    let to = &mut weights.get_mut(bias).gradient;
                    flow.chunks_exact(width).for_each(|flow| add(to, flow));
                }
            }
            Step::RmsNorm { x, weight, scales } => self.undo_rms(x, weight, &scales, flow, weights),
            Step::LayerNorm { x, weight, bias, unit, scales } => {
                self.undo_layer(x, (weight, bias), &unit, &scales, flow, weights);
            }
            Step::Rotate { x, heads, angles } => {
                let mut turned = flow.to_vec();
                angles.turn(&mut turned, heads, true);
                add(self.flow_of(x), &turned);
            }
            Step::Attend { q, k, v, heads, ends, shares } => {
                let mut flows = [q, k, v].map(|at| self.take_flow(at));
                let [to_q, to_k, to_v] = &mut flows;
                let (qs, ks, vs) = (self.value(q), self.value(k), self.value(v));
                let mut to = Flows { q: to_q, k: to_k, v: to_v };
                attention::back(heads, &ends, &shares, (qs, ks, vs), flow, &mut to);
                [q, k, v].into_iter().zip(flows).for_each(|(at, flow)| self.gradients[at.0] = flow);
                self.spare.push(shares);
            }
            Step::Gate { gate, up, sigmoid } => self.undo_gate(gate, up, sigmoid, flow),
            Step::Gelu { x, below } => {
                let mut to = self.take_flow(x);
                gelu_back(self.value(x), &below, flow, &mut to);
                self.gradients[x.0] = to;
            }
            Step::Tanh { x } => {
                let mut to = self.take_flow(x);
                let pairs = self.value(at).iter().zip(flow);
                to.iter_mut().zip(pairs).for_each(|(to, (y, flow))| *to += flow * (1.0 - y * y));
                self.gradients[x.0] = to;
            }
            Step::Add { a, b } => {
                add(self.flow_of(a), flow);
                add(self.flow_of(b), flow);
            }
            Step::Pick { x, rows } => {
                let to = self.flow_of(x);
                for (flow, row) in flow.chunks_exact(width).zip(&rows) {
                    add(&mut to[*row as usize * width..][..width], flow);
                }
            }
        }
    }

    /// The gradient of a value, taken out: nothing at first.
    fn take_flow(&mut self, at: At) -> Vec<f32> {
        let flow = std::mem::take(&mut self.gradients[at.0]);
        if flow.is_empty() { self.buffer(self.values[at.0].len()) } else { flow }
    }

    fn flow_of(&mut self, at: At) -> &mut [f32] {
        self.gradients[at.0] = self.take_flow(at);
        &mut self.gradients[at.0]
    }

    fn undo_linear(&mut self, x: At, weight: WeightId, flow: &[f32], weights: &mut Weights) {
        let mut to = self.take_flow(x);
        let (rows, k) = (self.rows(x), self.width(x));
        let matrix = weights.get_mut(weight);
        let n = matrix.rows;
        let (left, right) = (View::rows(flow, n), View::rows(&matrix.values, k));
        product(&mut self.panels, Size { m: rows, n: k, k: n }, left, right, &mut to, true);
        self.gradients[x.0] = to;
        let (left, right) = (View::columns(flow, n), View::rows(&self.values[x.0], k));
        let size = Size { m: n, n: k, k: rows };
        product(&mut self.panels, size, left, right, &mut matrix.gradient, true);
    }

    fn undo_rms(
        &mut self,
        x: At,
        weight: WeightId,
        scales: &[f32],
        flow: &[f32],
        weights: &mut Weights,
    ) {
        let mut to = self.take_flow(x);
        let width = self.width(x);
        let matrix = weights.get_mut(weight);
        let rows = self.values[x.0].chunks_exact(width).zip(to.chunks_exact_mut(width));
        for ((row, to), (flow, scale)) in rows.zip(flow.chunks_exact(width).zip(scales)) {
            rms_back(row, &matrix.values, *scale, flow, to);
            let pairs = row.iter().zip(flow);
            matrix.gradient.iter_mut().zip(pairs).for_each(|(to, (x, f))| *to += x * scale * f);
        }
        self.gradients[x.0] = to;
    }

    fn undo_layer(
        &mut self,
        x: At,
        (weight, bias): (WeightId, WeightId),
        unit: &[f32],
        scales: &[f32],
        flow: &[f32],
        weights: &mut Weights,
    ) {
        let mut to = self.take_flow(x);
        let width = self.width(x);
        let flows = flow.chunks_exact(width);
        let to_bias = &mut weights.get_mut(bias).gradient;
        flows.clone().for_each(|flow| add(to_bias, flow));
        let matrix = weights.get_mut(weight);
        let rows = unit.chunks_exact(width).zip(to.chunks_exact_mut(width));
        for ((unit, to), (flow, scale)) in rows.zip(flows.zip(scales)) {
            layer_back(unit, &matrix.values, *scale, flow, to);
            let pairs = unit.iter().zip(flow);
            matrix.gradient.iter_mut().zip(pairs).for_each(|(to, (u, f))| *to += u * f);
        }
        self.gradients[x.0] = to;
    }

    fn undo_gate(&mut self, gate: At, up: At, sigmoid: Vec<f32>, flow: &[f32]) {
        let (mut to_gate, mut to_up) = (self.take_flow(gate), self.take_flow(up));
        let (gates, ups) = (self.value(gate), self.value(up));
        let values = flow.iter().zip(&sigmoid).zip(gates.iter().zip(ups));
        for ((to_gate, to_up), ((f, s), (g, u))) in to_gate.iter_mut().zip(&mut to_up).zip(values) {
            *to_up += f * g * s;
            *to_gate += f * u * s * (1.0 + g * (1.0 - s));
        }
        self.gradients[gate.0] = to_gate;
        self.gradients[up.0] = to_up;
        self.spare.push(sigmoid);
    }
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
