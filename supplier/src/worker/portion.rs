//! What one sequence reads in a step: tokens that are known, and maybe guesses after them.

use super::{Sequence, Workshop};
use engine::{Cache, Chunk};

/// What a sequence reads in one step.
#[derive(Debug)]
pub(super) struct Portion {
    /// Which one of all sequences it is.
    pub(super) at: usize,
    tokens: Vec<u32>,
    guesses: usize,
    /// Whether its next token is to be chosen.
    pub(super) wants: bool,
}

impl Portion {
    /// Tokens that are known.
    pub(super) fn known(&self) -> usize {
        self.tokens.len() - self.guesses
    }

    /// Tokens that are guessed.
    pub(super) fn guesses(&self) -> &[u32] {
        &self.tokens[self.known()..]
    }
}

impl Sequence {
    /// `share` of its waiting tokens, with up to `most` guesses when it waits for its next token.
    pub(super) fn portion(&mut self, at: usize, share: usize, most: usize) -> Portion {
        let wants = share == self.unread.len();
        let mut tokens = self.unread[..share].to_vec();
        // The last token that may be chosen needs nothing after it.
        let most = most.min(self.author.left().saturating_sub(1));
        let guessed = match wants && share == 1 && most > 0 {
            true => self.guesser.guess(&self.author.tokens(), most),
            false => Vec::new(),
        };
        let guesses = guessed.len();
        tokens.extend(guessed);
        Portion { at, tokens, guesses, wants }
    }

    /// The portion as the model takes it.
    pub(super) fn chunk<'a>(&self, cache: &mut Cache, portion: &'a Portion) -> Chunk<'a> {
        cache.guess(self.slot, portion.guesses);
        Chunk { slot: self.slot, tokens: &portion.tokens, wants_logits: portion.wants }
    }
}

impl Workshop {
    /// Chooses the next tokens of one sequence, from what follows its last known token and each guess,
    /// as far as guesses are what was chosen. The others are dropped.
    pub(super) fn advance_over(
        &self,
        cache: &mut Cache,
        sequence: &mut Sequence,
        guesses: &[u32],
        rows: &[Vec<f32>],
    ) {
        let mut right = 0;
        for (i, logits) in rows.iter().enumerate() {
            self.advance(sequence, logits);
            match guesses.get(i) {
                // It is read already.
                Some(guess) if sequence.unread == [*guess] => sequence.unread.clear(),
                _ => break,
            }
            right += 1;
        }
        if !guesses.is_empty() {
            cache.settle(sequence.slot, right);
            sequence.guesser.saw(guesses.len(), right);
            self.metrics.guessed.inc_by(guesses.len() as u64);
            self.metrics.guessed_right.inc_by(right as u64);
        }
    }

    /// The part of guesses that turn out right, as seen so far.
    pub(super) fn guessed_rate(&self) -> f64 {
        // One in two, until there is more to tell.
        let (right, all) = (self.metrics.guessed_right.get(), self.metrics.guessed.get());
        (right as f64 + 8.0) / (all as f64 + 16.0)
    }
}
