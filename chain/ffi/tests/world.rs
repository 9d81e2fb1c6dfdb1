//! A node in the place of Go: a chain in memory behind callbacks.

use chain::Host;
use chain::host::{Block, Event, Party, Purse};
use chain::memory::MemoryHost;
use lode_chain::{Bytes, Call, Callbacks, Outcome, Room, status};
use proto::message::{AuditGenesis, Genesis};
use proto::params::Params;
use proto::{Address, Amount, Coin, Denom, Digest, Height, Time, seed};

pub const CHAIN: &str = "lode-border";
pub const RICH: Address = Address([7; 20]);

/// What a callback that misbehaves does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The n-th callback fails, as after a panic on the other side.
    Fails(u32),
    /// The n-th callback returns this.
    Answers(u32, i64),
    /// The pages of ranges hold these bytes instead.
    Page(&'static [u8]),
}

/// A chain in memory, and what the library gave back.
pub struct World {
    pub memory: MemoryHost,
    pub answer: Vec<u8>,
    pub events: Vec<String>,
    pub fault: Option<Fault>,
    pub gas_limit: u64,
    pub calls: u32,
    pending: Vec<u8>,
}

/// A genesis with the usual parameters and nobody in it.
pub fn genesis() -> Genesis {
    Genesis {
        authority: RICH,
        params: Params::dev(),
        services: vec![],
        suppliers: vec![],
        gateways: vec![],
        escrow: vec![],
        delegations: vec![],
        audits: AuditGenesis::default(),
    }
}

/// The chain before its first block, with one rich account.
pub fn memory() -> MemoryHost {
    let mut memory = MemoryHost::new(CHAIN);
    memory.mint(Party::Account(RICH), &Coin::stake(Amount(1_000_000_000_000)));
    memory
}

impl World {
    pub fn new(memory: MemoryHost) -> World {
        World {
            memory,
            answer: Vec::new(),
            events: Vec::new(),
            fault: None,
            gas_limit: u64::MAX,
            calls: 0,
            pending: Vec::new(),
        }
    }

    /// Makes a call at `block`.
    pub fn call(
        &mut self,
        block: &Block,
        entry: impl FnOnce(Call, *const Callbacks) -> Outcome,
    ) -> Outcome {
        self.answer.clear();
        self.calls = 0;
        let gas_limit = self.gas_limit;
        let host = std::ptr::from_mut(self) as usize;
        let chain_id = Bytes::of(block.chain_id.as_bytes());
        let (height, time, seed) = (block.height.0, block.time.0, block.seed.0);
        entry(Call { host, chain_id, height, time, seed, gas_limit }, &CALLBACKS)
    }

    pub fn words(&self) -> String {
        String::from_utf8(self.answer.clone()).unwrap()
    }

    /// Puts bytes into room, or keeps them to be fetched.
    fn lend(&mut self, bytes: Vec<u8>, room: Room) -> i64 {
        let length = bytes.len() as i64;
        match write(&bytes, room) {
            true => length,
            false => {
                self.pending = bytes;
                length
            }
        }
    }

    fn wrong(&mut self) -> Option<i64> {
        self.calls += 1;
        match self.fault {
            Some(Fault::Fails(n)) if n == self.calls => Some(i64::from(status::FAILED)),
            Some(Fault::Answers(n, answer)) if n == self.calls => Some(answer),
            _ => None,
        }
    }
}

/// The block at `height`.
pub fn block(height: u64) -> Block {
    let seed = if height == 0 { seed::first(CHAIN) } else { Digest([height as u8; 32]) };
    Block { chain_id: CHAIN.into(), height: Height(height), time: Time(1_000 * height), seed }
}

fn write(bytes: &[u8], room: Room) -> bool {
    if bytes.len() > room.size {
        return false;
    }
    // SAFETY: the library lends `size` bytes, and these are not more.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), room.at, bytes.len()) };
    true
}

fn world<'a>(host: usize) -> &'a mut World {
    // SAFETY: the word is the world that made the call, which is not used while it lasts.
    unsafe { &mut *(host as *mut World) }
}

fn read(bytes: Bytes) -> Vec<u8> {
    // SAFETY: the library's views last as long as the callback.
    unsafe { bytes.read() }.to_vec()
}

fn address(bytes: Bytes) -> Party {
    let address = Address(read(bytes).try_into().unwrap());
    let purse = Purse::ALL.into_iter().find(|purse| purse.address() == address);
    purse.map_or(Party::Account(address), Party::Purse)
}

fn coin(denom: Bytes, amount: Bytes) -> Coin {
    let (denom, amount) = (read(denom), String::from_utf8(read(amount)).unwrap());
    let denom = Denom::new(String::from_utf8(denom).unwrap()).unwrap();
    Coin::new(Amount(amount.parse().unwrap()), denom)
}

/// The answer of a callback that is asked for, unless a fault comes first.
macro_rules! callback {
    (fn $name:ident($world:ident $(, $argument:ident: $type:ty)*) -> $answer:ty $body:block) => {
        extern "C" fn $name(host: usize $(, $argument: $type)*) -> $answer {
            let $world = world(host);
            if let Some(wrong) = $world.wrong() {
                return wrong as $answer;
            }
            $body
        }
    };
}

callback! { fn get(world, key: Bytes, room: Room) -> i64 {
    match world.memory.get(&read(key)) {
        None => i64::from(status::ABSENT),
        Some(value) => world.lend(value, room),
    }
} }

callback! { fn fetch(world, room: Room) -> i64 {
    let bytes = std::mem::take(&mut world.pending);
    if write(&bytes, room) { bytes.len() as i64 } else { i64::from(status::FAILED) }
} }

callback! { fn set(world, key: Bytes, value: Bytes) -> i32 {
    world.memory.set(&read(key), &read(value));
    status::OK
} }

callback! { fn remove(world, key: Bytes) -> i32 {
    world.memory.delete(&read(key));
    status::OK
} }

callback! { fn range(world, from: Bytes, to: Bytes, limit: u32, room: Room) -> i64 {
    let mut page = Vec::new();
    for (key, value) in world.memory.range(&read(from), &read(to), limit as usize) {
        for part in [key, value] {
            page.extend((part.len() as u32).to_le_bytes());
            page.extend(part);
        }
    }
    if let Some(Fault::Page(other)) = world.fault {
        page = other.to_vec();
    }
    world.lend(page, room)
} }

callback! { fn pay(world, from: Bytes, to: Bytes, denom: Bytes, amount: Bytes) -> i32 {
    let moved = world.memory.pay(address(from), address(to), &coin(denom, amount));
    moved.map_or(status::SHORT, |()| status::OK)
} }

callback! { fn burn(world, purse: Bytes, denom: Bytes, amount: Bytes) -> i32 {
    let name = read(purse);
    let purse = Purse::ALL.into_iter().find(|purse| purse.name().as_bytes() == name).unwrap();
    let burned = world.memory.burn(purse, &coin(denom, amount));
    burned.map_or(status::SHORT, |()| status::OK)
} }

callback! { fn emit(world, event: Bytes) -> i32 {
    let (mut list, mut parts) = (read(event), Vec::new());
    while !list.is_empty() {
        let length = u32::from_le_bytes(list[..4].try_into().unwrap()) as usize;
        parts.push(String::from_utf8(list[4..4 + length].to_vec()).unwrap());
        list.drain(..4 + length);
    }
    world.events.push(parts.join(" "));
    status::OK
} }

callback! { fn validators(world, room: Room) -> i64 {
    world.lend(Vec::new(), room)
} }

extern "C" fn answer(host: usize, answer: Bytes) {
    world(host).answer = read(answer);
}

static CALLBACKS: Callbacks =
    Callbacks { get, fetch, set, remove, range, pay, burn, emit, validators, answer };

/// An event as [`World`] keeps it.
pub fn told(event: &Event) -> String {
    let mut parts = vec![event.kind.to_owned()];
    for (name, value) in &event.attributes {
        parts.extend([(*name).to_owned(), value.clone()]);
    }
    parts.join(" ")
}
