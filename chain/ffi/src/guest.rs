//! The market's world on the other side of the border.

use crate::border::{Bytes, Call, Callbacks, Room, status};
use crate::list;
use crate::meter::Meter;
use crate::stop::Stop;
use chain::Host;
use chain::host::{Block, Event, Party, Purse, Short, Validator};
use proto::vrf::VrfPublic;
use proto::{Address, Coin, Digest, Height, Time};

/// Room that is lent for an answer before it is known how long it is: most records fit.
const ROOM: usize = 1024;

/// Bytes of a validator: operator, power, whether there is a key, the key.
const VALIDATOR: usize = 20 + 8 + 1 + 32;

/// A host that is asked through callbacks. Where it fails the call is left, see [`Stop`].
pub(crate) struct Guest<'a> {
    host: usize,
    callbacks: &'a Callbacks,
    block: Block,
    meter: &'a Meter,
}

impl<'a> Guest<'a> {
    /// The host of `call`.
    ///
    /// # Safety
    /// The views of `call` can be read, and the callbacks keep to `include/lode.h`.
    pub(crate) unsafe fn new(call: Call, callbacks: &'a Callbacks, meter: &'a Meter) -> Guest<'a> {
        // SAFETY: the caller promises it.
        let chain_id = unsafe { call.chain_id.read() };
        let chain_id = std::str::from_utf8(chain_id)
            .unwrap_or_else(|_| Stop::Malformed("the chain id is no text".to_owned()).now());
        let block = Block {
            chain_id: chain_id.to_owned(),
            height: Height(call.height),
            time: Time(call.time),
            seed: Digest(call.seed),
        };
        Guest { host: call.host, callbacks, block, meter }
    }

    /// Bytes that the host writes into lent room, in one step or in two.
    fn lent(&self, ask: impl FnOnce(Room) -> i64) -> Option<Vec<u8>> {
        let mut room = [0; ROOM];
        let answer = ask(Room::of(&mut room));
        if answer == i64::from(status::ABSENT) {
            return None;
        }
        let length = usize::try_from(answer).unwrap_or_else(|_| Stop::Aborted.now());
        if let Some(bytes) = room.get(..length) {
            return Some(bytes.to_vec());
        }
        let mut bytes = vec![0; length];
        match (self.callbacks.fetch)(self.host, Room::of(&mut bytes)) {
            fetched if usize::try_from(fetched) == Ok(length) => Some(bytes),
            fetched if fetched < 0 => Stop::Aborted.now(),
            fetched => {
                Stop::Malformed(format!("{length} bytes were to come, but {fetched} came")).now()
            }
        }
    }

    fn moved(&self, answer: i32, short: impl FnOnce() -> Short) -> Result<(), Short> {
        match answer {
            status::OK => Ok(()),
            status::SHORT => Err(short()),
            _ => Stop::Aborted.now(),
        }
    }
}

/// Ends the call unless the host did what it was asked for.
fn done(answer: i32) {
    if answer != status::OK {
        Stop::Aborted.now();
    }
}

fn address(party: Party) -> Address {
    match party {
        Party::Account(address) => address,
        Party::Purse(purse) => purse.address(),
    }
}

fn validator(bytes: &[u8; VALIDATOR]) -> Validator {
    let mut operator = Address([0; 20]);
    operator.0.copy_from_slice(&bytes[..20]);
    let mut power = [0; 8];
    power.copy_from_slice(&bytes[20..28]);
    let mut key = VrfPublic([0; 32]);
    key.0.copy_from_slice(&bytes[29..]);
    Validator {
        operator,
        power: u64::from_le_bytes(power),
        vrf_key: (bytes[28] == 1).then_some(key),
    }
}

impl Host for Guest<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let value = self.lent(|room| (self.callbacks.get)(self.host, Bytes::of(key), room));
        self.meter.read(value.as_ref().map_or(0, Vec::len));
        value
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.meter.write(value.len());
        done((self.callbacks.set)(self.host, Bytes::of(key), Bytes::of(value)));
    }

    fn delete(&mut self, key: &[u8]) {
        self.meter.write(0);
        done((self.callbacks.remove)(self.host, Bytes::of(key)));
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (from, to) = (Bytes::of(from), Bytes::of(to));
        let page = self.lent(|room| (self.callbacks.range)(self.host, from, to, limit, room));
        let pairs = list::pairs(&page.unwrap_or_default())
            .unwrap_or_else(|| Stop::Malformed("a page is no list of pairs".to_owned()).now());
        pairs.iter().for_each(|(_, value)| self.meter.read(value.len()));
        pairs
    }

    fn pay(&mut self, from: Party, to: Party, coin: &Coin) -> Result<(), Short> {
        let (payer, payee, amount) = (address(from), address(to), coin.amount.to_string());
        let answer = (self.callbacks.pay)(
            self.host,
            Bytes::of(&payer.0),
            Bytes::of(&payee.0),
            Bytes::of(coin.denom.as_str().as_bytes()),
            Bytes::of(amount.as_bytes()),
        );
        self.moved(answer, || Short { from, coin: coin.clone() })
    }

    fn burn(&mut self, from: Purse, coin: &Coin) -> Result<(), Short> {
        let amount = coin.amount.to_string();
        let answer = (self.callbacks.burn)(
            self.host,
            Bytes::of(from.name().as_bytes()),
            Bytes::of(coin.denom.as_str().as_bytes()),
            Bytes::of(amount.as_bytes()),
        );
        self.moved(answer, || Short { from: Party::Purse(from), coin: coin.clone() })
    }

    fn emit(&mut self, event: Event) {
        let attributes = event.attributes.iter();
        let parts = attributes.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let list = list::encode(std::iter::once(event.kind.as_bytes()).chain(parts));
        done((self.callbacks.emit)(self.host, Bytes::of(&list)));
    }

    fn block(&self) -> Block {
        self.block.clone()
    }

    fn validators(&self) -> Vec<Validator> {
        let bytes = self.lent(|room| (self.callbacks.validators)(self.host, room));
        let bytes = bytes.unwrap_or_default();
        let (validators, rest) = bytes.as_chunks::<VALIDATOR>();
        if !rest.is_empty() {
            Stop::Malformed(format!("{} bytes are no whole validators", bytes.len())).now();
        }
        validators.iter().map(validator).collect()
    }
}
