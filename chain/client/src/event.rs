//! What happened in a block, in the shape of an ABCI event.

use serde::Serialize;
use tendermint::abci;

/// One thing that happened: a kind and its attributes in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The kind, such as `lode_claim`.
    pub kind: String,
    pub attributes: Vec<(String, String)>,
}

impl Event {
    /// The first attribute of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl From<&abci::Event> for Event {
    fn from(event: &abci::Event) -> Event {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Event {
            kind: event.kind.clone(),
            attributes: event
                .attributes
                .iter()
                .map(|attribute| (text(attribute.key_bytes()), text(attribute.value_bytes())))
                .collect(),
        }
    }
}

/// All of `events`, in order.
pub(crate) fn of(events: &[abci::Event]) -> Vec<Event> {
    events.iter().map(Event::from).collect()
}
