//! What happened, in the shape and under the names of the Cosmos SDK's events.

use crate::bank;
use proto::{Address, Coin};
use tendermint_proto::v0_38::abci::{Event, EventAttribute};

/// An event of `kind` with its attributes in order, all of them to be found by a search.
pub(crate) fn event<K: Into<String>>(
    kind: &str,
    attributes: impl IntoIterator<Item = (K, String)>,
) -> Event {
    let attribute =
        |(key, value): (K, String)| EventAttribute { key: key.into(), value, index: true };
    Event { r#type: kind.to_owned(), attributes: attributes.into_iter().map(attribute).collect() }
}

/// What the SDK's bank tells of coins that moved.
pub(crate) fn moved(from: &Address, to: &Address, coins: &[Coin]) -> [Event; 4] {
    let amount = bank::text(coins);
    let (from, to) = (from.to_string(), to.to_string());
    [
        event("coin_spent", [("spender", from.clone()), ("amount", amount.clone())]),
        event("coin_received", [("receiver", to.clone()), ("amount", amount.clone())]),
        event("transfer", [("recipient", to), ("sender", from.clone()), ("amount", amount)]),
        event("message", [("sender", from)]),
    ]
}

/// What the SDK's bank tells of coins that were destroyed.
pub(crate) fn burned(from: &Address, coin: &Coin) -> [Event; 2] {
    let (from, amount) = (from.to_string(), coin.to_string());
    [
        event("coin_spent", [("spender", from.clone()), ("amount", amount.clone())]),
        event("burn", [("burner", from), ("amount", amount)]),
    ]
}

/// Says of each event which of the transaction's messages it came from.
pub(crate) fn of_message(events: &mut [Event], index: usize) {
    for event in events {
        let (key, value) = ("msg_index".to_owned(), index.to_string());
        event.attributes.push(EventAttribute { key, value, index: true });
    }
}
