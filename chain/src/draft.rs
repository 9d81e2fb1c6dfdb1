//! Changes that are gathered before any is made.
//!
//! A refused message leaves no trace because nothing of it reaches the host before all of its rules
//! were asked: records, events and payments wait in the draft. What can still fail then is the
//! payment, when the sender has less than it wants to pay in. A message causes one payment at most
//! and it is made first, so nothing has to be taken back. A block's payments come from purses that
//! hold what the records owe.

use crate::host::{Block, Event, Host, Party, Purse, Short, Validator};
use proto::wire::Wire;
use proto::{Amount, Coin, Denom};
use std::collections::BTreeMap;

/// What work costs a message's sender.
///
/// ```text
/// message  20,000, and then for each
/// record read 1,000 + 1 a byte     record written 2,000 + 10 a byte     record removed 2,000
/// signature checked 3,000          hash of a proof checked 50
/// ```
/// It is bounded by what a message may hold: claims, proofs, offers and their parts are counted
/// ([`proto::names`]) and each reads and writes a fixed number of records.
pub mod gas {
    /// Every message.
    pub const MESSAGE: u64 = 20_000;
    /// Reading a record, or that there is none.
    pub const READ: u64 = 1_000;
    /// Reading a byte of it.
    pub const READ_BYTE: u64 = 1;
    /// Writing or removing a record.
    pub const WRITE: u64 = 2_000;
    /// Writing a byte of it.
    pub const WRITE_BYTE: u64 = 10;
    /// Checking a signature.
    pub const SIGNATURE: u64 = 3_000;
    /// One hash on the way from what is shown to what was claimed.
    pub const HASH: u64 = 50;
}

/// A payment in one coin: who pays whom; nobody is paid by a burn.
type Way = (Party, Option<Party>, Denom);

/// A view of a host in which changes are seen, but not made yet. Payments between the same two
/// become one.
pub(crate) struct Draft<'a, H: Host> {
    host: &'a mut H,
    block: Block,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    events: Vec<Event>,
    payments: BTreeMap<Way, Amount>,
    gas: u64,
}

impl<'a, H: Host> Draft<'a, H> {
    pub(crate) fn new(host: &'a mut H) -> Draft<'a, H> {
        let block = host.block();
        Draft {
            host,
            block,
            changes: BTreeMap::new(),
            events: Vec::new(),
            payments: BTreeMap::new(),
            gas: gas::MESSAGE,
        }
    }

    pub(crate) fn block(&self) -> &Block {
        &self.block
    }

    /// Who makes blocks.
    pub(crate) fn validators(&self) -> Vec<Validator> {
        self.host.validators()
    }

    pub(crate) fn gas(&self) -> u64 {
        self.gas
    }

    pub(crate) fn charge(&mut self, gas: u64) {
        self.gas = self.gas.saturating_add(gas);
    }

    pub(crate) fn get(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let value = match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.host.get(key),
        };
        let bytes = value.as_ref().map_or(0, Vec::len) as u64;
        self.charge(gas::READ + gas::READ_BYTE * bytes);
        value
    }

    /// The record under `key`. What this market wrote it can read; anything else counts as absent.
    pub(crate) fn read<T: Wire>(&mut self, key: &[u8]) -> Option<T> {
        self.get(key).and_then(|bytes| T::decode(&bytes).ok())
    }

    pub(crate) fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.charge(gas::WRITE + gas::WRITE_BYTE * value.len() as u64);
        self.changes.insert(key, Some(value));
    }

    pub(crate) fn write<T: Wire>(&mut self, key: Vec<u8>, record: &T) {
        self.set(key, record.encode());
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.charge(gas::WRITE);
        self.changes.insert(key, None);
    }

    /// At most `limit` pairs in order, as they were before this draft.
    pub(crate) fn stored(
        &self,
        (from, to): &(Vec<u8>, Vec<u8>),
        limit: usize,
    ) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.host.range(from, to, limit)
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn pay(&mut self, from: Party, to: Party, coin: &Coin) {
        self.owe((from, Some(to), coin.denom.clone()), coin.amount);
    }

    pub(crate) fn burn(&mut self, from: Purse, coin: &Coin) {
        self.owe((Party::Purse(from), None, coin.denom.clone()), coin.amount);
    }

    fn owe(&mut self, way: Way, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        let owed = self.payments.entry(way).or_default();
        owed.0 = owed.0.saturating_add(amount.0);
    }

    /// Makes the changes of a message. Its one payment comes first: if that fails nothing is
    /// changed.
    pub(crate) fn commit_one(mut self) -> Result<(), Short> {
        debug_assert!(self.payments.len() <= 1, "a message pays once");
        for (way, amount) in std::mem::take(&mut self.payments) {
            make(self.host, way, amount)?;
        }
        self.flush();
        Ok(())
    }

    /// Makes the changes of a block. Purses hold what records say they must; a payment that is
    /// short all the same is told and left out.
    pub(crate) fn commit_all(mut self) {
        for (way, amount) in std::mem::take(&mut self.payments) {
            if let Err(short) = make(self.host, way, amount) {
                self.events.push(Event::new("lode_short").with("reason", short));
            }
        }
        self.flush();
    }

    fn flush(self) {
        for (key, change) in &self.changes {
            match change {
                Some(value) => self.host.set(key, value),
                None => self.host.delete(key),
            }
        }
        for event in self.events {
            self.host.emit(event);
        }
    }
}

fn make<H: Host>(host: &mut H, (from, to, denom): Way, amount: Amount) -> Result<(), Short> {
    let coin = Coin::new(amount, denom);
    match (from, to) {
        (from, Some(to)) => host.pay(from, to, &coin),
        (Party::Purse(purse), None) => host.burn(purse, &coin),
        (Party::Account(_), None) => Err(Short { from, coin }),
    }
}
