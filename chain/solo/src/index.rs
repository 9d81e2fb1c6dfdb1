//! The index of what happened: which blocks and transactions an event's attribute names.
//!
//! A key is `kind.attribute 0x00 value 0x00 height index`, so that all places of one attribute's value
//! lie in the order of the chain.

use crate::block::Sealed;
use crate::store::{Indexed, Store, StoreError};
use std::collections::BTreeSet;
use tendermint_proto::v0_38::abci::Event;
use tendermint_rpc::query::{Condition, Operand, Operation, Query};

/// Bytes of an attribute's value at most, to be found: longer ones are no names.
const VALUE_MAX: usize = 256;

/// Index keys that one search may look at: more must be narrowed by height.
pub(crate) const SEARCH_SCAN_MAX: usize = 100_000;

/// Bytes of a query's text at most, as in CometBFT.
pub(crate) const QUERY_MAX: usize = 512;

/// Where a transaction is; a block has index 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) height: u64,
    pub(crate) index: u32,
}

/// Why a search gives no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchRefused {
    #[error("the query has {0} bytes, at most {QUERY_MAX} are taken")]
    TooLong(usize),
    #[error("{0:?} is no query: {1}")]
    Malformed(String, String),
    #[error(
        "{0}: only heights can be compared with < and >, other attributes with =, EXISTS and CONTAINS"
    )]
    NotSearchable(String),
    #[error("the search would look at more than {SEARCH_SCAN_MAX} places: narrow it by height")]
    TooMuch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a query as CometBFT writes it.
pub(crate) fn parse(text: &str) -> Result<Query, SearchRefused> {
    if text.len() > QUERY_MAX {
        return Err(SearchRefused::TooLong(text.len()));
    }
    let bad = |error: tendermint_rpc::Error| {
        SearchRefused::Malformed(text.to_owned(), error.detail().to_string())
    };
    text.trim().parse().map_err(bad)
}

/// The keys under which `block` is found.
pub(crate) fn keys(indexed: Indexed, block: &Sealed) -> BTreeSet<Vec<u8>> {
    let height = block.header.height.value();
    let mut keys = BTreeSet::new();
    match indexed {
        Indexed::Blocks => event_keys(&block.events, Place { height, index: 0 }, &mut keys),
        Indexed::Txs => {
            for (result, index) in block.results.iter().zip(0u32..) {
                let place = Place { height, index };
                keys.insert(key(TX_HEIGHT, "", place));
                event_keys(&result.events, place, &mut keys);
            }
        }
    }
    keys
}

/// All places that `query` names, in the order of the chain. `last` is the chain's height.
pub(crate) fn search(
    store: &Store,
    indexed: Indexed,
    query: &Query,
    last: u64,
) -> Result<BTreeSet<Place>, SearchRefused> {
    let mut heights = Heights { from: store.earliest()?, to: last };
    let mut wanted = Vec::new();
    for condition in &query.conditions {
        match condition.key.as_str() {
            TX_HEIGHT | BLOCK_HEIGHT => heights.narrow(condition)?,
            "tm.event" => {}
            _ => wanted.push(condition),
        }
    }
    let mut found: Option<BTreeSet<Place>> = None;
    for condition in wanted {
        let places = places(store, indexed, condition, &heights)?;
        found = Some(match found {
            None => places,
            Some(found) => found.intersection(&places).copied().collect(),
        });
    }
    match (found, indexed) {
        (Some(found), _) => Ok(found),
        (None, Indexed::Txs) => scan(store, indexed, TX_HEIGHT, Some(""), &heights, |_| true),
        (None, Indexed::Blocks) => {
            if heights.len() > SEARCH_SCAN_MAX as u64 {
                return Err(SearchRefused::TooMuch);
            }
            Ok((heights.from..=heights.to).map(|height| Place { height, index: 0 }).collect())
        }
    }
}

const TX_HEIGHT: &str = "tx.height";
const BLOCK_HEIGHT: &str = "block.height";

/// A range of heights; both ends belong to it.
struct Heights {
    from: u64,
    to: u64,
}

impl Heights {
    fn len(&self) -> u64 {
        (self.to + 1).saturating_sub(self.from)
    }

    fn narrow(&mut self, condition: &Condition) -> Result<(), SearchRefused> {
        let refused = || SearchRefused::NotSearchable(condition.to_string());
        let height = |operand: &Operand| match operand {
            Operand::Unsigned(height) => Ok(*height),
            Operand::String(text) => text.parse().map_err(|_| refused()),
            _ => Err(refused()),
        };
        let (from, to) = match &condition.operation {
            Operation::Eq(at) => (height(at)?, height(at)?),
            Operation::Lt(end) => (0, height(end)?.saturating_sub(1)),
            Operation::Lte(last) => (0, height(last)?),
            Operation::Gt(before) => (height(before)?.saturating_add(1), u64::MAX),
            Operation::Gte(first) => (height(first)?, u64::MAX),
            Operation::Exists => (0, u64::MAX),
            Operation::Contains(_) => return Err(refused()),
        };
        self.from = self.from.max(from);
        self.to = self.to.min(to);
        Ok(())
    }
}

fn places(
    store: &Store,
    indexed: Indexed,
    condition: &Condition,
    heights: &Heights,
) -> Result<BTreeSet<Place>, SearchRefused> {
    let name = condition.key.as_str();
    match &condition.operation {
        Operation::Eq(operand) if name == "tx.hash" => {
            let hash = hex::decode(text(operand)).ok().and_then(|bytes| bytes.try_into().ok());
            let place = hash.map(|hash| store.place_of(&hash)).transpose()?.flatten();
            let inside = |place: &Place| (heights.from..=heights.to).contains(&place.height);
            Ok(place.into_iter().filter(inside).collect())
        }
        Operation::Eq(operand) => {
            scan(store, indexed, name, Some(&text(operand)), heights, |_| true)
        }
        Operation::Exists => scan(store, indexed, name, None, heights, |_| true),
        Operation::Contains(part) => {
            scan(store, indexed, name, None, heights, |value| contains(value, part))
        }
        _ => Err(SearchRefused::NotSearchable(condition.to_string())),
    }
}

fn contains(value: &[u8], part: &str) -> bool {
    std::str::from_utf8(value).is_ok_and(|value| value.contains(part))
}

/// An operand as an attribute's value would hold it.
pub(crate) fn text(operand: &Operand) -> String {
    match operand {
        Operand::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The places of `name`, with one value or any, whose value `fits`.
fn scan(
    store: &Store,
    indexed: Indexed,
    name: &str,
    value: Option<&str>,
    heights: &Heights,
    fits: impl Fn(&[u8]) -> bool,
) -> Result<BTreeSet<Place>, SearchRefused> {
    if heights.from > heights.to {
        return Ok(BTreeSet::new());
    }
    let (from, to) = match value {
        Some(value) => (
            key(name, value, Place { height: heights.from, index: 0 }),
            key(name, value, Place { height: heights.to.saturating_add(1), index: 0 }),
        ),
        None => ([name.as_bytes(), &[0]].concat(), [name.as_bytes(), &[1]].concat()),
    };
    let (mut found, mut seen) = (BTreeSet::new(), 0);
    store.scan(indexed, &from, &to, |key| {
        seen += 1;
        if let Some((value, place)) = split(key, name.len())
            && (heights.from..=heights.to).contains(&place.height)
            && fits(value)
        {
            found.insert(place);
        }
        seen <= SEARCH_SCAN_MAX
    })?;
    if seen > SEARCH_SCAN_MAX { Err(SearchRefused::TooMuch) } else { Ok(found) }
}

fn event_keys(events: &[Event], place: Place, keys: &mut BTreeSet<Vec<u8>>) {
    for event in events {
        for attribute in &event.attributes {
            let name = format!("{}.{}", event.r#type, attribute.key);
            let plain = !name.contains('\0') && !attribute.value.contains('\0');
            if attribute.index && plain && attribute.value.len() <= VALUE_MAX {
                keys.insert(key(&name, &attribute.value, place));
            }
        }
    }
}

fn key(name: &str, value: &str, place: Place) -> Vec<u8> {
    let (height, index) = (place.height.to_be_bytes(), place.index.to_be_bytes());
    [name.as_bytes(), &[0], value.as_bytes(), &[0], &height, &index].concat()
}

/// The value and the place of a key whose name has `name` bytes.
fn split(key: &[u8], name: usize) -> Option<(&[u8], Place)> {
    let (rest, index) = key.split_last_chunk::<4>()?;
    let (rest, height) = rest.split_last_chunk::<8>()?;
    let value = rest.get(name + 1..rest.len().checked_sub(1)?)?;
    Some((value, Place { height: u64::from_be_bytes(*height), index: u32::from_be_bytes(*index) }))
}
