//! What the market may touch: the whole of its world.

use proto::vrf::VrfPublic;
use proto::{Address, Coin, Digest, Height, Time};

/// Where the market lives. The embedded engine, the Cosmos SDK node and the tests' memory each are
/// one. Everything that a host answers is a function of the chain so far: two hosts that were given
/// the same blocks answer alike.
pub trait Host {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Puts `value` under `key`.
    fn set(&mut self, key: &[u8], value: &[u8]);

    /// Removes `key`; nothing happens when it is absent.
    fn delete(&mut self, key: &[u8]);

    /// At most `limit` pairs with `from <= key < to`, in the order of keys.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;

    /// Moves `coin`, all of it or nothing.
    fn pay(&mut self, from: Party, to: Party, coin: &Coin) -> Result<(), Short>;

    /// Destroys `coin`: the one way in which the sum of coins changes.
    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short>;

    /// Tells the world what happened.
    fn emit(&mut self, event: Event);

    /// The block in which this is executed.
    fn block(&self) -> Block;

    /// Who makes blocks, in the order of their addresses.
    fn validators(&self) -> Vec<Validator>;
}

/// Who pays or is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Account(Address),
    Purse(Purse),
}

/// The module's own purses. Nobody can sign for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purse {
    /// What apps deposited, free or locked in sessions.
    Escrow,
    /// What suppliers and gateways staked, unbonding included.
    Stake,
    /// What audits are paid from.
    Audits,
    /// What governance may spend.
    Treasury,
}

impl Purse {
    /// All purses, in a fixed order.
    pub const ALL: [Purse; 4] = [Purse::Escrow, Purse::Stake, Purse::Audits, Purse::Treasury];

    /// The name of the module account that holds this purse.
    pub const fn name(self) -> &'static str {
        match self {
            Purse::Escrow => "market/escrow",
            Purse::Stake => "market/stake",
            Purse::Audits => "market/audits",
            Purse::Treasury => "market/treasury",
        }
    }

    /// The address under which the bank keeps this purse.
    pub fn address(self) -> Address {
        Address::of_module(self.name())
    }
}

/// Less was there than was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{from:?} has less than {coin}")]
pub struct Short {
    pub from: Party,
    pub coin: Coin,
}

/// One thing that happened, in the shape of an ABCI event: a kind and its attributes in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The kind, such as `lode_claim`.
    pub kind: &'static str,
    pub attributes: Vec<(&'static str, String)>,
}

impl Event {
    /// An event of `kind` without attributes.
    pub fn new(kind: &'static str) -> Event {
        Event { kind, attributes: Vec::new() }
    }

    /// The event with one attribute more.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Event {
        self.attributes.push((name, value.to_string()));
        self
    }
}

/// The block in which something is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub chain_id: String,
    pub height: Height,
    pub time: Time,
    /// The seed of this height, fixed before any transaction of the block.
    pub seed: Digest,
}

/// Who makes blocks and, when drawn, audits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    pub operator: Address,
    pub power: u64,
    pub vrf_key: Option<VrfPublic>,
}
