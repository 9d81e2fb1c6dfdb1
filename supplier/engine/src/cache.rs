//! Keys and values of the sequences that are under way.

/// One sequence's place in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(crate) usize);

/// No slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all {0} sequences of the cache are in use")]
pub struct Full(pub usize);

/// Keys and values of one layer of one sequence, position by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) keys: Vec<f32>,
    pub(crate) values: Vec<f32>,
}

#[derive(Clone, Debug, Default)]
struct Sequence {
    used: bool,
    length: usize,
    layers: Vec<Layer>,
}

/// A bounded number of sequences, each of bounded length. Memory is taken when it is needed and
/// kept for the next sequence in the slot.
#[derive(Clone, Debug)]
pub struct Cache {
    sequences: Vec<Sequence>,
    context_max: usize,
}

impl Cache {
    /// Room for `slots` sequences of a model with `layers`.
    pub(crate) fn new(slots: usize, layers: usize, context_max: usize) -> Cache {
        let sequence = Sequence { layers: vec![Layer::default(); layers], ..Sequence::default() };
        Cache { sequences: vec![sequence; slots], context_max }
    }

    /// An empty sequence.
    pub fn take(&mut self) -> Result<Slot, Full> {
        let free = self.sequences.iter().position(|sequence| !sequence.used);
        let slot = free.ok_or(Full(self.sequences.len()))?;
        self.sequences[slot].used = true;
        self.truncate(Slot(slot), 0);
        Ok(Slot(slot))
    }

    /// Ends a sequence; its slot is free again.
    pub fn free(&mut self, slot: Slot) {
        self.sequences[slot.0].used = false;
    }

    /// How many sequences can still be taken.
    pub fn left(&self) -> usize {
        self.sequences.iter().filter(|sequence| !sequence.used).count()
    }

    /// Tokens of a sequence so far.
    pub fn length(&self, slot: Slot) -> usize {
        self.sequences[slot.0].length
    }

    /// Tokens of a sequence at most.
    pub fn context_max(&self) -> usize {
        self.context_max
    }

    /// Forgets the tokens of a sequence from `length` on.
    pub(crate) fn truncate(&mut self, slot: Slot, length: usize) {
        let sequence = &mut self.sequences[slot.0];
        let kept = |values: &mut Vec<f32>, before: usize| {
            let width = values.len().checked_div(before).unwrap_or(0);
            values.truncate(width * length);
        };
        for layer in &mut sequence.layers {
            kept(&mut layer.keys, sequence.length);
            kept(&mut layer.values, sequence.length);
        }
        sequence.length = sequence.length.min(length);
    }

    pub(crate) fn layer(&self, slot: Slot, layer: usize) -> &Layer {
        &self.sequences[slot.0].layers[layer]
    }

    pub(crate) fn append(&mut self, slot: Slot, layer: usize, keys: &[f32], values: &[f32]) {
        let layer = &mut self.sequences[slot.0].layers[layer];
        layer.keys.extend_from_slice(keys);
        layer.values.extend_from_slice(values);
    }

    pub(crate) fn grow(&mut self, slot: Slot, tokens: usize) {
        self.sequences[slot.0].length += tokens;
    }

    pub(crate) fn is_taken(&self, slot: Slot) -> bool {
        self.sequences.get(slot.0).is_some_and(|sequence| sequence.used)
    }
}
