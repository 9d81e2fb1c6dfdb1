//! Who can be drawn for a service: suppliers in the order of ask and address, with their weights
//! on one line.
//!
//! ```text
//! index   [number | count | first | weight | heaviest]  one for each chunk, in order
//! chunk   [ask | operator | weight | capacity]          up to 256 suppliers, in order
//! spread  [density | weight | capacity]                 of all of them, from the least on
//!
//! line   |-- chunk --|---- chunk ----|-- chunk --|   those who ask no more than the price are a
//!        [------ eligible -------)                   beginning of it
//! ```
//! A draw reads the index and one chunk for each one drawn, however many suppliers there are.

mod record;
mod spread;

pub(crate) use record::{Entry, Place};

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::keys;
use proto::draw::Stretch;
use proto::names::ROSTER_MAX;
use proto::price::Asks;
use proto::service::ServiceId;
use proto::{Address, Cu, Ppm, Price};
use record::Summary;
use spread::Spread;
use std::collections::{BTreeMap, BTreeSet};

/// Suppliers in one chunk at most; a full one is split in two.
const CHUNK_MAX: usize = 256;

/// Two neighbouring chunks that hold no more than this together become one, so that the index stays
/// short whatever comes and goes.
const MERGED_MAX: usize = CHUNK_MAX / 2;

/// The roster of one service. Chunks are read when they are needed.
pub(crate) struct Roster {
    service: ServiceId,
    index: Vec<Summary>,
    chunks: BTreeMap<u32, Vec<Entry>>,
    /// Chunks that are not as they are stored.
    changed: BTreeSet<u32>,
    count: usize,
    /// Read when it is needed.
    spread: Option<Spread>,
}

impl Roster {
    pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) -> Roster {
        let bytes = draft.get(&keys::roster(service)).unwrap_or_default();
        let index = record::read_index(&bytes);
        let count = index.iter().map(|summary| summary.count as usize).sum();
        let (chunks, changed) = (BTreeMap::new(), BTreeSet::new());
        Roster { service: service.clone(), index, chunks, changed, count, spread: None }
    }

    fn chunk<H: Host>(&mut self, draft: &mut Draft<'_, H>, number: u32) -> &mut Vec<Entry> {
        let service = &self.service;
        self.chunks.entry(number).or_insert_with(|| {
            let bytes = draft.get(&keys::roster_chunk(service, number)).unwrap_or_default();
            record::read_chunk(&bytes)
        })
    }

    fn spread<H: Host>(&mut self, draft: &mut Draft<'_, H>) -> &mut Spread {
        let service = &self.service;
        self.spread.get_or_insert_with(|| {
            Spread::read(&draft.get(&keys::roster_spread(service)).unwrap_or_default())
        })
    }

    /// Where in the index something at `place` is, or would be.
    fn at(&self, place: &Place) -> usize {
        self.index.partition_point(|summary| summary.first <= *place).saturating_sub(1)
    }

    /// Puts a supplier on the roster, unless it is full.
    pub(crate) fn insert<H: Host>(&mut self, draft: &mut Draft<'_, H>, entry: Entry) {
        if self.count >= ROSTER_MAX {
            let event = Event::new("lode_roster_full").with("service", &self.service);
            return draft.emit(event.with("operator", entry.operator));
        }
        let at = self.at(&entry.place());
        let number = self.index.get(at).map_or(0, |summary| summary.number);
        let entries = self.chunk(draft, number);
        let Err(place) = entries.binary_search_by_key(&entry.place(), Entry::place) else { return };
        entries.insert(place, entry);
        let upper = (entries.len() > CHUNK_MAX).then(|| entries.split_off(CHUNK_MAX / 2));
        self.count += 1;
        self.spread(draft).add(&entry);
        self.summarise(at, number);
        if let Some(upper) = upper {
            let number = self.unused();
            self.chunks.insert(number, upper);
            self.index.insert(at + 1, Summary { number, ..self.index[at] });
            self.summarise(at + 1, number);
        }
    }

    /// Takes a supplier off the roster, if it is on it.
    pub(crate) fn remove<H: Host>(&mut self, draft: &mut Draft<'_, H>, place: Place) {
        let at = self.at(&place);
        let Some(number) = self.index.get(at).map(|summary| summary.number) else { return };
        let entries = self.chunk(draft, number);
        let Ok(found) = entries.binary_search_by_key(&place, Entry::place) else { return };
        let entry = entries.remove(found);
        self.count -= 1;
        self.spread(draft).remove(&entry);
        self.summarise(at, number);
        self.merge(draft, at);
        self.merge(draft, at.saturating_sub(1));
    }

    /// Joins the chunk at `at` with the next one, if both are small.
    fn merge<H: Host>(&mut self, draft: &mut Draft<'_, H>, at: usize) {
        let (Some(left), Some(right)) = (self.index.get(at), self.index.get(at + 1)) else {
            return;
        };
        if (left.count + right.count) as usize > MERGED_MAX {
            return;
        }
        let (left, right) = (left.number, right.number);
        let upper = std::mem::take(self.chunk(draft, right));
        self.chunk(draft, left).extend(upper);
        self.summarise(at + 1, right);
        self.summarise(at, left);
    }

    /// Brings the index up to date with the chunk `number` at `at`.
    fn summarise(&mut self, at: usize, number: u32) {
        self.changed.insert(number);
        let entries = self.chunks.get(&number).map(Vec::as_slice).unwrap_or_default();
        match (Summary::of(number, entries), self.index.get_mut(at)) {
            (Some(summary), Some(before)) => *before = summary,
            (Some(summary), None) => self.index.push(summary),
            (None, Some(_)) => drop(self.index.remove(at)),
            (None, None) => {}
        }
    }

    /// A number that no chunk has.
    fn unused(&self) -> u32 {
        self.index.iter().map(|summary| summary.number).max().map_or(0, |number| number + 1)
    }

    /// Writes what changed.
    pub(crate) fn store<H: Host>(self, draft: &mut Draft<'_, H>) {
        if self.changed.is_empty() {
            return;
        }
        for number in self.changed {
            let key = keys::roster_chunk(&self.service, number);
            match self.chunks.get(&number).filter(|entries| !entries.is_empty()) {
                Some(entries) => draft.set(key, record::write_chunk(entries)),
                None => draft.delete(key),
            }
        }
        draft.set(keys::roster(&self.service), record::write_index(&self.index));
        if let Some(spread) = self.spread {
            draft.set(keys::roster_spread(&self.service), spread.write());
        }
    }

    /// How much of the line asks no more than `price`.
    pub(crate) fn eligible<H: Host>(&mut self, draft: &mut Draft<'_, H>, price: Price) -> u64 {
        let reached = self.index.partition_point(|summary| summary.first.0 <= price);
        let Some(last) = reached.checked_sub(1) else { return 0 };
        let whole = self.index[..last].iter().map(|summary| summary.weight);
        let whole = whole.fold(0, u64::saturating_add);
        // Asks beyond the price may begin within the last chunk.
        let part = self.chunk(draft, self.index[last].number);
        let part = part.iter().take_while(|entry| entry.ask <= price).map(|entry| entry.weight);
        part.fold(whole, u64::saturating_add)
    }

    /// Who lies at `point` of the line, and where that one's stretch is.
    pub(crate) fn who<H: Host>(
        &mut self,
        draft: &mut Draft<'_, H>,
        point: u64,
    ) -> Option<(Address, Stretch)> {
        let mut start = 0u64;
        let ends_after = |summary: &&Summary| {
            let end = start.saturating_add(summary.weight);
            let after = point < end;
            start = if after { start } else { end };
            after
        };
        let number = self.index.iter().find(ends_after)?.number;
        for entry in self.chunk(draft, number) {
            if point < start.saturating_add(entry.weight) {
                return Some((entry.operator, Stretch { start, weight: entry.weight }));
            }
            start = start.saturating_add(entry.weight);
        }
        None
    }

    /// What all on the roster can do in a session.
    pub(crate) fn supply<H: Host>(&mut self, draft: &mut Draft<'_, H>) -> Cu {
        self.spread(draft).supply()
    }

    /// Where the asks lie, when no supplier counts for more than the part `cap` of all weight.
    pub(crate) fn asks<H: Host>(&mut self, draft: &mut Draft<'_, H>, cap: Ppm) -> Option<Asks> {
        let all = self.index.iter().map(|summary| u128::from(summary.weight)).sum();
        let most = proto::price::most_of(all, cap);
        // Few can weigh more than a part of all, so few chunks are read.
        let mut counted = Vec::with_capacity(self.index.len());
        for summary in self.index.clone() {
            counted.push(match u128::from(summary.heaviest) > most {
                true => weight_within(self.chunk(draft, summary.number), most),
                false => summary.weight.into(),
            });
        }
        let median = self.ask_at(draft, &counted, most, Ppm(500_000))?;
        let p25 = self.ask_at(draft, &counted, most, Ppm(250_000))?;
        Some(Asks { median, p25 })
    }

    /// The least ask such that a part `part` of the counted weight asks that or less.
    fn ask_at<H: Host>(
        &mut self,
        draft: &mut Draft<'_, H>,
        counted: &[u128],
        most: u128,
        part: Ppm,
    ) -> Option<Price> {
        let total: u128 = counted.iter().sum();
        let wanted = proto::price::rank(total, part);
        let mut seen = 0u128;
        let at = counted.iter().position(|weight| {
            let reached = seen + weight >= wanted;
            seen += if reached { 0 } else { *weight };
            reached
        })?;
        let number = self.index.get(at)?.number;
        let reaches = |entry: &&Entry| {
            seen += u128::from(entry.weight).min(most);
            seen >= wanted
        };
        self.chunk(draft, number).iter().find(reaches).map(|entry| entry.ask)
    }
}

fn weight_within(entries: &[Entry], most: u128) -> u128 {
    entries.iter().map(|entry| u128::from(entry.weight).min(most)).sum()
}
