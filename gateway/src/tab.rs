//! What is acknowledged to one supplier in one session, and what still has to be.
//!
//! ```text
//! begin -> seq ---- relay ----> finish(entry) ---- carried by a message ----> confirmed
//!           '---- never reached the miner: void
//! ```
//! Acknowledgements are a chain of hashes over entries in the order in which relays finished. A
//! message carries all entries since the last one that the miner is known to have seen; messages
//! may overtake each other (see [`proto::relay::advance`]).

use proto::relay::{AckEntry, AckOverflow, Acked};
use std::collections::{BTreeSet, VecDeque};

/// The state of acknowledgement towards one supplier in one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tab {
    next_seq: u64,
    /// Started and not finished.
    running: BTreeSet<u64>,
    /// All that finished, linked.
    head: Acked,
    /// The last that the miner has seen.
    confirmed: Acked,
    /// The entries from `confirmed` to `head`.
    unconfirmed: VecDeque<AckEntry>,
}

impl Tab {
    /// A tab as a miner remembers it, after the gateway was restarted. `head` must have been
    /// checked to be signed by this gateway.
    pub fn recovered(head: Acked, next_seq: u64, running: impl IntoIterator<Item = u64>) -> Tab {
        let running: BTreeSet<u64> = running.into_iter().collect();
        let after = running.last().map_or(0, |last| last.saturating_add(1));
        Tab {
            next_seq: next_seq.max(after).max(head.floor),
            running,
            head,
            confirmed: head,
            unconfirmed: VecDeque::new(),
        }
    }

    /// Takes the number of the next relay.
    pub fn begin(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.saturating_add(1);
        self.running.insert(seq);
        seq
    }

    /// A relay that the miner never took: there is nothing to acknowledge.
    pub fn void(&mut self, seq: u64) {
        self.running.remove(&seq);
    }

    /// A relay ended; `entry` says what it is worth. A relay that has ended already, or never
    /// began, changes nothing.
    pub fn finish(&mut self, seq: u64, entry: AckEntry) -> Result<(), AckOverflow> {
        if self.running.contains(&seq) {
            self.head = self.head.with(&entry)?;
            self.running.remove(&seq);
            self.unconfirmed.push_back(entry);
        }
        Ok(())
    }

    /// What a message acknowledges, and the entries that lead there from what the miner has seen.
    pub fn carry(&self) -> (Acked, Vec<AckEntry>) {
        let acked = Acked { floor: self.floor(), ..self.head };
        (acked, self.unconfirmed.iter().copied().collect())
    }

    /// The miner has seen a message that carried `acked`.
    pub fn confirm(&mut self, acked: &Acked) {
        let seen = acked.count.saturating_sub(self.confirmed.count);
        let seen = usize::try_from(seen).unwrap_or(usize::MAX).min(self.unconfirmed.len());
        self.unconfirmed.drain(..seen);
        let floor = self.confirmed.floor.max(acked.floor);
        if acked.count > self.confirmed.count {
            self.confirmed = *acked;
        }
        self.confirmed.floor = floor;
    }

    /// Whether the miner has not seen all that could be acknowledged.
    pub fn owes(&self) -> bool {
        !self.unconfirmed.is_empty() || self.floor() > self.confirmed.floor
    }

    /// Relays that the miner does not know to be acknowledged: those that its bound counts.
    pub fn unacknowledged(&self) -> usize {
        self.running.len() + self.unconfirmed.len()
    }

    /// The numbers of relays that started and have not finished.
    pub fn running(&self) -> impl Iterator<Item = u64> {
        self.running.iter().copied()
    }

    /// The number of the next relay.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Whether nothing runs and nothing is owed.
    pub fn is_square(&self) -> bool {
        self.running.is_empty() && !self.owes()
    }

    // A floor never goes back: numbers are given in order, and leave `running` for good.
    fn floor(&self) -> u64 {
        self.running.first().copied().unwrap_or(self.next_seq)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proto::relay::advance;
    use proto::{Cu, Digest};

    fn entry(seq: u64) -> AckEntry {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        AckEntry { relay_id: Digest(id), cu: Cu(seq * 7) }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Begin,
        Finish(prop::sample::Index),
        Void(prop::sample::Index),
        /// A message is made.
        Send,
        /// The message at this place arrives, in any order.
        Arrive(prop::sample::Index),
        /// The message at this place is lost.
        Lose(prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => Just(Step::Begin),
            3 => any::<prop::sample::Index>().prop_map(Step::Finish),
            1 => any::<prop::sample::Index>().prop_map(Step::Void),
            3 => Just(Step::Send),
            3 => any::<prop::sample::Index>().prop_map(Step::Arrive),
            1 => any::<prop::sample::Index>().prop_map(Step::Lose),
        ];
        prop::collection::vec(step, 0..80)
    }

    proptest! {
        #[test]
        fn a_miner_can_follow_whatever_overtakes_what(steps in steps()) {
            let (mut tab, mut known) = (Tab::default(), Acked::default());
            let (mut running, mut wire): (Vec<u64>, Vec<_>) = (Vec::new(), Vec::new());
            let mut finished = 0;
            for step in steps {
                match step {
                    Step::Begin => running.push(tab.begin()),
                    Step::Finish(at) if !running.is_empty() => {
                        let seq = running.swap_remove(at.index(running.len()));
                        tab.finish(seq, entry(seq)).unwrap();
                        finished += 1;
                    }
                    Step::Void(at) if !running.is_empty() => {
                        tab.void(running.swap_remove(at.index(running.len())));
                    }
                    Step::Send => wire.push(tab.carry()),
                    Step::Arrive(at) if !wire.is_empty() => {
                        let (acked, entries) = wire.swap_remove(at.index(wire.len()));
                        known = advance(&known, &entries, &acked).unwrap();
                        tab.confirm(&acked);
                    }
                    Step::Lose(at) if !wire.is_empty() => {
                        wire.swap_remove(at.index(wire.len()));
                    }
                    _ => {}
                }
            }
            let (acked, entries) = tab.carry();
            known = advance(&known, &entries, &acked).unwrap();
            tab.confirm(&acked);
            prop_assert_eq!(known.count, finished);
            prop_assert_eq!(known, acked);
            prop_assert!(!tab.owes());
            prop_assert_eq!(tab.unacknowledged(), running.len());
            prop_assert!(running.iter().all(|seq| *seq >= known.floor));
        }
    }

    #[test]
    fn a_restart_goes_on_from_what_the_miner_remembers() {
        let mut before = Tab::default();
        let (a, b) = (before.begin(), before.begin());
        before.finish(a, entry(a)).unwrap();
        let (known, _) = before.carry();
        let mut after = Tab::recovered(known, 2, [b]);
        assert!(!after.owes());
        after.finish(b, entry(b)).unwrap();
        let (acked, entries) = after.carry();
        assert!(advance(&known, &entries, &acked).is_ok());
        assert_eq!(after.begin(), 2);
    }

    #[test]
    fn a_relay_is_acknowledged_once() {
        let mut tab = Tab::default();
        let seq = tab.begin();
        tab.finish(seq, entry(seq)).unwrap();
        tab.finish(seq, entry(seq)).unwrap();
        assert_eq!(tab.carry().0.count, 1);
    }
}
