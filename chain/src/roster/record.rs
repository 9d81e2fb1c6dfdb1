//! The bytes of a roster: fixed lengths, so that a place in it is found without reading the rest.

use proto::{Address, Price};

/// Where a supplier is in the order of a roster: by ask, then by address.
pub(crate) type Place = (Price, Address);

/// One supplier on a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) ask: Price,
    pub(crate) operator: Address,
    pub(crate) weight: u64,
    /// Compute units in one session.
    pub(crate) capacity: u64,
}

/// One chunk in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Which record the chunk is.
    pub(super) number: u32,
    pub(super) count: u32,
    pub(super) first: Place,
    pub(super) weight: u64,
    /// The weight of the one that weighs most.
    pub(super) heaviest: u64,
}

pub(super) const ENTRY_BYTES: usize = 44;
pub(super) const SUMMARY_BYTES: usize = 52;

impl Entry {
    pub(super) fn place(&self) -> Place {
        (self.ask, self.operator)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.ask.0.to_be_bytes());
        out.extend(self.operator.0);
        out.extend(self.weight.to_be_bytes());
        out.extend(self.capacity.to_be_bytes());
    }

    fn read(bytes: &[u8; ENTRY_BYTES]) -> Entry {
        Entry {
            ask: Price(u64::from_be_bytes(part(bytes, 0))),
            operator: Address(part(bytes, 8)),
            weight: u64::from_be_bytes(part(bytes, 28)),
            capacity: u64::from_be_bytes(part(bytes, 36)),
        }
    }
}

impl Summary {
    /// The summary of a chunk; none of an empty one.
    pub(super) fn of(number: u32, entries: &[Entry]) -> Option<Summary> {
        let sum = |of: fn(&Entry) -> u64| entries.iter().map(of).fold(0u64, u64::saturating_add);
        Some(Summary {
            number,
            count: entries.len() as u32,
            first: entries.first()?.place(),
            weight: sum(|entry| entry.weight),
            heaviest: entries.iter().map(|entry| entry.weight).max()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.number.to_be_bytes());
        out.extend(self.count.to_be_bytes());
        out.extend(self.first.0.0.to_be_bytes());
        out.extend(self.first.1.0);
        out.extend(self.weight.to_be_bytes());
        out.extend(self.heaviest.to_be_bytes());
    }

    fn read(bytes: &[u8; SUMMARY_BYTES]) -> Summary {
        Summary {
            number: u32::from_be_bytes(part(bytes, 0)),
            count: u32::from_be_bytes(part(bytes, 4)),
            first: (Price(u64::from_be_bytes(part(bytes, 8))), Address(part(bytes, 16))),
            weight: u64::from_be_bytes(part(bytes, 36)),
            heaviest: u64::from_be_bytes(part(bytes, 44)),
        }
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

pub(super) fn write_chunk(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    entries.iter().for_each(|entry| entry.write(&mut bytes));
    bytes
}

pub(super) fn read_chunk(bytes: &[u8]) -> Vec<Entry> {
    bytes.as_chunks().0.iter().map(Entry::read).collect()
}

pub(super) fn write_index(index: &[Summary]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(index.len() * SUMMARY_BYTES);
    index.iter().for_each(|summary| summary.write(&mut bytes));
    bytes
}

pub(super) fn read_index(bytes: &[u8]) -> Vec<Summary> {
    bytes.as_chunks().0.iter().map(Summary::read).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_reads_back_as_it_was_written() {
        let entry = |n: u8| Entry {
            ask: Price(u64::from(n) << 40),
            operator: Address([n; 20]),
            weight: u64::from(n) * 3,
            capacity: u64::MAX - u64::from(n),
        };
        let entries = [entry(1), entry(2), entry(200)];
        assert_eq!(read_chunk(&write_chunk(&entries)), entries);
        let index = [Summary::of(7, &entries).unwrap(), Summary::of(u32::MAX, &entries).unwrap()];
        assert_eq!(read_index(&write_index(&index)), index);
    }
}
