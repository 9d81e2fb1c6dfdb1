//! A fixed vector through every kernel of a GPU, against the processor.

use super::attention::{Heads, Placed};
use super::gpu::{Argument, Gpu, Grid, Memory, bytes_of, launch};
use super::network::norm;
use super::panel::{Activations, Rounded, embed, product, rounded_bytes};
use super::program::Kernel;
use super::scratch::Scratch;
use crate::attention::{Past, attend};
use crate::buffer::Buffer;
use crate::cache::{PAGE, PageId, Pages};
use crate::device::DeviceFault as Fault;
use crate::kernel::check::{COLUMNS, Numbers, ROWS, TEXTS, weights};
use crate::kernel::{Kind, Matrix, Rows, products};
use crate::load::Pairing;
use crate::math;
use crate::step::{Row, Step};
use std::sync::Arc;

/// Rows at once: each width of the kernels, whole and cut.
const BATCHES: [usize; 5] = [1, 2, 3, 5, TEXTS];

/// Whether a GPU gives the bits of the processor, in every kernel.
pub(super) fn check(gpu: &Arc<dyn Gpu>) -> Result<(), Fault> {
    let checker = Checker { gpu };
    let mut numbers = Numbers(1);
    for kind in Kind::ALL {
        checker.products(kind, &mut numbers)?;
    }
    checker.norms(&mut numbers)?;
    checker.gates()?;
    checker.shortened(&mut numbers)?;
    for (head, window) in [(24, 0), (64, 0), (64, 40), (128, 7)] {
        checker.attention(head, window, &mut numbers)?;
    }
    Ok(())
}

struct Checker<'a> {
    gpu: &'a Arc<dyn Gpu>,
}

fn floats(numbers: &mut Numbers, count: usize) -> Vec<f32> {
    (0..count).map(|_| numbers.float()).collect()
}

fn buffer(values: &[f32]) -> Buffer<f32> {
    let mut buffer = Buffer::dirty(values.len());
    buffer.copy_from_slice(values);
    buffer
}

impl Checker<'_> {
    fn memory(&self, values: &[f32]) -> Result<Memory, Fault> {
        Memory::of(self.gpu, &bytes_of(values), "a check")
    }

    fn room(&self, bytes: usize) -> Result<Memory, Fault> {
        Memory::new(self.gpu, bytes, "a check")
    }

    /// Whether a kernel gave what the processor gives.
    fn same(&self, kernel: &str, case: &str, got: &Memory, expected: &[f32]) -> Result<(), Fault> {
        let got = got.floats(expected.len())?;
        let equal = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        match got.iter().zip(expected).position(|pair| !equal(pair)) {
            None => Ok(()),
            Some(at) => Err(Fault::Bits {
                device: self.gpu.name().to_owned(),
                kernel: kernel.to_owned(),
                case: format!("{case}, number {at}: {:e} for {:e}", got[at], expected[at]),
            }),
        }
    }

    fn products(&self, kind: Kind, numbers: &mut Numbers) -> Result<(), Fault> {
        let bytes = weights(kind, numbers);
        let matrix = || {
            let matrix = Matrix::pack(kind, &bytes, ROWS, COLUMNS);
            matrix.expect("whole blocks of finite scales can be packed")
        };
        let (host, mut away) = (matrix(), matrix());
        let bias = floats(numbers, ROWS);
        away.move_to(Some(&bias), &Some(self.gpu.clone()))?;
        for count in BATCHES {
            let values = floats(numbers, count * COLUMNS);
            let residual = floats(numbers, count * ROWS);
            let rows = Rows::new(buffer(&values), COLUMNS);
            let expected = products(&[&host], &rows).remove(0);
            let bias = bias.iter().cycle();
            let expected = expected.iter().zip(bias).zip(&residual);
            let expected: Vec<f32> = expected.map(|((y, b), x)| x + (y + b)).collect();
            let values = self.memory(&values)?;
            let pieces = rounded_bytes(count, COLUMNS).map(|bytes| self.room(bytes));
            let [codes, scales, sums, halves] = pieces;
            let (codes, scales, sums, halves) = (codes?, scales?, sums?, halves?);
            let rounded = Rounded {
                codes: codes.place(),
                scales: scales.place(),
                sums: sums.place(),
                halves: halves.place(),
            };
            let (values, width) = (values.place(), COLUMNS);
            let rows = Activations { values, rows: count, width, rounded };
            let out = self.memory(&residual)?;
            rows.round(&**self.gpu, &[&away])?;
            product(&**self.gpu, &away, &rows, Some(out.place()), out.place())?;
            self.same(
                &format!("of products of {kind:?}"),
                &format!("{count} rows"),
                &out,
                &expected,
            )?;
        }
        self.embedded(kind, &host, &away)
    }

    fn embedded(&self, kind: Kind, host: &Matrix, away: &Matrix) -> Result<(), Fault> {
        let rows = [20u32, 0, 16, 7];
        let mut expected = vec![0.0; rows.len() * COLUMNS];
        for (row, out) in rows.iter().zip(expected.chunks_exact_mut(COLUMNS)) {
            host.row(*row as usize, out);
        }
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        let tokens = Memory::of(self.gpu, &bytes, "a check")?;
        let out = self.room(expected.len() * 4)?;
        embed(&**self.gpu, away, tokens.place(), rows.len(), out.place())?;
        self.same("of embeddings", &format!("{kind:?}"), &out, &expected)
    }

    fn norms(&self, numbers: &mut Numbers) -> Result<(), Fault> {
        for width in [40, 64, 768] {
            let (x, weight) = (floats(numbers, 3 * width), floats(numbers, width));
            let expected = math::norm(&x, &weight, 1e-5);
            let (x, weight) = (self.memory(&x)?, self.memory(&weight)?);
            let out = self.room(expected.len() * 4)?;
            let places = [x.place(), weight.place(), out.place()];
            norm(&**self.gpu, places, 3, width, 1e-5)?;
            self.same("of norms", &format!("rows of {width}"), &out, &expected)?;
        }
        Ok(())
    }

    /// Exponentials of all sizes, and of what is around the places where their steps change.
    fn gates(&self) -> Result<(), Fault> {
        let near =
            [0x3900_0000u32, 0x3eb1_7218, 0x3f85_1592, 0x42ae_ac50, 0x42b1_7218, 0x42cf_f1b5];
        let near = near.into_iter().flat_map(|bits| bits - 50..bits + 50);
        let all = (0..0x7f80_0000u32).step_by(100_003).chain(near);
        let gate: Vec<f32> =
            all.flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)]).collect();
        let up = vec![0.7; gate.len()];
        let expected = math::gated(buffer(&gate), &up);
        let (gate, up) = (self.memory(&gate)?, self.memory(&up)?);
        let count = expected.len();
        let grid = Grid::each(count);
        launch!(self.gpu, Kernel::Gated, grid, gate.place(), up.place(), count as i64)?;
        self.same("of gates", "numbers of all sizes", &gate, &expected)
    }

    fn shortened(&self, numbers: &mut Numbers) -> Result<(), Fault> {
        let x = floats(numbers, 1000);
        let mut expected = x.clone();
        crate::load::Residual::Bf16.round(&mut expected);
        let x = self.memory(&x)?;
        launch!(self.gpu, Kernel::Shorten, Grid::each(1000), x.place(), 1000i64)?;
        self.same("of bf16", "numbers below one", &x, &expected)
    }

    /// Two texts whose pages lie mixed: rotations, keys and values kept, and attention.
    fn attention(&self, head: usize, window: usize, numbers: &mut Numbers) -> Result<(), Fault> {
        let (heads, kv_heads) = (4, 2);
        let (rows, width) = (75, kv_heads * head);
        let case = format!("heads of {head}, window of {window}");
        let (mut near, mut far) = (Pages::new(6, 2, width), Pages::new(6, 2, width));
        far.lie_away();
        let mut table = |pages: [u32; 2]| -> Vec<PageId> {
            pages.iter().filter_map(|page| near.numbered(*page).and(far.numbered(*page))).collect()
        };
        let mut step = Step { tables: vec![table([4, 1]), table([0, 3])], ..Step::default() };
        let places = (0..50).map(|i| (0, i)).chain((0..rows - 50).map(|i| (1, i)));
        step.rows = places.map(|(table, position)| Row { table, position }).collect();
        step.cos = floats(numbers, rows * head / 2);
        step.sin = floats(numbers, rows * head / 2);
        let mut queries = floats(numbers, rows * heads * head);
        let (mut keys, values) = (floats(numbers, rows * width), floats(numbers, rows * width));
        let [q, k, v] = [self.memory(&queries)?, self.memory(&keys)?, self.memory(&values)?];
        let mut scratch = Scratch::default();
        let placed = Placed::of(&mut scratch, self.gpu, &mut far, &step)?;
        for (pairing, turn) in [
            (Pairing::Neighbours, math::rotate as fn(&mut [f32], &[f32], &[f32])),
            (Pairing::Halves, math::rotate_halves),
        ] {
            for (values, place, heads) in [(&mut queries, &q, heads), (&mut keys, &k, kv_heads)] {
                let angles = step.cos.chunks_exact(head / 2).zip(step.sin.chunks_exact(head / 2));
                for (row, (cos, sin)) in values.chunks_exact_mut(heads * head).zip(angles) {
                    row.chunks_exact_mut(head).for_each(|part| turn(part, cos, sin));
                }
                placed.rotate(&**self.gpu, pairing, [heads, head], place.place())?;
                self.same("of rotations", &case, place, values)?;
            }
        }
        for (i, row) in step.rows.iter().enumerate() {
            let (page, kept) =
                (step.tables[row.table][row.position / PAGE], i * width..(i + 1) * width);
            near.write(page, 1, row.position % PAGE, &keys[kept.clone()], &values[kept]);
        }
        let past = |i: usize| {
            let (row, near) = (&step.rows[i], &near);
            let from = if window == 0 { 0 } else { (row.position + 1).saturating_sub(window) };
            let table = &step.tables[row.table];
            Past { positions: from..row.position + 1, page: |page| near.layer(table[page], 1) }
        };
        let expected = attend(&queries, heads, kv_heads, head, past);
        let seen = Heads { heads, kv_heads, head, window };
        let mixed = self.room(expected.len() * 4)?;
        placed.keep(&**self.gpu, 1, seen, k.place(), v.place())?;
        placed.mix(&mut scratch, self.gpu, 1, seen, q.place(), mixed.place())?;
        self.same("of attention", &case, &mixed, &expected)
    }
}
