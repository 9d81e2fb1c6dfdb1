//! A host that is only looked at, so that a question can be answered by the rules that change things.

use crate::host::{Block, Event, Host, Party, Purse, Short, Validator};
use proto::Coin;

/// Nothing that is done to it reaches the host: changes go nowhere, and payments are refused.
pub(crate) struct Glance<'a, H: Host>(pub(crate) &'a H);

impl<H: Host> Host for Glance<'_, H> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn set(&mut self, _: &[u8], _: &[u8]) {}

    fn delete(&mut self, _: &[u8]) {}

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0.range(from, to, limit)
    }

    fn pay(&mut self, from: Party, _: Party, coin: &Coin) -> Result<(), Short> {
        Err(Short { from, coin: coin.clone() })
    }

    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short> {
        Err(Short { from: Party::Purse(from), coin: coin.clone() })
    }

    fn emit(&mut self, _: Event) {}

    fn block(&self) -> Block {
        self.0.block()
    }

    fn validators(&self) -> Vec<Validator> {
        self.0.validators()
    }
}
