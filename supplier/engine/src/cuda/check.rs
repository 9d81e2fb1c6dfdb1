//! A fixed vector through every kernel of a GPU, against the processor.

use super::attention::{Heads, Placed};
use super::gpu::{Argument, Gpu, Grid, Memory, bytes_of, launch};
use super::network::norm;
use super::panel::{Activations, embed, product, rounded_bytes};
use super::program::Kernel;
use super::scratch::Scratch;
use crate::attention::{Sizes, attend};
use crate::buffer::Buffer;
use crate::cache::{self, PAGE, PageId, Pages};
use crate::device::DeviceFault as Fault;
use crate::kernel::check::{COLUMNS, Numbers, ROWS, TEXTS, weights};
use crate::kernel::{BLOCK, Kind, Matrix, Rows, products};
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
        for pairing in [Pairing::Neighbours, Pairing::Halves] {
            checker.attention(head, window, pairing, &mut numbers)?;
        }
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

    /// Memory for the codes, scales and sums of so many rows.
    fn rounding(&self, rows: usize, width: usize) -> Result<[Memory; 4], Fault> {
        let [codes, scales, sums, halves] = rounded_bytes(rows, width);
        Ok([self.room(codes)?, self.room(scales)?, self.room(sums)?, self.room(halves)?])
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
            let rounding = self.rounding(count, COLUMNS)?;
            let rounded = rounding.each_ref().map(Memory::place).into();
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
        // Whole blocks, so that they can be rounded, too.
        let gate = &gate[..gate.len() / BLOCK * BLOCK];
        let up = vec![0.7; gate.len()];
        let expected = math::gated(buffer(gate), &up);
        let up = self.memory(&up)?;
        let rounding = self.rounding(gate.len() / BLOCK, BLOCK)?;
        for kind in [Kind::F32, Kind::Q8_0] {
            let values = self.memory(gate)?;
            let rows = Activations {
                values: values.place(),
                rows: gate.len() / BLOCK,
                width: BLOCK,
                rounded: rounding.each_ref().map(Memory::place).into(),
            };
            // Whether they are rounded on the way depends on the matrix that takes them.
            let matrix = Matrix::pack(kind, &vec![0; kind.bytes(1, BLOCK).unwrap_or(0)], 1, BLOCK);
            let matrix = matrix.expect("whole blocks can be packed");
            rows.gate(&**self.gpu, up.place(), &[&matrix])?;
            self.same(
                "of gates",
                &format!("numbers of all sizes for {kind:?}"),
                &values,
                &expected,
            )?;
        }
        Ok(())
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
    fn attention(
        &self,
        head: usize,
        window: usize,
        pairing: Pairing,
        numbers: &mut Numbers,
    ) -> Result<(), Fault> {
        let (heads, kv_heads) = (4, 2);
        let (rows, width) = (75, kv_heads * head);
        let case = format!("heads of {head}, window of {window}");
        let kept = cache::Heads { count: kv_heads, size: head };
        let (mut near, mut far) = (Pages::new(6, 2, kept), Pages::new(6, 2, kept));
        far.lie_away();
        let table = |pages: [u32; 2]| -> Vec<PageId> {
            pages.iter().filter_map(|page| near.numbered(*page).and(far.numbered(*page))).collect()
        };
        let step = two_texts([[4, 1], [0, 3]].map(table), rows, head, numbers);
        let mut queries = floats(numbers, rows * heads * head);
        let (mut keys, values) = (floats(numbers, rows * width), floats(numbers, rows * width));
        let [q, k, v] = [self.memory(&queries)?, self.memory(&keys)?, self.memory(&values)?];
        let mut scratch = Scratch::default();
        let placed = Placed::of(&mut scratch, self.gpu, &mut far, &step)?;
        turn_all(&mut queries, heads, pairing, &step);
        turn_all(&mut keys, kv_heads, pairing, &step);
        let seen = Heads { heads, kv_heads, head, window };
        placed.place(&**self.gpu, 1, seen, pairing, [q.place(), k.place(), v.place()])?;
        self.same("of rotations", &case, &q, &queries)?;
        for (i, row) in step.rows.iter().enumerate() {
            let (page, kept) =
                (step.tables[row.table][row.position / PAGE], i * width..(i + 1) * width);
            near.write(page, 1, row.position % PAGE, &keys[kept.clone()], &values[kept]);
        }
        let page =
            |table: usize, page: usize, head: usize| near.head(step.tables[table][page], 1, head);
        let sizes = Sizes { heads, kv_heads, head, window: (window > 0).then_some(window) };
        let expected = attend(&queries, sizes, &step.runs(), page);
        let mixed = self.room(expected.len() * 4)?;
        placed.mix(&mut scratch, self.gpu, 1, seen, q.place(), mixed.place())?;
        self.same("of attention", &case, &mixed, &expected)
    }
}

/// A step over 50 rows of one text and the others of another, at random angles.
fn two_texts(tables: [Vec<PageId>; 2], rows: usize, head: usize, numbers: &mut Numbers) -> Step {
    let places = (0..50).map(|i| (0, i)).chain((0..rows - 50).map(|i| (1, i)));
    Step {
        tables: tables.into(),
        rows: places.map(|(table, position)| Row { table, position }).collect(),
        cos: floats(numbers, rows * head / 2),
        sin: floats(numbers, rows * head / 2),
    }
}

/// Turns all heads of each row, as the model does.
fn turn_all(values: &mut [f32], heads: usize, pairing: Pairing, step: &Step) {
    let turn = match pairing {
        Pairing::Neighbours => math::rotate,
        Pairing::Halves => math::rotate_halves,
    };
    let rows = step.rows.len();
    let (row, half) = (values.len() / rows, step.cos.len() / rows);
    let angles = step.cos.chunks_exact(half).zip(step.sin.chunks_exact(half));
    for (values, (cos, sin)) in values.chunks_exact_mut(row).zip(angles) {
        values.chunks_exact_mut(row / heads).for_each(|part| turn(part, cos, sin));
    }
}
