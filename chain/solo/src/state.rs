//! The chain's state: keys and values, read through buffers that may be dropped.
//!
//! ```text
//!   redb snapshot  <-  block's overlay  <-  transaction's overlay
//! ```
//! A refused transaction's overlay is dropped; what a block changed is written once, at its end.

use proto::Address;
use std::collections::BTreeMap;

/// Pairs of keys and values, in the order of keys.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What a buffer changed, in the order of keys; `None` removes.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Keys and values that can be read.
pub(crate) trait Read {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// At most `limit` pairs with `from <= key < to`, in the order of keys.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Pairs;
}

/// A write buffer over something that can be read.
pub(crate) struct Overlay<'a> {
    base: &'a dyn Read,
    changes: Changes,
}

impl<'a> Overlay<'a> {
    /// An empty buffer over `base`.
    pub(crate) fn over(base: &'a dyn Read) -> Overlay<'a> {
        Overlay { base, changes: Changes::new() }
    }

    /// A buffer over `base` that holds `changes`.
    pub(crate) fn with(base: &'a dyn Read, changes: Changes) -> Overlay<'a> {
        Overlay { base, changes }
    }

    pub(crate) fn set(&mut self, key: &[u8], value: &[u8]) {
        self.changes.insert(key.to_vec(), Some(value.to_vec()));
    }

    pub(crate) fn delete(&mut self, key: &[u8]) {
        self.changes.insert(key.to_vec(), None);
    }

    /// Takes over what another buffer, once over this one, changed.
    pub(crate) fn apply(&mut self, changes: Changes) {
        self.changes.extend(changes);
    }

    /// What was changed.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}

impl Read for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.base.get(key),
        }
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Pairs {
        if from >= to || limit == 0 {
            return Pairs::new();
        }
        let changed: Vec<_> = self
            .changes
            .range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)))
            .collect();
        // Each removed key may hide one of the base's pairs.
        let hidden = changed.iter().filter(|(_, value)| value.is_none()).count();
        let base = self.base.range(from, to, limit.saturating_add(hidden));
        merge(base, &changed, limit)
    }
}

/// The first `limit` pairs of `base` as changed by `changed`; both are in the order of keys.
fn merge(base: Pairs, changed: &[(&Vec<u8>, &Option<Vec<u8>>)], limit: usize) -> Pairs {
    let mut merged = Pairs::new();
    let mut base = base.into_iter().peekable();
    let mut changed = changed.iter().peekable();
    while merged.len() < limit {
        let from_base = match (base.peek(), changed.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((key, _)), Some((other, _))) => {
                if key == *other {
                    base.next();
                    continue;
                }
                key < *other
            }
        };
        if from_base {
            merged.extend(base.next());
        } else if let Some((key, Some(value))) = changed.next() {
            merged.push(((*key).clone(), value.clone()));
        }
    }
    merged
}

/// Where things lie: a prefix for each kind, big-endian numbers behind it.
pub(crate) mod key {
    use super::Address;

    const ACCOUNT: u8 = 0x01;
    const NEXT_ACCOUNT: u8 = 0x02;
    const BALANCE: u8 = 0x03;
    const SUPPLY: u8 = 0x04;
    const BURNED: u8 = 0x05;
    const MARKET: u8 = 0x10;

    pub(crate) fn account(address: &Address) -> Vec<u8> {
        [&[ACCOUNT], address.0.as_slice()].concat()
    }

    /// All accounts lie between these.
    pub(crate) fn accounts() -> (Vec<u8>, Vec<u8>) {
        (vec![ACCOUNT], vec![ACCOUNT + 1])
    }

    pub(crate) fn next_account() -> Vec<u8> {
        vec![NEXT_ACCOUNT]
    }

    pub(crate) fn balance(address: &Address, denom: &str) -> Vec<u8> {
        [&[BALANCE], address.0.as_slice(), denom.as_bytes()].concat()
    }

    /// All balances of `address` lie between these; a denom is ASCII text.
    pub(crate) fn balances(address: &Address) -> (Vec<u8>, Vec<u8>) {
        let from = [&[BALANCE], address.0.as_slice()].concat();
        let to = [from.as_slice(), &[0x7f]].concat();
        (from, to)
    }

    /// The denom of a key of [`balances`].
    pub(crate) fn denom_of_balance(key: &[u8]) -> Option<&str> {
        std::str::from_utf8(key.get(21..)?).ok()
    }

    pub(crate) fn supply(denom: &str) -> Vec<u8> {
        [&[SUPPLY], denom.as_bytes()].concat()
    }

    /// All supplies lie between these.
    pub(crate) fn supplies() -> (Vec<u8>, Vec<u8>) {
        (vec![SUPPLY], vec![SUPPLY + 1])
    }

    pub(crate) fn burned(denom: &str) -> Vec<u8> {
        [&[BURNED], denom.as_bytes()].concat()
    }

    /// The market's own key behind its prefix.
    pub(crate) fn market(key: &[u8]) -> Vec<u8> {
        [&[MARKET], key].concat()
    }

    /// A market's key without its prefix.
    pub(crate) fn market_of(mut key: Vec<u8>) -> Vec<u8> {
        key.drain(..1);
        key
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_balance_lies_among_its_accounts_balances_only() {
            let (from, to) = balances(&Address([7; 20]));
            let inside = balance(&Address([7; 20]), "zz");
            let outside = balance(&Address([8; 20]), "ulode");
            assert!(from <= inside && inside < to);
            assert!(!(from <= outside && outside < to));
            assert_eq!(denom_of_balance(&inside), Some("zz"));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// State in memory.
    impl Read for BTreeMap<Vec<u8>, Vec<u8>> {
        fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
            BTreeMap::get(self, key).cloned()
        }

        fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Pairs {
            BTreeMap::range(self, from.to_vec()..to.to_vec())
                .take(limit)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        }
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(0u8..4, 1..3)
    }

    proptest! {
        #[test]
        fn a_buffer_reads_as_if_it_were_written(
            base in proptest::collection::btree_map(key(), key(), 0..12),
            changes in proptest::collection::btree_map(key(), proptest::option::of(key()), 0..12),
            from in key(),
            to in key(),
            limit in 0usize..8,
        ) {
            let mut written = base.clone();
            for (key, change) in &changes {
                match change {
                    Some(value) => written.insert(key.clone(), value.clone()),
                    None => written.remove(key),
                };
            }
            let overlay = Overlay::with(&base, changes);
            if from <= to {
                let expected = Read::range(&written, &from, &to, limit);
                prop_assert_eq!(overlay.range(&from, &to, limit), expected);
            }
            prop_assert_eq!(overlay.get(&from), Read::get(&written, &from));
        }
    }
}
