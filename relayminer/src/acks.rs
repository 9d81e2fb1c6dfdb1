//! What a gateway acknowledged in one session, and what links a relay to its signature.
//!
//! ```text
//! entries   e0   e1   e2   e3   e4          in the order in which they were acknowledged
//! hashes  0 -> h0 -> h1 -> h2 -> h3 -> h4   each over the one before and its entry
//! heads              s2             s5      signed by the gateway: covers all entries so far
//! ```
//! A leaf shows the hash before its entry, the entries from there to the nearest head, and that head.

use crate::book::Place;
use proto::relay::{AckEntry, AckRefused, Acked, advance};
use proto::{Cu, Digest};
use std::collections::HashMap;

/// The acknowledgements of one session.
#[derive(Clone, Debug, Default)]
pub struct Acks {
    known: Acked,
    entries: Vec<AckEntry>,
    /// The hash of the chain after each entry.
    hashes: Vec<Digest>,
    by_relay: HashMap<Digest, u32>,
    /// What signed how many entries, in rising order.
    heads: Vec<Head>,
    /// What signed most, and the highest floor for that.
    last: Option<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    count: u64,
    place: Place,
}

/// What a message adds to what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is known after it.
    pub known: Acked,
    /// The entries that were not known.
    pub fresh: Vec<AckEntry>,
    /// Whether the message signs all that is known after it.
    pub signs: bool,
}

/// How a relay is linked to something that its gateway signed.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub before: Digest,
    /// The relay's own entry first.
    pub tail: &'a [AckEntry],
    /// Where the signed message is.
    pub head: Place,
}

impl Acks {
    /// All that is acknowledged.
    pub fn known(&self) -> &Acked {
        &self.known
    }

    /// Where the message is that signed most of it.
    pub fn last(&self) -> Option<Place> {
        self.last
    }

    /// What a message that claims `claimed` with `entries` would add.
    pub fn judge(&self, entries: &[AckEntry], claimed: &Acked) -> Result<Step, AckRefused> {
        let known = advance(&self.known, entries, claimed)?;
        let fresh = usize::try_from(known.count - self.known.count).unwrap_or(usize::MAX);
        let fresh = entries[entries.len().saturating_sub(fresh)..].to_vec();
        let raised = known != self.known;
        Ok(Step { known, fresh, signs: raised && claimed.count == known.count })
    }

    /// Takes what [`Acks::judge`] found; the message is at `place`.
    pub fn take(&mut self, step: &Step, place: Place) {
        let mut acked = self.known;
        for entry in &step.fresh {
            acked.hash = proto::relay::link(&acked.hash, entry);
            let index = self.entries.len() as u32;
            self.entries.push(*entry);
            self.hashes.push(acked.hash);
            self.note(entry, index);
        }
        self.known = step.known;
        if !step.fresh.is_empty() {
            self.heads.push(Head { count: step.known.count, place });
        }
        if step.signs {
            self.last = Some(place);
        }
    }

    // Of two entries for one relay the larger one counts: both are signed.
    fn note(&mut self, entry: &AckEntry, index: u32) {
        let place = self.by_relay.entry(entry.relay_id).or_insert(index);
        if self.entries[*place as usize].cu < entry.cu {
            *place = index;
        }
    }

    /// What is acknowledged for a relay.
    pub fn of(&self, relay_id: &Digest) -> Option<Cu> {
        self.by_relay.get(relay_id).map(|index| self.entries[*index as usize].cu)
    }

    /// What links a relay to a signature.
    pub fn link(&self, relay_id: &Digest) -> Option<Link<'_>> {
        let index = *self.by_relay.get(relay_id)? as usize;
        let head = self.heads.partition_point(|head| head.count <= index as u64);
        let head = self.heads.get(head)?;
        let before = index.checked_sub(1).map_or(Digest::default(), |i| self.hashes[i]);
        let end = usize::try_from(head.count).ok()?;
        Some(Link { before, tail: self.entries.get(index..end)?, head: head.place })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(id: u8, cu: u64) -> AckEntry {
        AckEntry { relay_id: Digest([id; 32]), cu: Cu(cu) }
    }

    fn chained(entries: &[AckEntry]) -> Acked {
        entries.iter().fold(Acked::default(), |acked, entry| acked.with(entry).unwrap())
    }

    fn place(at: u64) -> Place {
        Place { at, length: 1 }
    }

    proptest! {
        #[test]
        fn every_entry_leads_to_a_head_that_covers_it(cuts in prop::collection::vec(1usize..6, 1..12)) {
            let all: Vec<AckEntry> = (0..cuts.iter().sum::<usize>() as u8).map(|i| entry(i, 7)).collect();
            let (mut acks, mut upto) = (Acks::default(), 0);
            let mut signed = Vec::new();
            for cut in cuts {
                upto += cut;
                // What is known already is sent again now and then.
                let (claimed, from) = (chained(&all[..upto]), (upto - cut).saturating_sub(2));
                let step = acks.judge(&all[from..upto], &claimed).unwrap();
                prop_assert_eq!(step.fresh.len(), cut);
                acks.take(&step, place(upto as u64));
                signed.push(claimed);
            }
            for (i, entry) in all.iter().enumerate() {
                let link = acks.link(&entry.relay_id).unwrap();
                let reached = link.tail.iter().fold(link.before, |h, e| proto::relay::link(&h, e));
                let head = signed.iter().find(|acked| acked.count == link.head.at).unwrap();
                prop_assert_eq!(reached, head.hash);
                prop_assert_eq!(link.tail[0], all[i]);
            }
        }
    }

    #[test]
    fn a_message_that_was_overtaken_changes_nothing() {
        let all = [entry(1, 5), entry(2, 6)];
        let mut acks = Acks::default();
        let step = acks.judge(&all, &chained(&all)).unwrap();
        acks.take(&step, place(1));
        let late = acks.judge(&all[..1], &chained(&all[..1])).unwrap();
        assert_eq!((late.known, late.fresh.len(), late.signs), (chained(&all), 0, false));
    }

    #[test]
    fn of_two_acknowledgements_the_larger_counts() {
        for cus in [[3, 9], [9, 3]] {
            let all = [entry(1, cus[0]), entry(1, cus[1])];
            let mut acks = Acks::default();
            acks.take(&acks.judge(&all, &chained(&all)).unwrap(), place(1));
            assert_eq!(acks.of(&Digest([1; 32])), Some(Cu(9)));
            assert_eq!(acks.link(&Digest([1; 32])).unwrap().tail[0].cu, Cu(9));
        }
    }
}
