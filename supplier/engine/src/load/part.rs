//! Which part of a model a box runs.

use super::LoadError;
use crate::kernel::KERNEL_CLASS;
use std::ops::Range;

/// How the residual - what flows from layer to layer - is kept after each layer. The rule is the
/// same wherever layers run, so an answer does not depend on where a model is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Residual {
    /// As it is computed.
    #[default]
    F32,
    /// Rounded to bf16 after the embedding and after each layer: half the bytes between boxes.
    Bf16,
}

impl Residual {
    /// The class of answers that are computed so. Boxes of one model must have the same.
    pub fn class(self) -> &'static str {
        match self {
            Residual::F32 => KERNEL_CLASS,
            Residual::Bf16 => "lode-exact-1/bf16",
        }
    }

    /// The rule of this class, if it is one.
    pub fn of_class(class: &str) -> Option<Residual> {
        [Residual::F32, Residual::Bf16].into_iter().find(|residual| residual.class() == class)
    }

    /// Bytes of one number between boxes.
    pub fn bytes(self) -> usize {
        match self {
            Residual::F32 => 4,
            Residual::Bf16 => 2,
        }
    }

    pub(crate) fn round(self, x: &mut [f32]) {
        if self == Residual::Bf16 {
            x.iter_mut().for_each(|x| *x = half::bf16::from_f32(*x).to_f32());
        }
    }
}

/// A part of a model: some of its layers, and maybe both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub layers: Range<usize>,
    /// Whether the embedding, the last norm and the head belong to it.
    pub ends: bool,
    pub residual: Residual,
}

impl Part {
    /// All of a model.
    pub fn whole() -> Part {
        Part { layers: 0..usize::MAX, ends: true, residual: Residual::F32 }
    }

    /// Some layers and nothing else.
    pub fn layers(layers: Range<usize>, residual: Residual) -> Part {
        Part { layers, ends: false, residual }
    }

    /// Both ends, and the layers before `layers`.
    pub fn head(layers: usize, residual: Residual) -> Part {
        Part { layers: 0..layers, ends: true, residual }
    }

    pub(crate) fn is_whole(&self, layers: usize) -> bool {
        self.ends && self.layers == (0..layers)
    }

    /// The part as one of a model with so many layers.
    pub(super) fn within(&self, layers: usize) -> Result<Part, LoadError> {
        let Range { start: from, end: to } = self.layers;
        let to = if to == usize::MAX { layers } else { to };
        if from > to || to > layers || (from == to && !self.ends) {
            return Err(LoadError::Layers { from, to, layers });
        }
        Ok(Part { layers: from..to, ..self.clone() })
    }
}
