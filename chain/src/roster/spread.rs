//! What a roster offers at each density: all that supply follows from, however many suppliers there
//! are.

use super::Entry;
use proto::Cu;
use proto::price::{Density, Stratum, supply};
use std::collections::BTreeMap;

/// Bytes of one density in a record: its number, weight and capacity.
const ONE_BYTES: usize = 26;

/// What is offered at each density.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread(BTreeMap<Density, Stratum>);

impl Spread {
    pub(super) fn add(&mut self, entry: &Entry) {
        let stratum = self.0.entry(density(entry)).or_default();
        stratum.weight = stratum.weight.saturating_add(entry.weight);
        stratum.capacity = stratum.capacity.saturating_add(entry.capacity.into());
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        let density = density(entry);
        if let Some(stratum) = self.0.get_mut(&density) {
            stratum.weight = stratum.weight.saturating_sub(entry.weight);
            stratum.capacity = stratum.capacity.saturating_sub(entry.capacity.into());
            if stratum.weight == 0 {
                self.0.remove(&density);
            }
        }
    }

    pub(super) fn supply(&self) -> Cu {
        let strata: Vec<_> = self.0.iter().map(|(density, stratum)| (*density, *stratum)).collect();
        supply(&strata)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * ONE_BYTES);
        for (density, stratum) in &self.0 {
            bytes.extend(density.number().to_be_bytes());
            bytes.extend(stratum.weight.to_be_bytes());
            bytes.extend(stratum.capacity.to_be_bytes());
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Spread {
        let one = |bytes: &[u8; ONE_BYTES]| {
            let (number, rest) = bytes.split_first_chunk()?;
            let (weight, capacity) = rest.split_first_chunk()?;
            let stratum = Stratum {
                weight: u64::from_be_bytes(*weight),
                capacity: u128::from_be_bytes(capacity.try_into().ok()?),
            };
            Some((Density::from_number(u16::from_be_bytes(*number)), stratum))
        };
        Spread(bytes.as_chunks().0.iter().filter_map(one).collect())
    }
}

fn density(entry: &Entry) -> Density {
    Density::of(entry.capacity, entry.weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Address, Price};

    fn entry(n: u8, capacity: u64) -> Entry {
        Entry { ask: Price(1), operator: Address([n; 20]), weight: 100 + u64::from(n), capacity }
    }

    #[test]
    fn a_spread_reads_back_and_forgets_who_left() {
        let mut spread = Spread::default();
        (0..50).for_each(|n| spread.add(&entry(n, 1 << n)));
        assert_eq!(Spread::read(&spread.write()), spread);
        assert_eq!(Spread::read(&[]), Spread::default());
        (0..50).for_each(|n| spread.remove(&entry(n, 1 << n)));
        assert_eq!(spread, Spread::default());
        assert_eq!(spread.supply(), Cu(0));
    }
}
