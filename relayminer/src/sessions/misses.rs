//! Sessions that the chain did not know: not asked for again before the next block.

use proto::{Digest, Height};
use std::collections::HashSet;

/// Sessions that are remembered as missing at most; more than that are forgotten together.
const MISSES_MAX: usize = 4096;

/// What was not there at one height.
#[derive(Debug, Default)]
pub(super) struct Misses {
    at: Height,
    ids: HashSet<Digest>,
}

impl Misses {
    /// Whether `id` was not there at height `at`.
    pub(super) fn has(&self, id: &Digest, at: Height) -> bool {
        self.at == at && self.ids.contains(id)
    }

    /// `id` is not there at height `at`.
    pub(super) fn note(&mut self, id: Digest, at: Height) {
        if self.at != at || self.ids.len() >= MISSES_MAX {
            self.ids.clear();
            self.at = at;
        }
        self.ids.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_session_is_asked_for_once_a_block() {
        let mut misses = Misses::default();
        misses.note(Digest([1; 32]), Height(5));
        assert!(misses.has(&Digest([1; 32]), Height(5)));
        assert!(
            !misses.has(&Digest([1; 32]), Height(6)) && !misses.has(&Digest([2; 32]), Height(5))
        );
        misses.note(Digest([2; 32]), Height(6));
        assert!(!misses.has(&Digest([1; 32]), Height(5)));
    }
}
