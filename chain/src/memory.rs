//! A host in memory: for tests and simulations, thousands of blocks a second.

use crate::host::{Block, Event, Host, Party, Purse, Short, Validator};
use proto::{Address, Amount, Coin, Denom, Digest, Height, Time, seed};
use std::collections::BTreeMap;

/// A chain without blocks on disk, transactions or signatures.
#[derive(Clone, Debug)]
pub struct MemoryHost {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    coins: BTreeMap<(Address, Denom), Amount>,
    burned: BTreeMap<Denom, Amount>,
    /// What happened since the last [`MemoryHost::take_events`].
    events: Vec<Event>,
    block: Block,
    validators: Vec<Validator>,
}

impl MemoryHost {
    /// An empty chain at height 0.
    pub fn new(chain_id: &str) -> MemoryHost {
        let block = Block {
            chain_id: chain_id.to_owned(),
            height: Height(0),
            time: Time(0),
            seed: seed::first(chain_id),
        };
        MemoryHost {
            records: BTreeMap::new(),
            coins: BTreeMap::new(),
            burned: BTreeMap::new(),
            events: Vec::new(),
            block,
            validators: Vec::new(),
        }
    }

    /// Says who makes blocks from the next one on.
    pub fn set_validators(&mut self, mut validators: Vec<Validator>) {
        validators.sort_by_key(|validator| validator.operator);
        self.validators = validators;
    }

    /// Makes coins out of nothing: for the beginning of a simulation.
    pub fn mint(&mut self, to: Party, coin: &Coin) {
        let kept = self.coins.entry((address(to), coin.denom.clone())).or_default();
        kept.0 += coin.amount.0;
    }

    /// Runs the market's work around one block in which `work` is done.
    pub fn make_block<T>(&mut self, work: impl FnOnce(&mut MemoryHost) -> T) -> T {
        self.block.height = self.block.height.plus(1);
        self.block.time = Time(self.block.time.0 + 1_000);
        self.block.seed = seed::hash("lode/memory/seed", &[&self.block.seed.0]);
        crate::begin_block(self);
        let done = work(self);
        crate::end_block(self);
        done
    }

    /// What an account or purse holds of `denom`.
    pub fn balance(&self, of: Party, denom: &Denom) -> Amount {
        self.coins.get(&(address(of), denom.clone())).copied().unwrap_or_default()
    }

    /// All coins of `denom` that accounts and purses hold.
    pub fn supply(&self, denom: &Denom) -> Amount {
        let held = self.coins.iter().filter(|((_, other), _)| other == denom);
        Amount(held.map(|(_, amount)| amount.0).sum())
    }

    /// All coins of `denom` that were destroyed.
    pub fn burned(&self, denom: &Denom) -> Amount {
        self.burned.get(denom).copied().unwrap_or_default()
    }

    /// All coins of `denom` that were ever made: those that are held, and those that were burned.
    pub fn ever_made(&self, denom: &Denom) -> Amount {
        Amount(self.supply(denom).0 + self.burned(denom).0)
    }

    /// How many records the market keeps.
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// A hash over all records and coins: two hosts with the same are in the same state.
    pub fn state_hash(&self) -> Digest {
        let coins = self
            .coins
            .iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|((holder, denom), amount)| format!("{holder} {denom} {amount}").into_bytes());
        let mut parts: Vec<Vec<u8>> = coins.collect();
        for (key, value) in &self.records {
            parts.push(key.clone());
            parts.push(value.clone());
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        seed::hash("lode/memory/state", &parts)
    }
}

fn address(party: Party) -> Address {
    match party {
        Party::Account(address) => address,
        Party::Purse(purse) => purse.address(),
    }
}

impl Host for MemoryHost {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.records.get(key).cloned()
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.records.insert(key.to_vec(), value.to_vec());
    }

    fn delete(&mut self, key: &[u8]) {
        self.records.remove(key);
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let range = self.records.range(from.to_vec()..to.to_vec());
        range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn pay(&mut self, from: Party, to: Party, coin: &Coin) -> Result<(), Short> {
        let short = || Short { from, coin: coin.clone() };
        let payer = (address(from), coin.denom.clone());
        let left = self.balance(from, &coin.denom).checked_sub(coin.amount).ok_or_else(short)?;
        self.coins.insert(payer, left);
        self.mint(to, coin);
        Ok(())
    }

    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short> {
        let short = || Short { from: Party::Purse(from), coin: coin.clone() };
        let held = self.balance(Party::Purse(from), &coin.denom);
        let left = held.checked_sub(coin.amount).ok_or_else(short)?;
        self.coins.insert((from.address(), coin.denom.clone()), left);
        self.burned.entry(coin.denom.clone()).or_default().0 += coin.amount.0;
        Ok(())
    }

    fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    fn block(&self) -> Block {
        self.block.clone()
    }

    fn validators(&self) -> Vec<Validator> {
        self.validators.clone()
    }
}
