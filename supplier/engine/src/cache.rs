//! Keys and values of the sequences that are under way, in pages that sequences share.
//!
//! A page holds the keys and values of [`PAGE`] tokens in all layers. What a token's keys and values
//! are depends on the tokens before it and on nothing else, bit by bit, so a page that is full can
//! serve every sequence that begins with the same tokens: full pages stay, also when their sequence
//! has ended, until the room is needed. Whoever takes a sequence says how long it can get; what is
//! promised fits, so a sequence never has to be thrown out half way.

mod pages;
mod prefix;

pub use pages::PAGE;
pub(crate) use pages::{Heads, Page, PageId, Pages};
use prefix::{Node, Prefixes};

/// One sequence's place in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(crate) usize);

/// There is no room for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("all {0} sequences of the cache are in use")]
    Sequences(usize),
    #[error("{needed} pages of the cache are needed, but {left} of its {all} are free now")]
    Pages { needed: usize, left: usize, all: usize },
    #[error(
        "{tokens} tokens need {needed} pages of the cache, but it has {all}: shorten the prompt or ask for fewer tokens"
    )]
    Never { tokens: usize, needed: usize, all: usize },
}

/// How much a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Sequences side by side at most.
    pub sequences: usize,
    /// Pages of all sequences together at most.
    pub pages: usize,
}

/// What sequences there are, and what they hold.
#[derive(Clone, Debug, Default)]
struct Sequence {
    pages: Vec<PageId>,
    tokens: Vec<u32>,
    /// Pages that it may still take.
    promised: usize,
    /// How many of the last tokens are guesses: they may be dropped again.
    guessed: usize,
    /// Where its full pages end among the known beginnings.
    node: Node,
}

/// A bounded number of sequences, whose pages together are bounded.
#[derive(Debug)]
pub struct Cache {
    sequences: Vec<Option<Sequence>>,
    pages: Pages,
    prefixes: Prefixes,
    context_max: usize,
}

impl Cache {
    /// Room for sequences of a model with `layers` that keep keys and values of `heads`.
    pub(crate) fn new(room: Room, layers: usize, heads: Heads, context_max: usize) -> Cache {
        Cache {
            sequences: vec![None; room.sequences],
            pages: Pages::new(room.pages, layers, heads),
            prefixes: Prefixes::default(),
            context_max,
        }
    }

    /// An empty sequence, which may grow to the whole context.
    pub fn take(&mut self) -> Result<Slot, Full> {
        self.take_for(&[], self.context_max).map(|(slot, _)| slot)
    }

    /// A sequence for `prompt` that grows to at most `tokens`, and how many tokens of the prompt it
    /// holds already: all that are known, but never the last, which must be read for what follows.
    pub fn take_for(&mut self, prompt: &[u32], tokens: usize) -> Result<(Slot, usize), Full> {
        let tokens = tokens.clamp(prompt.len(), self.context_max.max(prompt.len()));
        let all = tokens.div_ceil(PAGE);
        if all > self.pages.all() {
            return Err(Full::Never { tokens, needed: all, all: self.pages.all() });
        }
        let free = self.sequences.iter().position(Option::is_none);
        let slot = free.ok_or(Full::Sequences(self.sequences.len()))?;
        let known = &prompt[..prompt.len().saturating_sub(1)];
        let (node, pages) = self.prefixes.find(known);
        let idle = pages.iter().filter(|page| self.pages.is_idle(**page)).count();
        let (needed, left) = (all - pages.len() + idle, self.left_pages());
        if needed > left {
            return Err(Full::Pages { needed, left, all: self.pages.all() });
        }
        pages.iter().for_each(|page| self.pages.share(*page));
        let reused = pages.len() * PAGE;
        let promised = all - pages.len();
        let tokens = prompt[..reused].to_vec();
        self.sequences[slot] = Some(Sequence { pages, tokens, promised, guessed: 0, node });
        Ok((Slot(slot), reused))
    }

    /// Ends a sequence; its slot is free again.
    pub fn free(&mut self, slot: Slot) {
        if let Some(sequence) = self.sequences[slot.0].take() {
            for page in sequence.pages {
                self.pages.leave(page, self.prefixes.holds(page));
            }
        }
    }

    /// How many sequences can still be taken.
    pub fn left(&self) -> usize {
        self.sequences.iter().filter(|sequence| sequence.is_none()).count()
    }

    /// Pages that are neither in use nor promised.
    pub fn left_pages(&self) -> usize {
        let promised: usize = self.sequences.iter().flatten().map(|s| s.promised).sum();
        self.pages.all() - self.pages.used() - promised
    }

    /// Tokens of a sequence so far.
    pub fn length(&self, slot: Slot) -> usize {
        self.sequence(slot).map_or(0, |sequence| sequence.tokens.len())
    }

    /// Tokens of a sequence at most.
    pub fn context_max(&self) -> usize {
        self.context_max
    }

    fn sequence(&self, slot: Slot) -> Option<&Sequence> {
        self.sequences.get(slot.0)?.as_ref()
    }

    pub(crate) fn is_taken(&self, slot: Slot) -> bool {
        self.sequence(slot).is_some()
    }

    /// How long a sequence can get.
    pub(crate) fn length_max(&self, slot: Slot) -> usize {
        let pages = self.sequence(slot).map_or(0, |s| s.pages.len() + s.promised);
        (pages * PAGE).min(self.context_max)
    }

    /// Makes room for `tokens` more of a sequence, which were promised.
    pub(crate) fn grow(&mut self, slot: Slot, tokens: &[u32]) {
        let Some(sequence) = self.sequences[slot.0].as_mut() else { return };
        sequence.tokens.extend_from_slice(tokens);
        while sequence.pages.len() * PAGE < sequence.tokens.len() {
            if self.pages.is_exhausted()
                && let Some(page) = self.prefixes.forget_oldest(&self.pages)
            {
                self.pages.discard(page);
            }
            sequence.pages.push(self.pages.take());
            sequence.promised = sequence.promised.saturating_sub(1);
        }
    }

    /// The last `tokens` of the sequence's next piece are guesses: whoever wants what follows that piece
    /// gets what follows each of them, and the token before them, too. No other sequence uses pages
    /// that hold them, until they are settled.
    pub fn guess(&mut self, slot: Slot, tokens: usize) {
        if let Some(sequence) = self.sequences.get_mut(slot.0).and_then(Option::as_mut) {
            sequence.guessed = tokens;
        }
    }

    /// The first `right` guesses of a sequence stay, the others are dropped, as if never read.
    pub fn settle(&mut self, slot: Slot, right: usize) {
        let Some(sequence) = self.sequences.get_mut(slot.0).and_then(Option::as_mut) else {
            return;
        };
        let wrong = std::mem::take(&mut sequence.guessed).saturating_sub(right);
        sequence.tokens.truncate(sequence.tokens.len().saturating_sub(wrong));
        let needed = sequence.tokens.len().div_ceil(PAGE);
        while sequence.pages.len() > needed {
            if let Some(page) = sequence.pages.pop() {
                sequence.promised += 1;
                self.pages.leave(page, self.prefixes.holds(page));
            }
        }
        self.publish(slot);
    }

    /// How many of a sequence's last tokens are guesses.
    pub(crate) fn guessed(&self, slot: Slot) -> usize {
        self.sequence(slot).map_or(0, |sequence| sequence.guessed)
    }

    /// Lets others use the pages of a sequence that were filled.
    pub(crate) fn publish(&mut self, slot: Slot) {
        let Some(sequence) = self.sequences[slot.0].as_mut() else { return };
        let full = sequence.tokens.len().saturating_sub(sequence.guessed) / PAGE;
        for i in sequence.node.depth()..full {
            let tokens = &sequence.tokens[i * PAGE..(i + 1) * PAGE];
            sequence.node = self.prefixes.add(sequence.node, tokens, sequence.pages[i]);
        }
    }

    /// The pages of a sequence, in the order of its tokens.
    pub(crate) fn table(&self, slot: Slot) -> &[PageId] {
        self.sequence(slot).map_or(&[], |sequence| &sequence.pages)
    }

    pub(crate) fn pages_mut(&mut self) -> &mut Pages {
        &mut self.pages
    }
}

#[cfg(test)]
mod tests;
