//! A matrix as the kernels read it.
//!
//! Sixteen rows - a strip - lie side by side, so that one instruction covers them all. Within a
//! strip, weights come in groups of 32 columns; `codes` holds their integers, four columns of each
//! of the sixteen rows next to each other, and `heads` the scales of the groups.

use super::lanes::COLUMNS;

/// Columns that share a scale.
pub(crate) const GROUP: usize = 32;

/// Columns that share the scales of scales, and those of activations.
pub(crate) const BLOCK: usize = 256;

/// Groups in a block.
pub(crate) const GROUPS: usize = BLOCK / GROUP;

/// How the weights of a matrix lie in memory. What a weight is, of its code `q`:
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Form {
    F32,
    F16,
    BF16,
    /// `scale * (q - 128)`, eight bits, a half-precision scale a group.
    Eight,
    /// `scale * q + least`, four bits, both numbers in half precision for each group.
    Pairs4,
    /// The same with codes of eight bits.
    Pairs8,
    /// `d * s * q - m * l`: two half-precision numbers a block, two of six bits a group; four bits.
    Super4,
    /// The same with codes of eight bits.
    Super8,
    /// `d * s * (q - 32)`: one half-precision number a block, one byte for each half of a group.
    Six,
}

impl Form {
    #[cfg(feature = "cuda")]
    pub(crate) const ALL: [Form; 9] = [
        Form::F32,
        Form::F16,
        Form::BF16,
        Form::Eight,
        Form::Pairs4,
        Form::Pairs8,
        Form::Super4,
        Form::Super8,
        Form::Six,
    ];

    /// Whether its weights are floats, which are multiplied with activations that are not rounded.
    #[cfg(feature = "cuda")]
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Form::F32 | Form::F16 | Form::BF16)
    }

    /// Bytes of codes of one group of one strip.
    pub(crate) fn code_bytes(self) -> usize {
        let bits = match self {
            Form::F32 => 32,
            Form::F16 | Form::BF16 => 16,
            Form::Eight | Form::Pairs8 | Form::Super8 | Form::Six => 8,
            Form::Pairs4 | Form::Super4 => 4,
        };
        GROUP * COLUMNS * bits / 8
    }

    /// Bytes of scales of one strip of `columns`.
    pub(crate) fn head_bytes(self, columns: usize) -> usize {
        match self {
            Form::F32 | Form::F16 | Form::BF16 => 0,
            Form::Eight => columns / GROUP * 2 * COLUMNS,
            Form::Pairs4 | Form::Pairs8 => columns / GROUP * 4 * COLUMNS,
            Form::Super4 | Form::Super8 => columns / BLOCK * SUPER_HEAD,
            Form::Six => columns / BLOCK * SIX_HEAD,
        }
    }
}

/// Bytes of the head of a block of [`Form::Super4`]: `d` and `m`, then `s`, then `l` of each group.
pub(crate) const SUPER_HEAD: usize = 4 * COLUMNS + 2 * GROUPS * COLUMNS;

/// Bytes of the head of a block of [`Form::Six`]: `d`, then `s` of each half of a group.
pub(crate) const SIX_HEAD: usize = 2 * COLUMNS + 2 * GROUPS * COLUMNS;

/// A line of the processor's cache: codes begin at one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u8; 64]);

/// Weights, `rows` of them for the outputs, `columns` for the inputs.
pub(crate) struct Matrix {
    pub(crate) form: Form,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(super) codes: Vec<Line>,
    pub(super) heads: Vec<u8>,
    /// Where it lies when it was moved to a GPU; there are no codes and heads here then.
    #[cfg(feature = "cuda")]
    pub(crate) panel: Option<crate::cuda::Panel>,
}

impl Matrix {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.codes.len() * size_of::<Line>() + self.heads.len()
    }

    pub(crate) fn strips(&self) -> usize {
        self.rows.div_ceil(COLUMNS)
    }

    /// Moves it, and what is added to its products, to an opened device.
    #[cfg(feature = "cuda")]
    pub(crate) fn move_to(
        &mut self,
        bias: Option<&[f32]>,
        device: &crate::device::Opened,
    ) -> Result<(), crate::device::DeviceFault> {
        let Some(gpu) = device else { return Ok(()) };
        self.panel = Some(crate::cuda::Panel::of(gpu, self.code_bytes(), &self.heads, bias)?);
        (self.codes, self.heads) = (Vec::new(), Vec::new());
        Ok(())
    }

    /// A matrix on the processor is where it should be.
    #[cfg(not(feature = "cuda"))]
    #[expect(clippy::unnecessary_wraps, reason = "on a GPU there may be no room")]
    pub(crate) fn move_to(
        &mut self,
        _: Option<&[f32]>,
        _: &crate::device::Opened,
    ) -> Result<(), crate::device::DeviceFault> {
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn code_bytes(&self) -> &[u8] {
        let bytes = self.codes.len() * size_of::<Line>();
        // SAFETY: lines are bytes side by side, with nothing between them.
        unsafe { std::slice::from_raw_parts(self.codes.as_ptr().cast(), bytes) }
    }

    /// Bytes of the codes and of the heads of one strip.
    #[cfg(feature = "cuda")]
    pub(crate) fn strip_bytes(&self) -> (usize, usize) {
        let lines = Matrix::strip_lines(self.form, self.columns);
        (lines * size_of::<Line>(), self.form.head_bytes(self.columns))
    }

    /// Lines of codes of one strip.
    pub(super) fn strip_lines(form: Form, columns: usize) -> usize {
        let weight_bits = form.code_bytes() * 8 / (GROUP * COLUMNS);
        (columns * COLUMNS * weight_bits / 8).div_ceil(size_of::<Line>())
    }

    /// Codes and heads of one strip.
    pub(super) fn strip(&self, strip: usize) -> (&[Line], &[u8]) {
        let lines = Matrix::strip_lines(self.form, self.columns);
        let heads = self.form.head_bytes(self.columns);
        (&self.codes[strip * lines..][..lines], &self.heads[strip * heads..][..heads])
    }
}
