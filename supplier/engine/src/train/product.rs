//! Products of matrices in single precision, for training: packed panels and one small kernel.
//!
//! The engine's own kernels round activations to eight bits and never look back; training needs
//! gradients. Panels follow Goto and van de Geijn (2008): a strip of the right matrix stays in the
//! first cache, a block of the left one in the second.

/// Rows of one tile of the result.
const ROWS: usize = 12;
/// Columns of one tile: two of the widest registers.
const COLUMNS: usize = 32;
/// How deep a panel is: a strip of columns of that depth fits the first cache.
const DEPTH: usize = 256;
/// Rows of a packed block on the left.
const BLOCK_ROWS: usize = 20 * ROWS;
/// Columns of a packed block on the right.
const BLOCK_COLUMNS: usize = 16 * COLUMNS;

/// A matrix in memory: the value at row `i`, column `j` lies at `i * row + j * column`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> View<'a> {
    /// Rows one after the other, each `width` long.
    pub fn rows(data: &'a [f32], width: usize) -> View<'a> {
        View { data, row: width, column: 1 }
    }

    /// The same, with rows and columns exchanged.
    pub fn columns(data: &'a [f32], width: usize) -> View<'a> {
        View { data, row: 1, column: width }
    }
}

/// Packed panels, kept between products.
#[derive(Default)]
pub struct Panels {
    left: Vec<f32>,
    right: Vec<f32>,
}

/// The sizes of a product: `m` by `k` times `k` by `n`.
#[derive(Clone, Copy)]
pub struct Size {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// `out = left * right`, or with `add` `out += left * right`; `out` has rows of `n`.
pub fn product(
    panels: &mut Panels,
    size: Size,
    left: View<'_>,
    right: View<'_>,
    out: &mut [f32],
    add: bool,
) {
    let Size { m, n, k } = size;
    assert_eq!(out.len(), m * n, "a product of {m} by {n} has as many values");
    for j in (0..n).step_by(BLOCK_COLUMNS) {
        let columns = BLOCK_COLUMNS.min(n - j);
        for l in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - l);
            pack_right(&mut panels.right, right, (l, depth), (j, columns));
            for i in (0..m).step_by(BLOCK_ROWS) {
                let rows = BLOCK_ROWS.min(m - i);
                pack_left(&mut panels.left, left, (i, rows), (l, depth));
                let at = Block { i, rows, j, columns, depth, n, add: add || l > 0 };
                multiply(panels, at, out);
            }
        }
    }
}

/// Strips of `COLUMNS` columns, each a row after the other; what is missing is zero.
fn pack_right(
    to: &mut Vec<f32>,
    from: View<'_>,
    (l, depth): (usize, usize),
    (j, columns): (usize, usize),
) {
    to.resize(columns.next_multiple_of(COLUMNS) * depth, 0.0);
    for (strip, packed) in to.chunks_exact_mut(COLUMNS * depth).enumerate() {
        let first = j + strip * COLUMNS;
        let wide = COLUMNS.min(j + columns - first);
        pack(
            packed,
            COLUMNS,
            wide,
            depth,
            |i, d| (l + d) * from.row + (first + i) * from.column,
            from,
        );
    }
}

/// Strips of `ROWS` rows, each a column after the other.
fn pack_left(
    to: &mut Vec<f32>,
    from: View<'_>,
    (i, rows): (usize, usize),
    (l, depth): (usize, usize),
) {
    to.resize(rows.next_multiple_of(ROWS) * depth, 0.0);
    let turned = View { data: from.data, row: from.column, column: from.row };
    for (strip, packed) in to.chunks_exact_mut(ROWS * depth).enumerate() {
        let first = i + strip * ROWS;
        let wide = ROWS.min(i + rows - first);
        pack(
            packed,
            ROWS,
            wide,
            depth,
            |i, d| (l + d) * turned.row + (first + i) * turned.column,
            turned,
        );
    }
}

fn pack(
    to: &mut [f32],
    width: usize,
    wide: usize,
    depth: usize,
    place: impl Fn(usize, usize) -> usize,
    from: View<'_>,
) {
    if wide < width {
        to.fill(0.0);
    }
    if from.column == 1 {
        for (d, to) in to.chunks_exact_mut(width).enumerate() {
            let at = place(0, d);
            to[..wide].copy_from_slice(&from.data[at..at + wide]);
        }
        return;
    }
    for i in 0..wide {
        let at = place(i, 0);
        let line = from.data[at..].iter().step_by(from.row);
        for (to, value) in to[i..].iter_mut().step_by(width).zip(line.take(depth)) {
            *to = *value;
        }
    }
}

/// Where a packed block belongs.
#[derive(Clone, Copy)]
struct Block {
    i: usize,
    rows: usize,
    j: usize,
    columns: usize,
    depth: usize,
    n: usize,
    add: bool,
}

fn multiply(panels: &Panels, at: Block, out: &mut [f32]) {
    let mut tile = [0.0f32; ROWS * COLUMNS];
    for (t, right) in panels.right.chunks_exact(COLUMNS * at.depth).enumerate() {
        let j = at.j + t * COLUMNS;
        let wide = COLUMNS.min(at.j + at.columns - j);
        for (s, left) in panels.left.chunks_exact(ROWS * at.depth).enumerate() {
            let i = at.i + s * ROWS;
            let high = ROWS.min(at.i + at.rows - i);
            tile_product(left, right, &mut tile);
            for (r, line) in tile.chunks_exact(COLUMNS).take(high).enumerate() {
                let to = &mut out[(i + r) * at.n + j..][..wide];
                if at.add {
                    to.iter_mut().zip(line).for_each(|(to, value)| *to += value);
                } else {
                    to.copy_from_slice(&line[..wide]);
                }
            }
        }
    }
}

/// One tile: the sum over the depth of columns times rows.
fn tile_product(left: &[f32], right: &[f32], tile: &mut [f32; ROWS * COLUMNS]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512F.
        return unsafe { wide::tile_product(left, right, tile) };
    }
    tile.fill(0.0);
    for (left, right) in left.chunks_exact(ROWS).zip(right.chunks_exact(COLUMNS)) {
        for (line, a) in tile.chunks_exact_mut(COLUMNS).zip(left) {
            line.iter_mut().zip(right).for_each(|(to, b)| *to += a * b);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{COLUMNS, ROWS};
    use std::arch::x86_64::*;

    /// # Safety
    /// The processor has AVX-512F.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn tile_product(
        left: &[f32],
        right: &[f32],
        tile: &mut [f32; ROWS * COLUMNS],
    ) {
        let depth = (left.len() / ROWS).min(right.len() / COLUMNS);
        let (left, right) = (left.as_ptr(), right.as_ptr());
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for d in 0..depth {
            // SAFETY: both panels hold `depth` lines, so line `d` is within them.
            unsafe {
                let line = right.add(d * COLUMNS);
                let (b0, b1) = (_mm512_loadu_ps(line), _mm512_loadu_ps(line.add(16)));
                for (r, [s0, s1]) in sums.iter_mut().enumerate() {
                    let a = _mm512_set1_ps(*left.add(d * ROWS + r));
                    *s0 = _mm512_fmadd_ps(a, b0, *s0);
                    *s1 = _mm512_fmadd_ps(a, b1, *s1);
                }
            }
        }
        for (line, [s0, s1]) in tile.chunks_exact_mut(COLUMNS).zip(sums) {
            // SAFETY: a line of a tile has thirty-two values.
            unsafe {
                _mm512_storeu_ps(line.as_mut_ptr(), s0);
                _mm512_storeu_ps(line.as_mut_ptr().add(16), s1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step % 31) as f32 - 15.0) / 8.0).collect()
    }

    #[test]
    fn a_product_is_the_sum_of_products_whatever_its_size_and_layout() {
        let mut panels = Panels::default();
        for (m, n, k) in [(1, 1, 1), (13, 33, 257), (12, 32, 256), (250, 530, 20), (5, 64, 600)] {
            let (a, b) = (numbers(m * k, 7), numbers(k * n, 11));
            for turned in 0..4 {
                let left = if turned & 1 == 0 { View::rows(&a, k) } else { View::columns(&a, m) };
                let right = if turned & 2 == 0 { View::rows(&b, n) } else { View::columns(&b, k) };
                let mut out = vec![1.0; m * n];
                product(&mut panels, Size { m, n, k }, left, right, &mut out, true);
                for (at, got) in out.iter().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let pair =
                        |l| a[i * left.row + l * left.column] * b[l * right.row + j * right.column];
                    let sum: f32 = (0..k).map(pair).sum();
                    assert!((got - 1.0 - sum).abs() < 1e-2, "{m} {n} {k}: {got} for {sum}");
                }
            }
        }
    }
}
