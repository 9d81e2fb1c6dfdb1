//! From the bytes of a file to a [`Matrix`], and rows of it back to numbers.

use super::kind::Kind;
use super::lanes::COLUMNS;
use super::matrix::{BLOCK, Form, GROUP, GROUPS, Line, Matrix, SIX_HEAD, SUPER_HEAD};
use super::unpack::{self, Group, Super};
use half::{bf16, f16};
use rayon::prelude::*;

/// Why bytes are no matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    #[error("rows of {columns} weights are no whole number of blocks of {block}")]
    Columns { columns: usize, block: usize },
    #[error("{rows} x {columns} weights take {needed} bytes, but there are {got}")]
    Length { rows: usize, columns: usize, needed: usize, got: usize },
}

impl Matrix {
    /// The matrix of `rows` x `columns` weights that are written in `bytes` as `kind` says.
    pub(crate) fn pack(
        kind: Kind,
        bytes: &[u8],
        rows: usize,
        columns: usize,
    ) -> Result<Matrix, PackError> {
        let needed = kind.bytes(rows, columns);
        let needed = needed.ok_or(PackError::Columns { columns, block: kind.block().0 })?;
        if bytes.len() != needed || needed == 0 {
            return Err(PackError::Length { rows, columns, needed, got: bytes.len() });
        }
        let form = kind.form();
        let strips = rows.div_ceil(COLUMNS);
        let (lines, head) = (Matrix::strip_lines(form, columns), form.head_bytes(columns));
        let mut codes = vec![Line([0; 64]); strips * lines];
        let mut heads = vec![0; strips * head];
        let row_bytes = needed / rows;
        let source = |strip: usize| {
            let (from, to) = (strip * COLUMNS, ((strip + 1) * COLUMNS).min(rows));
            &bytes[from * row_bytes..to * row_bytes]
        };
        if head == 0 {
            let strips = codes.par_chunks_exact_mut(lines).enumerate();
            strips.for_each(|(i, codes)| floats(source(i), row_bytes, columns, codes));
        } else {
            let heads = heads.par_chunks_exact_mut(head);
            let strips = codes.par_chunks_exact_mut(lines).zip(heads).enumerate();
            strips.for_each(|(i, (codes, heads))| {
                for (row, bytes) in source(i).chunks_exact(row_bytes).enumerate() {
                    blocks(kind, bytes, row, codes, heads);
                }
            });
        }
        Ok(Matrix {
            form,
            rows,
            columns,
            codes,
            heads,
            #[cfg(feature = "cuda")]
            panel: None,
        })
    }

    /// Writes the weights of one row into `out`, which has as many places as there are columns.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let (codes, heads) = self.strip(row / COLUMNS);
        let lane = row % COLUMNS;
        for (column, out) in out.iter_mut().enumerate() {
            *out = self.weight(codes, heads, lane, column);
        }
    }

    fn weight(&self, codes: &[Line], heads: &[u8], lane: usize, column: usize) -> f32 {
        let (group, block) = (column / GROUP, column / BLOCK);
        let byte = |at: usize| codes[at / 64].0[at % 64];
        let half = |at: usize| f16::from_le_bytes([heads[at], heads[at + 1]]).to_f32();
        let code = f32::from(match self.form {
            Form::Pairs4 | Form::Super4 => {
                let both = byte(column / 8 * 64 + lane * 4 + column % 4);
                if column % 8 < 4 { both & 15 } else { both >> 4 }
            }
            Form::F32 | Form::F16 | Form::BF16 => 0,
            _ => byte(column / 4 * 64 + lane * 4 + column % 4),
        });
        let at = column * COLUMNS + lane;
        match self.form {
            Form::F32 => f32::from_le_bytes(std::array::from_fn(|i| byte(at * 4 + i))),
            Form::F16 => f16::from_le_bytes([byte(at * 2), byte(at * 2 + 1)]).to_f32(),
            Form::BF16 => bf16::from_le_bytes([byte(at * 2), byte(at * 2 + 1)]).to_f32(),
            Form::Eight => half((group * COLUMNS + lane) * 2) * (code - 128.0),
            Form::Pairs4 | Form::Pairs8 => {
                let at = group * 4 * COLUMNS + lane * 2;
                half(at) * code + half(at + 2 * COLUMNS)
            }
            Form::Super4 | Form::Super8 => {
                let head = block * SUPER_HEAD;
                let scale = head + 4 * COLUMNS + group % GROUPS * COLUMNS + lane;
                let (s, l) = (heads[scale], heads[scale + GROUPS * COLUMNS]);
                let least = half(head + 2 * COLUMNS + lane * 2) * f32::from(l);
                half(head + lane * 2) * f32::from(s) * code - least
            }
            Form::Six => {
                let head = block * SIX_HEAD;
                let at = head + 2 * COLUMNS + column % BLOCK / 16 * COLUMNS + lane;
                half(head + lane * 2) * f32::from(heads[at] as i8) * (code - 32.0)
            }
        }
    }
}

/// Weights that are numbers already: column by column, sixteen rows each.
fn floats(source: &[u8], row_bytes: usize, columns: usize, codes: &mut [Line]) {
    let size = row_bytes / columns;
    for (lane, row) in source.chunks_exact(row_bytes).enumerate() {
        for (column, weight) in row.chunks_exact(size).enumerate() {
            let at = (column * COLUMNS + lane) * size;
            codes[at / 64].0[at % 64..][..size].copy_from_slice(weight);
        }
    }
}

/// The blocks of one row, which is the `lane`th of its strip.
fn blocks(kind: Kind, bytes: &[u8], lane: usize, codes: &mut [Line], heads: &mut [u8]) {
    let whole = bytes.chunks_exact(kind.block().1).enumerate();
    match kind {
        Kind::Q4_0 => whole.for_each(|(i, b)| pair(unpack::q4_0(b), i, lane, codes, heads)),
        Kind::Q4_1 => whole.for_each(|(i, b)| pair(unpack::q4_1(b), i, lane, codes, heads)),
        Kind::Q5_0 => whole.for_each(|(i, b)| pair(unpack::q5_0(b), i, lane, codes, heads)),
        Kind::Q5_1 => whole.for_each(|(i, b)| pair(unpack::q5_1(b), i, lane, codes, heads)),
        Kind::Q8_0 => whole.for_each(|(i, b)| {
            let group = unpack::q8_0(b);
            bytes_of(&group.codes, i * GROUP, lane, codes);
            put(heads, (i * COLUMNS + lane) * 2, group.scale);
        }),
        Kind::Q4_K => whole.for_each(|(i, b)| {
            let block = unpack::q4_k(b);
            halves_of(&block.codes, i * BLOCK, lane, codes);
            super_head(&block, i, lane, heads);
        }),
        Kind::Q5_K => whole.for_each(|(i, b)| {
            let block = unpack::q5_k(b);
            bytes_of(&block.codes, i * BLOCK, lane, codes);
            super_head(&block, i, lane, heads);
        }),
        Kind::Q6_K => whole.for_each(|(i, b)| {
            let block = unpack::q6_k(b);
            bytes_of(&block.codes, i * BLOCK, lane, codes);
            six_head(&block, i, lane, heads);
        }),
        Kind::F32 | Kind::F16 | Kind::BF16 => {}
    }
}

fn put(heads: &mut [u8], at: usize, half: [u8; 2]) {
    heads[at..at + 2].copy_from_slice(&half);
}

fn pair(group: Group, i: usize, lane: usize, codes: &mut [Line], heads: &mut [u8]) {
    let at = i * 4 * COLUMNS + lane * 2;
    put(heads, at, group.scale);
    put(heads, at + 2 * COLUMNS, group.least);
    // Codes of four bits go into half the lines.
    if codes.len() * 64 == heads.len() / (4 * COLUMNS) * GROUP * COLUMNS / 2 {
        halves_of(&group.codes, i * GROUP, lane, codes);
    } else {
        bytes_of(&group.codes, i * GROUP, lane, codes);
    }
}

fn super_head(block: &Super, i: usize, lane: usize, heads: &mut [u8]) {
    let head = &mut heads[i * SUPER_HEAD..][..SUPER_HEAD];
    put(head, lane * 2, block.scale);
    put(head, 2 * COLUMNS + lane * 2, block.least);
    for group in 0..GROUPS {
        let at = 4 * COLUMNS + group * COLUMNS + lane;
        head[at] = block.scales[group];
        head[at + GROUPS * COLUMNS] = block.leasts[group];
    }
}

fn six_head(block: &Super, i: usize, lane: usize, heads: &mut [u8]) {
    let head = &mut heads[i * SIX_HEAD..][..SIX_HEAD];
    put(head, lane * 2, block.scale);
    for (half, scale) in block.scales.iter().enumerate() {
        head[2 * COLUMNS + half * COLUMNS + lane] = *scale;
    }
}

/// Codes of eight bits from column `from` on.
fn bytes_of(values: &[u8], from: usize, lane: usize, codes: &mut [Line]) {
    for (i, four) in values.chunks_exact(4).enumerate() {
        codes[from / 4 + i].0[lane * 4..][..4].copy_from_slice(four);
    }
}

/// Codes of four bits: columns 0 to 3 of eight in the lower halves, 4 to 7 in the upper ones.
fn halves_of(values: &[u8], from: usize, lane: usize, codes: &mut [Line]) {
    for (i, eight) in values.chunks_exact(8).enumerate() {
        for j in 0..4 {
            codes[from / 8 + i].0[lane * 4 + j] = eight[j] | eight[j + 4] << 4;
        }
    }
}
