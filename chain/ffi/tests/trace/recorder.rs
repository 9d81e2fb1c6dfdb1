//! A chain in memory that writes down what it does.

use crate::cast::{ALL, VALIDATOR, account, coins};
use chain::Host;
use chain::host::{Block, Event, Party, Purse, Short, Validator};
use chain::memory::MemoryHost;
use proto::message::{Genesis, Message};
use proto::query::Query;
use proto::vrf::VrfSecret;
use proto::wire::Wire;
use proto::{Coin, Digest, Height, Time, seed};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The secret of the one validator's beacon key.
pub const BEACON: [u8; 32] = [77; 32];

/// A block each three seconds; a first one on some day.
const BLOCK_TIME: u64 = 3_000;
const FIRST: Time = Time(1_767_225_600_000);

pub struct Recorder {
    host: Recorded,
    lines: Vec<Value>,
    /// Which messages were sent, and whether they were refused.
    played: Vec<(&'static str, bool)>,
}

/// The memory's records and coins, at blocks of the recorder.
struct Recorded {
    memory: MemoryHost,
    block: Block,
    before: Digest,
    events: Vec<Event>,
}

impl Recorder {
    pub fn new(chain_id: &str, genesis: &Genesis) -> Recorder {
        let mut memory = MemoryHost::new(chain_id);
        for account in ALL {
            let party = Party::Account(account.address());
            coins().iter().for_each(|coin| memory.mint(party, coin));
        }
        let first = seed::first(chain_id);
        let block =
            Block { chain_id: chain_id.to_owned(), height: Height(0), time: FIRST, seed: first };
        let mut host = Recorded { memory, block, before: first, events: Vec::new() };
        chain::genesis(&mut host, genesis).unwrap();
        let accounts: Vec<Value> = ALL.iter().map(|one| json!(hex(&one.secret()))).collect();
        let head = json!({
            "chain_id": chain_id,
            "time": FIRST.0,
            "beacon": hex(&BEACON),
            "operator": hex(&VALIDATOR.secret()),
            "accounts": accounts,
            "coins": written(&coins()),
            "genesis": hex(&genesis.encode()),
            "state": host.state(),
        });
        Recorder { host, lines: vec![head], played: Vec::new() }
    }

    /// Makes a block of these messages.
    pub fn block(&mut self, messages: &[Message]) {
        self.host.next();
        chain::begin_block(&mut self.host);
        let begun = self.host.told();
        let txs: Vec<Value> = messages.iter().map(|message| self.execute(message)).collect();
        chain::end_block(&mut self.host);
        let (block, ended) = (self.host.block.clone(), self.host.told());
        self.lines.push(json!({
            "height": block.height.0,
            "time": block.time.0,
            "seed": hex(&block.seed.0),
            "begun": begun,
            "txs": txs,
            "ended": ended,
            "state": self.host.state(),
            "purses": Purse::ALL.map(|purse| self.held(Party::Purse(purse))),
            "accounts": ALL.map(|one| self.held(Party::Account(one.address()))),
        }));
    }

    fn execute(&mut self, message: &Message) -> Value {
        let outcome = chain::execute(&mut self.host, message);
        self.played.push((message.type_url(), outcome.is_err()));
        let (code, words) = match &outcome {
            Ok(_) => (0, String::new()),
            Err(refused) => (refused.code(), refused.to_string()),
        };
        json!({
            "signer": hex(&account(message.signer()).secret()),
            "type_url": message.type_url(),
            "value": hex(&message.to_value()),
            "code": code,
            "words": words,
            "gas": outcome.map_or(0, |done| done.gas),
            "events": self.host.told(),
        })
    }

    /// All coins of an account or purse.
    fn held(&self, party: Party) -> String {
        let held = coins().map(|Coin { denom, .. }| {
            let amount = self.host.memory.balance(party, &denom);
            Coin::new(amount, denom)
        });
        written(&held)
    }

    /// Makes empty blocks until the next one is at `height`.
    pub fn until(&mut self, height: Height) {
        while self.next() < height {
            self.block(&[]);
        }
    }

    /// The height of the block to come.
    pub fn next(&self) -> Height {
        self.host.block.height.plus(1)
    }

    pub fn ask<Q: Query>(&self, question: &Q) -> Q::Answer {
        Q::Answer::decode(&chain::query(&self.host, Q::PATH, &question.encode()).unwrap()).unwrap()
    }

    /// Whether a message of this kind was taken, or refused.
    pub fn has(&self, type_url: &str, refused: bool) -> bool {
        self.played.iter().any(|(played, was)| *played == type_url && *was == refused)
    }

    /// One line for the beginning, one for each block.
    pub fn into_lines(self) -> String {
        self.lines.into_iter().map(|line| format!("{}\n", sorted(line))).collect()
    }
}

/// Coins as the Cosmos SDK writes them: `3ibc/…,12ulode`, without those of which there are none.
fn written(coins: &[Coin]) -> String {
    let some = coins.iter().filter(|coin| !coin.amount.is_zero());
    some.map(Coin::to_string).collect::<Vec<_>>().join(",")
}

/// The same with keys in order: a crate anywhere in the build may have them kept as they came.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

impl Recorded {
    /// The next height, its seed made of the validator's output as `loded` makes it.
    fn next(&mut self) {
        let height = self.block.height.plus(1);
        let input = seed::vrf_input(&self.before, height);
        let (output, _) = VrfSecret::from_bytes(&BEACON).prove(&input);
        // The first block follows no votes.
        let outputs = if height == Height(1) { vec![] } else { vec![output] };
        self.before = self.block.seed;
        self.block.seed = seed::next(&self.block.seed, &outputs);
        self.block.height = height;
        self.block.time = Time(self.block.time.0 + BLOCK_TIME);
    }

    /// What happened since this was asked last.
    fn told(&mut self) -> Value {
        let event = |event: Event| json!({ "kind": event.kind, "attributes": event.attributes });
        self.events.drain(..).map(event).collect()
    }

    /// A hash over all records.
    fn state(&self) -> String {
        let records = self.memory.range(&[], &[0xff; 64], usize::MAX);
        let parts: Vec<&[u8]> =
            records.iter().flat_map(|(key, value)| [key.as_slice(), value]).collect();
        hex(&seed::hash("lode/trace/state", &parts).0)
    }
}

impl Host for Recorded {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.memory.get(key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.memory.set(key, value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.memory.delete(key);
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.memory.range(from, to, limit)
    }

    fn pay(&mut self, from: Party, to: Party, coin: &Coin) -> Result<(), Short> {
        self.memory.pay(from, to, coin)
    }

    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short> {
        self.memory.burn(from, coin)
    }

    fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    fn block(&self) -> Block {
        self.block.clone()
    }

    fn validators(&self) -> Vec<Validator> {
        let vrf_key = Some(VrfSecret::from_bytes(&BEACON).public());
        vec![Validator { operator: VALIDATOR.address(), power: 1, vrf_key }]
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
