//! The market's world, made of this engine's state, bank and blocks.

use crate::bank;
use crate::events::{burned, event, moved};
use crate::state::{Overlay, Pairs, Read, key};
use chain::host::{Block, Event, Host, Party, Purse, Short, Validator};
use proto::{Address, Coin};
use tendermint_proto::v0_38::abci;

/// The market's keys and values, coins and block, over a buffer.
pub(crate) struct MarketHost<'h, 's> {
    state: &'h mut Overlay<'s>,
    block: &'h Block,
    validators: &'h [Validator],
    events: Vec<abci::Event>,
}

impl<'h, 's> MarketHost<'h, 's> {
    /// The market as it is in `state`, at `block`.
    pub(crate) fn new(
        state: &'h mut Overlay<'s>,
        block: &'h Block,
        validators: &'h [Validator],
    ) -> MarketHost<'h, 's> {
        MarketHost { state, block, validators, events: Vec::new() }
    }

    /// What happened, in order.
    pub(crate) fn into_events(self) -> Vec<abci::Event> {
        self.events
    }
}

fn address(party: &Party) -> Address {
    match party {
        Party::Account(address) => *address,
        Party::Purse(purse) => purse.address(),
    }
}

impl Host for MarketHost<'_, '_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.state.get(&key::market(key))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.state.set(&key::market(key), value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.state.delete(&key::market(key));
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Pairs {
        let pairs = self.state.range(&key::market(from), &key::market(to), limit);
        pairs.into_iter().map(|(key, value)| (key::market_of(key), value)).collect()
    }

    fn pay(&mut self, from: Party, to: Party, coin: &Coin) -> Result<(), Short> {
        if coin.amount.is_zero() {
            return Ok(());
        }
        let (payer, payee) = (address(&from), address(&to));
        if !bank::transfer(self.state, &payer, &payee, coin) {
            return Err(Short { from, coin: coin.clone() });
        }
        self.events.extend(moved(&payer, &payee, std::slice::from_ref(coin)));
        Ok(())
    }

    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short> {
        if coin.amount.is_zero() {
            return Ok(());
        }
        if !bank::burn(self.state, &from.address(), coin) {
            return Err(Short { from: Party::Purse(from), coin: coin.clone() });
        }
        self.events.extend(burned(&from.address(), coin));
        Ok(())
    }

    fn emit(&mut self, happened: Event) {
        self.events.push(event(happened.kind, happened.attributes));
    }

    fn block(&self) -> Block {
        self.block.clone()
    }

    fn validators(&self) -> Vec<Validator> {
        self.validators.to_vec()
    }
}
