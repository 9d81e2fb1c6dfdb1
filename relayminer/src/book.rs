//! The book of one session: an append-only file, and what its records add up to.
//!
//! ```text
//! opened | accepted r0 | accepted r1 | receipt r1 | checkpoint r0 | acked | receipt r0 | claimed | …
//! ```
//! Relays, acknowledgements, budget and claims are all folded from the records, at start and while
//! relays run by the same code: what a restart finds is what was there.

mod file;
mod frame;
mod journal;
mod log;
mod record;
#[cfg(test)]
mod tests;
mod writer;

pub use file::{OpenRefused, Opening, Reader, list, open, path_in, remove, scan};
pub use frame::{HEADER, Place, RECORD_MAX, frame};
pub use journal::JournalRefused;
pub use log::Log;
pub use record::{Accepted, BadRecord, Claimed, Opened, Record};
pub use writer::{Pending, Slot, StartFailed, WriteFailed, Writer, WriterTask};

use crate::acks::{Acks, Step};
use proto::claim::{ClaimRoot, Settled};
use proto::relay::{AckRefused, Envelope, Receipt, Signed, Status};
use proto::session::{Seat, Session};
use proto::{Cu, Digest, Height};
use std::collections::{HashMap, HashSet};

/// One relay as the book has it.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    pub id: Digest,
    pub seq: u64,
    /// What is reserved for it until it ends.
    pub max_cu: Cu,
    /// The height at which it started.
    pub started: Height,
    /// Where its request is.
    pub accepted: Place,
    /// Where its latest checkpoint is.
    pub checkpoint: Option<Place>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// How a relay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    pub cu: Cu,
    /// Where its receipt is.
    pub receipt: Place,
}

/// How a session ended for this supplier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Settled(Box<Settled>),
    /// It was over at that height, and no claim of it was on the chain.
    Unclaimed(Height),
}

/// The records of one session, added up.
#[derive(Clone, Debug)]
pub struct Book {
    opened: Opened,
    relays: Vec<Relay>,
    by_id: HashMap<Digest, u32>,
    seqs: HashSet<u64>,
    next_seq: u64,
    acks: Acks,
    booked: Cu,
    reserved: Cu,
    running: usize,
    unacked: usize,
    short: usize,
    claims: Vec<Claimed>,
    included: Option<(ClaimRoot, Height)>,
    drawn: Option<Digest>,
    shown: Option<(Height, bool)>,
    end: Option<End>,
    length: u64,
}

/// Why a record does not follow from those before it.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    #[error("the record at byte {at} opens a session, which only the first record can")]
    OpenedAgain { at: u64 },
    #[error("the record at byte {at} is of relay {relay_id}, which was not let in or has ended")]
    NotRunning { at: u64, relay_id: Digest },
    #[error("the record at byte {at} lets relay {relay_id} in a second time")]
    Repeated { at: u64, relay_id: Digest },
    #[error("the record at byte {at} adds up to more compute units than can be counted")]
    Overflow { at: u64 },
    #[error("the acknowledgement at byte {at} does not follow: {source}")]
    Acks { at: u64, source: Box<AckRefused> },
}

impl Book {
    /// The book of a session of which nothing has happened.
    pub fn new(opened: Opened) -> Book {
        let length = HEADER + frame(&Record::Opened(Box::new(opened.clone()))).len() as u64;
        Book {
            opened,
            relays: Vec::new(),
            by_id: HashMap::new(),
            seqs: HashSet::new(),
            next_seq: 0,
            acks: Acks::default(),
            booked: Cu(0),
            reserved: Cu(0),
            running: 0,
            unacked: 0,
            short: 0,
            claims: Vec::new(),
            included: None,
            drawn: None,
            shown: None,
            end: None,
            length,
        }
    }

    /// Adds the next record, and returns its frame for the file.
    pub fn add(&mut self, record: &Record) -> Result<Vec<u8>, Misfit> {
        let framed = frame(record);
        self.take(record, framed.len() as u32)?;
        Ok(framed)
    }

    /// Adds the next record of the file, whose frame has `length` bytes.
    fn take(&mut self, record: &Record, length: u32) -> Result<(), Misfit> {
        let place = Place { at: self.length, length };
        match record {
            Record::Opened(_) => return Err(Misfit::OpenedAgain { at: place.at }),
            Record::Accepted(accepted) => self.accept(accepted, place)?,
            Record::Checkpoint(receipt) => self.check(receipt, place)?,
            Record::Receipt(receipt) => self.finish(receipt, place)?,
            Record::Acked(update) => {
                let misfit = |refused| Misfit::Acks { at: place.at, source: Box::new(refused) };
                let acked = &update.ack.body.acked;
                let step = self.acks.judge(&update.entries, acked).map_err(misfit)?;
                self.acknowledge(&step, place);
            }
            Record::Claimed(claimed) => self.claims.push(*claimed),
            Record::Included { root, height } => self.included = Some((*root, *height)),
            Record::Drawn { seed } => self.drawn = Some(*seed),
            Record::Shown { height, right } => self.shown = Some((*height, *right)),
            Record::Settled(settled) => self.end = Some(End::Settled(settled.clone())),
            Record::Unclaimed { height } => self.end = Some(End::Unclaimed(*height)),
        }
        self.length = place.end();
        Ok(())
    }

    fn accept(&mut self, accepted: &Accepted, place: Place) -> Result<(), Misfit> {
        let Envelope { request, entries } = &accepted.envelope;
        let (at, request) = (place.at, &request.body);
        if self.by_id.contains_key(&request.relay_id) {
            return Err(Misfit::Repeated { at, relay_id: request.relay_id });
        }
        let reserved = self.reserved.checked_add(request.max_cu);
        let reserved = reserved.ok_or(Misfit::Overflow { at })?;
        let misfit = |refused| Misfit::Acks { at, source: Box::new(refused) };
        let step = self.acks.judge(entries, &request.acked).map_err(misfit)?;
        self.acknowledge(&step, place);
        self.by_id.insert(request.relay_id, self.relays.len() as u32);
        self.seqs.insert(request.seq);
        self.next_seq = self.next_seq.max(request.seq.saturating_add(1));
        self.relays.push(Relay {
            id: request.relay_id,
            seq: request.seq,
            max_cu: request.max_cu,
            started: accepted.height,
            accepted: place,
            checkpoint: None,
            outcome: None,
        });
        self.reserved = reserved;
        self.running += 1;
        self.unacked += usize::from(self.acks.of(&request.relay_id).is_none());
        Ok(())
    }

    fn check(&mut self, receipt: &Signed<Receipt>, place: Place) -> Result<(), Misfit> {
        let relay = self.running_relay(&receipt.body.relay_id, place.at)?;
        relay.checkpoint = Some(place);
        Ok(())
    }

    fn finish(&mut self, receipt: &Signed<Receipt>, place: Place) -> Result<(), Misfit> {
        let Receipt { relay_id, cu, status, .. } = receipt.body;
        let booked = self.booked.checked_add(cu).ok_or(Misfit::Overflow { at: place.at })?;
        let relay = self.running_relay(&relay_id, place.at)?;
        relay.outcome = Some(Outcome { status, cu, receipt: place });
        let relay = *relay;
        self.booked = booked;
        self.reserved = self.reserved.saturating_sub(relay.max_cu);
        self.running -= 1;
        self.short += usize::from(self.is_short(&relay));
        Ok(())
    }

    fn running_relay(&mut self, relay_id: &Digest, at: u64) -> Result<&mut Relay, Misfit> {
        let missing = Misfit::NotRunning { at, relay_id: *relay_id };
        match self.by_id.get(relay_id) {
            Some(index) if self.relays[*index as usize].outcome.is_none() => {
                Ok(&mut self.relays[*index as usize])
            }
            _ => Err(missing),
        }
    }

    fn acknowledge(&mut self, step: &Step, place: Place) {
        let mut named: Vec<u32> =
            step.fresh.iter().filter_map(|e| self.by_id.get(&e.relay_id).copied()).collect();
        named.sort_unstable();
        named.dedup();
        let (unacked, short) = self.owing(&named);
        self.acks.take(step, place);
        let after = self.owing(&named);
        self.unacked = self.unacked - unacked + after.0;
        self.short = self.short - short + after.1;
    }

    /// How many of these relays are not acknowledged, and how many for too little.
    fn owing(&self, indices: &[u32]) -> (usize, usize) {
        let relays = || indices.iter().map(|index| &self.relays[*index as usize]);
        let unacked = relays().filter(|relay| self.acks.of(&relay.id).is_none()).count();
        (unacked, relays().filter(|relay| self.is_short(relay)).count())
    }

    /// Whether a relay ran to its end and less than half of it is acknowledged. One whose client left
    /// may be: the gateway saw less of it.
    fn is_short(&self, relay: &Relay) -> bool {
        let completed = relay.outcome.filter(|outcome| outcome.status == Status::Completed);
        let acked = self.acks.of(&relay.id);
        completed.zip(acked).is_some_and(|(outcome, acked)| acked.0 < outcome.cu.0 / 2)
    }
}

// What a book says.
impl Book {
    /// Whose book it is, and of which session.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.opened.session
    }

    /// The supplier's seat in the session.
    pub fn seat(&self) -> Option<&Seat> {
        self.opened.session.seat(&self.opened.operator)
    }

    /// All relays, in the order in which they were let in.
    pub fn relays(&self) -> &[Relay] {
        &self.relays
    }

    /// One relay.
    pub fn relay(&self, id: &Digest) -> Option<&Relay> {
        self.by_id.get(id).map(|index| &self.relays[*index as usize])
    }

    /// Whether a relay with that number was let in.
    pub fn has_seq(&self, seq: u64) -> bool {
        self.seqs.contains(&seq)
    }

    /// The number after the highest that was used.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What is acknowledged.
    pub fn acks(&self) -> &Acks {
        &self.acks
    }

    /// What ended relays were billed.
    pub fn booked(&self) -> Cu {
        self.booked
    }

    /// What may still be reserved of the session's budget.
    pub fn left(&self) -> Cu {
        self.session().budget_cu().saturating_sub(self.booked).saturating_sub(self.reserved)
    }

    /// Relays that did not end.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Relays that are not acknowledged, running ones included.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    /// Relays that ran to their end and are acknowledged for less than half.
    pub fn short(&self) -> usize {
        self.short
    }

    /// All claims that were, or were about to be, sent.
    pub fn claims(&self) -> &[Claimed] {
        &self.claims
    }

    /// The claim that is on the chain, and since when.
    pub fn included(&self) -> Option<(ClaimRoot, Height)> {
        self.included
    }

    /// The seed that says whether the claim must be proven.
    pub fn drawn(&self) -> Option<Digest> {
        self.drawn
    }

    /// When the drawn leaves were shown, and whether the chain found them right.
    pub fn shown(&self) -> Option<(Height, bool)> {
        self.shown
    }

    /// How it ended.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }
}
