//! A matrix in a GPU's memory, and its products.

use super::gpu::{Argument, Gpu, Grid, Memory, Place, bytes_of, launch};
use super::program::{Kernel, Width};
use crate::device::DeviceFault as Fault;
use crate::kernel::{BLOCK, COLUMNS, GROUP, GROUPS, Matrix};
use std::sync::Arc;

/// Codes and heads of a matrix as they lay on the host, and what is added to its products.
pub(crate) struct Panel {
    codes: Memory,
    heads: Memory,
    bias: Option<Memory>,
}

/// Threads of a block for integer forms, and for floats.
const INTEGER_THREADS: usize = 256;
const FLOAT_THREADS: usize = 2 * COLUMNS;

/// Threads that round a block of activations.
const ROUND_THREADS: usize = BLOCK / 4;

impl Panel {
    pub(crate) fn of(
        gpu: &Arc<dyn Gpu>,
        codes: &[u8],
        heads: &[u8],
        bias: Option<&[f32]>,
    ) -> Result<Panel, Fault> {
        let bias = bias.map(|bias| Memory::of(gpu, &bytes_of(bias), "a bias")).transpose()?;
        let codes = Memory::of(gpu, codes, "the weights")?;
        Ok(Panel { codes, heads: Memory::of(gpu, heads, "the weights")?, bias })
    }
}

/// Rows of activations in a GPU's memory, and where they are rounded to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activations {
    pub(crate) values: Place,
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) rounded: Rounded,
}

/// Places for rounded activations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounded {
    pub(crate) codes: Place,
    pub(crate) scales: Place,
    pub(crate) sums: Place,
    pub(crate) halves: Place,
}

/// In the order of [`rounded_bytes`].
impl From<[Place; 4]> for Rounded {
    fn from([codes, scales, sums, halves]: [Place; 4]) -> Rounded {
        Rounded { codes, scales, sums, halves }
    }
}

impl Activations {
    fn blocks(&self) -> usize {
        self.width.div_ceil(BLOCK)
    }

    /// Rounds the rows, where one of `matrices` needs that.
    pub(crate) fn round(&self, gpu: &dyn Gpu, matrices: &[&Matrix]) -> Result<(), Fault> {
        match needs_rounding(matrices) {
            true => self.rounded(gpu, Place::NONE),
            false => Ok(()),
        }
    }

    /// Makes `silu(row) * up` of the rows, and rounds that, where one of `matrices` needs it.
    pub(crate) fn gate(&self, gpu: &dyn Gpu, up: Place, matrices: &[&Matrix]) -> Result<(), Fault> {
        if needs_rounding(matrices) {
            return self.rounded(gpu, up);
        }
        let all = self.rows * self.width;
        launch!(gpu, Kernel::Gated, Grid::each(all), self.values, up, all as i64)
    }

    fn rounded(&self, gpu: &dyn Gpu, up: Place) -> Result<(), Fault> {
        let Rounded { codes, scales, sums, halves } = self.rounded;
        let grid = Grid { blocks: self.rows * self.blocks(), threads: ROUND_THREADS };
        let (values, width, blocks) = (self.values, self.width as i32, self.blocks() as i32);
        launch!(
            gpu,
            Kernel::RoundRows,
            grid,
            values,
            up,
            width,
            blocks,
            codes,
            scales,
            sums,
            halves
        )
    }
}

fn needs_rounding(matrices: &[&Matrix]) -> bool {
    !matrices.iter().all(|matrix| matrix.form.is_float())
}

/// The products of a matrix on a GPU with rows that were rounded, added to `residual` where there is one.
pub(crate) fn product(
    gpu: &dyn Gpu,
    matrix: &Matrix,
    rows: &Activations,
    residual: Option<Place>,
    out: Place,
) -> Result<(), Fault> {
    let panel = matrix.panel.as_ref().ok_or(Fault::Elsewhere)?;
    assert_eq!(matrix.columns, rows.width, "a matrix takes rows of its own width");
    let width = Width::of(rows.rows);
    let kernel = Kernel::Product(matrix.form, width);
    let blocks = matrix.strips() * rows.rows.div_ceil(width as usize);
    let bias = panel.bias.as_ref().map_or(Place::NONE, Memory::place);
    let residual = residual.unwrap_or(Place::NONE);
    let (codes, heads) = (panel.codes.place(), panel.heads.place());
    let (outputs, count) = (matrix.rows as i32, rows.rows as i32);
    if matrix.form.is_float() {
        let grid = Grid { blocks, threads: FLOAT_THREADS };
        let size = matrix.form.code_bytes() / (GROUP * COLUMNS);
        let (columns, strip) = (matrix.columns as i32, (matrix.strip_bytes().0 / size) as i64);
        return launch!(
            gpu,
            kernel,
            grid,
            codes,
            columns,
            strip,
            rows.values,
            bias,
            residual,
            out,
            outputs,
            count
        );
    }
    let grid = Grid { blocks, threads: INTEGER_THREADS };
    let (groups, each) = ((matrix.columns / GROUP) as i32, rows.blocks() as i32);
    let Rounded { codes: row_codes, scales, sums, halves } = rows.rounded;
    launch!(
        gpu, kernel, grid, codes, heads, groups, row_codes, scales, sums, halves, each, bias,
        residual, out, outputs, count
    )
}

/// The rows of a matrix that `tokens` name, in single precision.
pub(crate) fn embed(
    gpu: &dyn Gpu,
    matrix: &Matrix,
    tokens: Place,
    count: usize,
    out: Place,
) -> Result<(), Fault> {
    let panel = matrix.panel.as_ref().ok_or(Fault::Elsewhere)?;
    let (codes, heads) = matrix.strip_bytes();
    let all = count * matrix.columns;
    launch!(
        gpu,
        Kernel::Embed,
        Grid::each(all),
        matrix.form as i32,
        panel.codes.place(),
        panel.heads.place(),
        codes as i64,
        heads as i64,
        tokens,
        out,
        matrix.columns as i32,
        all as i64
    )
}

/// Bytes that `rows` rounded rows of up to `width` take: codes, scales, sums, halves.
pub(crate) fn rounded_bytes(rows: usize, width: usize) -> [usize; 4] {
    let blocks = rows * width.div_ceil(BLOCK);
    [blocks * BLOCK, blocks * 4, blocks * GROUPS * 4, blocks * 2 * GROUPS * 4]
}
