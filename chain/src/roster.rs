//! Who can be drawn for a service: suppliers in the order of ask and address, with their weights
//! on one line.
//!
//! ```text
//! index   [first | weight | capacity | count]  one entry for each chunk, in order
//! chunk   [ask | operator | weight | capacity] up to 256 suppliers, in order
//! ```
//! Those who ask no more than the price are a beginning of the line. A draw reads the index and
//! one chunk for each one drawn, however many suppliers there are.

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::draw::Stretch;
use proto::names::ROSTER_MAX;
use proto::price::{Asks, quantile};
use proto::service::ServiceId;
use proto::supplier::Offer;
use proto::{Address, Cu, Ppm, Price};

/// Suppliers in one chunk at most; a full one is split in two.
const CHUNK_MAX: usize = 256;

/// One supplier in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    ask: Price,
    operator: Address,
    weight: u64,
    capacity: u64,
}

const ENTRY_BYTES: usize = 44;

/// One chunk in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summary {
    number: u32,
    first: (Price, Address),
    weight: u64,
    capacity: u64,
    count: u32,
}

const SUMMARY_BYTES: usize = 52;

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl Entry {
    fn place(&self) -> (Price, Address) {
        (self.ask, self.operator)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.ask.0.to_be_bytes());
        out.extend(self.operator.0);
        out.extend(self.weight.to_be_bytes());
        out.extend(self.capacity.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Entry {
        Entry {
            ask: Price(u64::from_be_bytes(number(bytes, 0))),
            operator: Address(number(bytes, 8)),
            weight: u64::from_be_bytes(number(bytes, 28)),
            capacity: u64::from_be_bytes(number(bytes, 36)),
        }
    }
}

impl Summary {
    fn of(number: u32, entries: &[Entry]) -> Option<Summary> {
        let sum = |of: fn(&Entry) -> u64| entries.iter().map(of).fold(0u64, u64::saturating_add);
        Some(Summary {
            number,
            first: entries.first()?.place(),
            weight: sum(|entry| entry.weight),
            capacity: sum(|entry| entry.capacity),
            count: entries.len() as u32,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.number.to_be_bytes());
        out.extend(self.first.0.0.to_be_bytes());
        out.extend(self.first.1.0);
        out.extend(self.weight.to_be_bytes());
        out.extend(self.capacity.to_be_bytes());
        out.extend(self.count.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Summary {
        Summary {
            number: u32::from_be_bytes(number(bytes, 0)),
            first: (Price(u64::from_be_bytes(number(bytes, 4))), Address(number(bytes, 12))),
            weight: u64::from_be_bytes(number(bytes, 32)),
            capacity: u64::from_be_bytes(number(bytes, 40)),
            count: u32::from_be_bytes(number(bytes, 48)),
        }
    }
}

fn load_index<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) -> Vec<Summary> {
    let bytes = draft.get(&keys::roster(service)).unwrap_or_default();
    bytes.chunks_exact(SUMMARY_BYTES).map(Summary::read).collect()
}

fn store_index<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId, index: &[Summary]) {
    let mut bytes = Vec::with_capacity(index.len() * SUMMARY_BYTES);
    index.iter().for_each(|summary| summary.write(&mut bytes));
    draft.set(keys::roster(service), bytes);
}

fn load_chunk<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId, chunk: u32) -> Vec<Entry> {
    let bytes = draft.get(&keys::roster_chunk(service, chunk)).unwrap_or_default();
    bytes.chunks_exact(ENTRY_BYTES).map(Entry::read).collect()
}

fn store_chunk<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    chunk: u32,
    entries: &[Entry],
) {
    if entries.is_empty() {
        return draft.delete(keys::roster_chunk(service, chunk));
    }
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    entries.iter().for_each(|entry| entry.write(&mut bytes));
    draft.set(keys::roster_chunk(service, chunk), bytes);
}

/// The chunk of the index in which something at `place` is, or would be.
fn chunk_of(index: &[Summary], place: &(Price, Address)) -> usize {
    index.partition_point(|summary| summary.first <= *place).saturating_sub(1)
}

/// An empty roster for a service that was just listed.
pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) {
    store_index(draft, service, &[]);
}

/// Puts a supplier on the roster. Without weight, or on a full roster, it is not.
pub(crate) fn insert<H: Host>(
    draft: &mut Draft<'_, H>,
    offer: &Offer,
    operator: &Address,
    weight: u64,
) {
    let mut index = load_index(draft, &offer.service);
    let count: usize = index.iter().map(|summary| summary.count as usize).sum();
    if weight == 0 || count >= ROSTER_MAX {
        return;
    }
    let entry = Entry { ask: offer.ask, operator: *operator, weight, capacity: offer.capacity };
    let at = chunk_of(&index, &entry.place());
    let fresh = index.iter().map(|summary| summary.number + 1).max().unwrap_or(0);
    let chunk = index.get(at).map_or(fresh, |summary| summary.number);
    let mut entries = load_chunk(draft, &offer.service, chunk);
    let place = entries.partition_point(|other| other.place() < entry.place());
    entries.insert(place, entry);
    let mut parts = vec![(chunk, entries)];
    if parts[0].1.len() > CHUNK_MAX {
        let upper = parts[0].1.split_off(CHUNK_MAX / 2);
        parts.push((fresh, upper));
    }
    let summaries: Vec<Summary> =
        parts.iter().filter_map(|(number, entries)| Summary::of(*number, entries)).collect();
    index.splice(at..(at + 1).min(index.len()), summaries);
    for (number, entries) in &parts {
        store_chunk(draft, &offer.service, *number, entries);
    }
    store_index(draft, &offer.service, &index);
}

/// Takes a supplier off the roster, if it is on it.
pub(crate) fn remove<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    ask: Price,
    operator: &Address,
) {
    let mut index = load_index(draft, service);
    let at = chunk_of(&index, &(ask, *operator));
    let Some(summary) = index.get(at).copied() else { return };
    let mut entries = load_chunk(draft, service, summary.number);
    entries.retain(|entry| entry.place() != (ask, *operator));
    store_chunk(draft, service, summary.number, &entries);
    match Summary::of(summary.number, &entries) {
        Some(fresh) => index[at] = fresh,
        None => {
            index.remove(at);
        }
    }
    store_index(draft, service, &index);
}

/// The part of a roster that asks no more than a price.
pub(crate) struct Eligible {
    service: ServiceId,
    /// The weight before each chunk, and the chunk.
    chunks: Vec<(u64, u32)>,
    /// The weight of all.
    pub(crate) weight: u64,
}

/// Who may be drawn at `price`.
pub(crate) fn eligible<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    price: Price,
) -> Eligible {
    let index = load_index(draft, service);
    let reached = index.partition_point(|summary| summary.first.0 <= price);
    let mut weight = 0u64;
    let mut chunks = Vec::with_capacity(reached);
    for (i, summary) in index[..reached].iter().enumerate() {
        chunks.push((weight, summary.number));
        weight = weight.saturating_add(match i + 1 == reached {
            // Asks beyond the price may begin within the last chunk.
            true => load_chunk(draft, service, summary.number)
                .iter()
                .take_while(|entry| entry.ask <= price)
                .map(|entry| entry.weight)
                .sum(),
            false => summary.weight,
        });
    }
    Eligible { service: service.clone(), chunks, weight }
}

impl Eligible {
    /// Who lies at `point` of the line, and where that one's stretch is.
    pub(crate) fn at<H: Host>(
        &self,
        draft: &mut Draft<'_, H>,
        point: u64,
    ) -> Option<(Address, Stretch)> {
        let place = self.chunks.partition_point(|(before, _)| *before <= point).checked_sub(1)?;
        let (mut start, chunk) = self.chunks[place];
        for entry in load_chunk(draft, &self.service, chunk) {
            if point < start.saturating_add(entry.weight) {
                return Some((entry.operator, Stretch { start, weight: entry.weight }));
            }
            start = start.saturating_add(entry.weight);
        }
        None
    }
}

/// What all on the roster can do in a session.
pub(crate) fn capacity<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) -> Cu {
    let index = load_index(draft, service);
    Cu(index.iter().map(|summary| summary.capacity).fold(0, u64::saturating_add))
}

/// Where the asks lie. In a roster of one chunk no supplier counts for more than `cap`; in a larger
/// one none weighs that much, and the index leads to the chunk.
pub(crate) fn asks<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    cap: Ppm,
) -> Option<Asks> {
    let index = load_index(draft, service);
    Some(Asks {
        median: ask_at(draft, service, &index, Ppm(500_000), cap)?,
        p25: ask_at(draft, service, &index, Ppm(250_000), cap)?,
    })
}

fn ask_at<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    index: &[Summary],
    part: Ppm,
    cap: Ppm,
) -> Option<Price> {
    let pairs = |entries: &[Entry]| -> Vec<(Price, u64)> {
        entries.iter().map(|entry| (entry.ask, entry.weight)).collect()
    };
    if let [only] = index {
        return quantile(&pairs(&load_chunk(draft, service, only.number)), part, cap);
    }
    let total: u128 = index.iter().map(|summary| u128::from(summary.weight)).sum();
    let wanted = (total * u128::from(part.0)).div_ceil(1_000_000).max(1);
    let mut before = 0u128;
    for summary in index {
        if before + u128::from(summary.weight) >= wanted {
            let mut seen = before;
            return pairs(&load_chunk(draft, service, summary.number))
                .into_iter()
                .find(|(_, weight)| {
                    seen += u128::from(*weight);
                    seen >= wanted
                })
                .map(|(ask, _)| ask);
        }
        before += u128::from(summary.weight);
    }
    None
}
