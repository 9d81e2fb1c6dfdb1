//! Attention within each text, of several heads that may share keys and values.

use super::activation::{dot, exponentials, sum};
use super::{At, Step, Tape};
use std::rc::Rc;

/// How many heads there are, and what they see.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    pub heads: usize,
    pub kv_heads: usize,
    /// Values of one head.
    pub head: usize,
    /// Whether a row sees only itself and what stands before it.
    pub causal: bool,
}

impl Heads {
    fn scale(&self) -> f32 {
        1.0 / (self.head as f32).sqrt()
    }

    /// How many of `rows` rows the row `i` sees.
    fn seen(&self, i: usize, rows: usize) -> usize {
        if self.causal { i + 1 } else { rows }
    }

    /// Each text's first row and length, with each head and where its shares begin.
    fn each(&self, ends: &[usize], mut visit: impl FnMut(Place)) {
        let (mut from, mut shares) = (0, 0);
        for &end in ends {
            for h in 0..self.heads {
                let kv = h * self.kv_heads / self.heads;
                visit(Place {
                    from,
                    rows: end - from,
                    shares,
                    q: h * self.head,
                    kv: kv * self.head,
                });
                shares += (end - from) * (end - from);
            }
            from = end;
        }
    }

    fn q_width(&self) -> usize {
        self.heads * self.head
    }

    fn kv_width(&self) -> usize {
        self.kv_heads * self.head
    }
}

/// One head within one text.
struct Place {
    from: usize,
    rows: usize,
    shares: usize,
    q: usize,
    kv: usize,
}

/// What flows back into queries, keys and values.
pub(super) struct Flows<'a> {
    pub(super) q: &'a mut [f32],
    pub(super) k: &'a mut [f32],
    pub(super) v: &'a mut [f32],
}

pub(super) fn back(
    heads: Heads,
    ends: &[usize],
    shares: &[f32],
    (q, k, v): (&[f32], &[f32], &[f32]),
    flow: &[f32],
    to: &mut Flows<'_>,
) {
    let (head, wide, narrow, scale) =
        (heads.head, heads.q_width(), heads.kv_width(), heads.scale());
    let mut line = Vec::new();
    heads.each(ends, |at| {
        for i in 0..at.rows {
            let seen = heads.seen(i, at.rows);
            let shares = &shares[at.shares + i * at.rows..][..seen];
            let mine = (at.from + i) * wide + at.q;
            let flow = &flow[mine..][..head];
            let other = |j: usize| (at.from + j) * narrow + at.kv;
            line.clear();
            line.extend((0..seen).map(|j| dot(flow, &v[other(j)..][..head])));
            let mean = dot(&line, shares);
            for (j, (down, share)) in line.iter().zip(shares).enumerate() {
                let down = share * (down - mean) * scale;
                let there = other(j);
                axpy(*share, flow, &mut to.v[there..][..head]);
                axpy(down, &k[there..][..head], &mut to.q[mine..][..head]);
                axpy(down, &q[mine..][..head], &mut to.k[there..][..head]);
            }
        }
    });
}

fn axpy(factor: f32, x: &[f32], to: &mut [f32]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += factor * x);
}

impl Tape {
    /// What each row's heads make of the rows of its text; texts end before the rows `ends`.
    pub fn attend(&mut self, (q, k, v): (At, At, At), heads: Heads, ends: &Rc<Vec<usize>>) -> At {
        let (head, wide, narrow, scale) =
            (heads.head, heads.q_width(), heads.kv_width(), heads.scale());
        let mut out = self.buffer(self.values[q.0].len());
        let mut count = 0;
        heads.each(ends, |at| count += at.rows * at.rows);
        let mut shares = self.buffer(count);
        let (qs, ks, vs) = (&self.values[q.0], &self.values[k.0], &self.values[v.0]);
        heads.each(ends, |at| {
            let other = |j: usize| (at.from + j) * narrow + at.kv;
            let block = &mut shares[at.shares..][..at.rows * at.rows];
            for (i, line) in block.chunks_exact_mut(at.rows).enumerate() {
                let seen = heads.seen(i, at.rows);
                let query = &qs[(at.from + i) * wide + at.q..][..head];
                for (j, score) in line[..seen].iter_mut().enumerate() {
                    *score = dot(query, &ks[other(j)..][..head]) * scale;
                }
                let most = line[..seen].iter().copied().fold(f32::MIN, f32::max);
                line[..seen].iter_mut().for_each(|score| *score -= most);
                line[seen..].fill(f32::MIN);
            }
            exponentials(block);
            for (i, line) in block.chunks_exact_mut(at.rows).enumerate() {
                let whole = 1.0 / sum(line);
                line.iter_mut().for_each(|share| *share *= whole);
                let out = &mut out[(at.from + i) * wide + at.q..][..head];
                for (j, share) in line[..heads.seen(i, at.rows)].iter().enumerate() {
                    axpy(*share, &vs[other(j)..][..head], out);
                }
            }
        });
        self.push(Step::Attend { q, k, v, heads, ends: ends.clone(), shares }, out, wide)
    }
}
