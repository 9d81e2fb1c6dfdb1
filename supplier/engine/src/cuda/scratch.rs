//! Memory for what a step computes on the way, used again by the next step.

use super::gpu::{Gpu, Memory, Place};
use super::panel::{Activations, Rounded, rounded_bytes};
use crate::device::DeviceFault as Fault;
use crate::load::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a piece of it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// What flows from layer to layer.
    X,
    /// The same after a norm.
    Z,
    Queries,
    Keys,
    Values,
    Mixed,
    Gate,
    Up,
    Codes,
    Scales,
    Sums,
    Halves,
    Scores,
    Last,
    Logits,
    /// What the host says of a step.
    Said,
}

/// All pieces that were needed so far.
#[derive(Default)]
pub(crate) struct Scratch {
    pieces: BTreeMap<Use, Memory>,
}

impl Scratch {
    /// A piece of at least `bytes`. A larger one than last time is another one.
    pub(crate) fn piece(
        &mut self,
        gpu: &Arc<dyn Gpu>,
        purpose: Use,
        bytes: usize,
    ) -> Result<&Memory, Fault> {
        if self.pieces.get(&purpose).is_none_or(|piece| piece.bytes() < bytes) {
            // The old one goes first: there may be no room for both.
            self.pieces.remove(&purpose);
            // Texts grow token by token: not each of them shall need a new piece.
            let bytes = bytes.next_power_of_two();
            self.pieces.insert(purpose, Memory::new(gpu, bytes, "a step")?);
        }
        Ok(&self.pieces[&purpose])
    }

    /// A piece for `count` floats.
    pub(crate) fn floats(
        &mut self,
        gpu: &Arc<dyn Gpu>,
        purpose: Use,
        count: usize,
    ) -> Result<Place, Fault> {
        Ok(self.piece(gpu, purpose, count * 4)?.place())
    }
}

/// Places for all that `rows` rows need in a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk {
    pub(crate) rows: usize,
    pub(crate) x: Place,
    pub(crate) z: Place,
    pub(crate) queries: Place,
    pub(crate) keys: Place,
    pub(crate) values: Place,
    pub(crate) mixed: Place,
    pub(crate) gate: Place,
    pub(crate) up: Place,
    pub(crate) rounded: Rounded,
}

impl Desk {
    pub(crate) fn of(
        scratch: &mut Scratch,
        gpu: &Arc<dyn Gpu>,
        shape: &Shape,
        rows: usize,
    ) -> Result<Desk, Fault> {
        let all = shape.heads * shape.head;
        let widest = shape.hidden.max(all).max(shape.feed_forward);
        let mut floats = |purpose, width: usize| scratch.floats(gpu, purpose, rows * width);
        let (x, z) = (floats(Use::X, shape.hidden)?, floats(Use::Z, shape.hidden)?);
        let (queries, mixed) = (floats(Use::Queries, all)?, floats(Use::Mixed, all)?);
        let keys = floats(Use::Keys, shape.kv_width())?;
        let values = floats(Use::Values, shape.kv_width())?;
        let gate = floats(Use::Gate, shape.feed_forward)?;
        let up = floats(Use::Up, shape.feed_forward)?;
        let [codes, scales, sums, halves] = rounded_bytes(rows, widest);
        let mut piece = |purpose, bytes| scratch.piece(gpu, purpose, bytes).map(Memory::place);
        let rounded = Rounded {
            codes: piece(Use::Codes, codes)?,
            scales: piece(Use::Scales, scales)?,
            sums: piece(Use::Sums, sums)?,
            halves: piece(Use::Halves, halves)?,
        };
        Ok(Desk { rows, x, z, queries, keys, values, mixed, gate, up, rounded })
    }

    /// Rows of `width` values.
    pub(crate) fn rows_at(&self, values: Place, width: usize) -> Activations {
        Activations { values, rows: self.rows, width, rounded: self.rounded }
    }
}
