//! What the models of these families are, written down as plainly as possible.

use super::build::{BASE, EPSILON, Spec, Weights, factor};

type Row = Vec<f64>;

/// Logits after all of `tokens`.
pub(crate) fn logits(spec: &Spec, weights: &Weights, tokens: &[u32]) -> Vec<f64> {
    let plain = Plain { spec, weights };
    let embedding = plain.get("model.embed_tokens.weight");
    let wide = |token: &u32| {
        let from = *token as usize * spec.hidden;
        embedding[from..from + spec.hidden].iter().map(|w| f64::from(*w)).collect()
    };
    let mut rows: Vec<Row> = tokens.iter().map(wide).collect();
    for i in 0..spec.layers {
        let attention = plain.attention(i, &rows);
        rows = rows.iter().zip(attention).map(|(x, y)| added(x, &y)).collect();
        rows = rows.iter().map(|x| added(x, &plain.feed(i, x))).collect();
    }
    let last = norm(rows.last().unwrap(), plain.get("model.norm.weight"));
    let head = if spec.tied { "model.embed_tokens.weight" } else { "lm_head.weight" };
    product(plain.get(head), &last)
}

struct Plain<'a> {
    spec: &'a Spec,
    weights: &'a Weights,
}

impl Plain<'_> {
    fn get(&self, name: &str) -> &[f32] {
        &self.weights[name].1
    }

    fn part(&self, layer: usize, name: &str) -> Option<&[f32]> {
        let entry = self.weights.get(&format!("model.layers.{layer}.{name}"));
        entry.map(|(_, values)| values.as_slice())
    }

    fn linear(&self, layer: usize, name: &str, x: &[f64]) -> Row {
        let y = product(self.part(layer, &format!("{name}.weight")).unwrap(), x);
        match self.part(layer, &format!("{name}.bias")) {
            Some(bias) => y.iter().zip(bias).map(|(y, b)| y + f64::from(*b)).collect(),
            None => y,
        }
    }

    /// Heads of queries or keys at a position.
    fn heads(&self, layer: usize, what: &str, x: &[f64], position: usize) -> Vec<Row> {
        let all = self.linear(layer, &format!("self_attn.{what}_proj"), x);
        let one = |head: &[f64]| {
            let head = match self.part(layer, &format!("self_attn.{what}_norm.weight")) {
                Some(weight) => norm(head, weight),
                None => head.to_vec(),
            };
            self.turned(&head, position)
        };
        all.chunks(self.spec.head).map(one).collect()
    }

    fn turned(&self, head: &[f64], position: usize) -> Row {
        let half = head.len() / 2;
        let mut turned = head.to_vec();
        for i in 0..half {
            let speed = f64::from(BASE).powf(-(i as f64) / half as f64);
            let angle = position as f64 * speed / f64::from(factor(self.spec, i));
            let (sin, cos) = angle.sin_cos();
            turned[i] = head[i] * cos - head[i + half] * sin;
            turned[i + half] = head[i] * sin + head[i + half] * cos;
        }
        turned
    }

    fn attention(&self, layer: usize, rows: &[Row]) -> Vec<Row> {
        let weight = self.part(layer, "input_layernorm.weight").unwrap();
        let normed: Vec<Row> = rows.iter().map(|row| norm(row, weight)).collect();
        let keys: Vec<Vec<Row>> =
            normed.iter().enumerate().map(|(p, x)| self.heads(layer, "k", x, p)).collect();
        let values: Vec<Row> =
            normed.iter().map(|x| self.linear(layer, "self_attn.v_proj", x)).collect();
        let one = |(position, x): (usize, &Row)| {
            let queries = self.heads(layer, "q", x, position);
            let first = self.spec.window.map_or(0, |w| (position + 1).saturating_sub(w));
            let mixed = queries.iter().enumerate().flat_map(|(i, query)| {
                let head = i / (self.spec.heads / self.spec.kv_heads);
                self.mixed(query, &keys[first..=position], &values[first..=position], head)
            });
            self.linear(layer, "self_attn.o_proj", &mixed.collect::<Row>())
        };
        normed.iter().enumerate().map(one).collect()
    }

    fn mixed(&self, query: &[f64], keys: &[Vec<Row>], values: &[Row], head: usize) -> Row {
        let size = self.spec.head;
        let score = |keys: &Vec<Row>| {
            let dot: f64 = query.iter().zip(&keys[head]).map(|(q, k)| q * k).sum();
            (dot / (size as f64).sqrt()).exp()
        };
        let scores: Row = keys.iter().map(score).collect();
        let total: f64 = scores.iter().sum();
        (0..size)
            .map(|i| scores.iter().zip(values).map(|(s, v)| s / total * v[head * size + i]).sum())
            .collect()
    }

    fn feed(&self, layer: usize, x: &[f64]) -> Row {
        let x = norm(x, self.part(layer, "post_attention_layernorm.weight").unwrap());
        let gate = self.linear(layer, "mlp.gate_proj", &x);
        let up = self.linear(layer, "mlp.up_proj", &x);
        let gated: Row = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
        self.linear(layer, "mlp.down_proj", &gated)
    }
}

fn product(matrix: &[f32], x: &[f64]) -> Row {
    matrix
        .chunks(x.len())
        .map(|row| row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum())
        .collect()
}

fn norm(x: &[f64], weight: &[f32]) -> Row {
    let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (mean + f64::from(EPSILON)).sqrt();
    x.iter().zip(weight).map(|(x, w)| x * scale * f64::from(*w)).collect()
}

fn added(x: &[f64], y: &[f64]) -> Row {
    x.iter().zip(y).map(|(x, y)| x + y).collect()
}
