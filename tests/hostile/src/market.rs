//! The market under transactions that nobody should send.

use proto::message::Message;
use tests::town::Town;

/// Messages of one run at most: a longer script shows nothing new.
const STEPS_MAX: usize = 64;

/// Reads bytes as a script of messages and empty blocks, and plays it: a step is a kind, a length
/// and so many bytes. The town checks after each block that no coin was made or lost, that purses
/// hold what records say, and that what was refused left no trace.
pub fn market(mut script: &[u8]) {
    let mut town = Town::new(2);
    town.open();
    for _ in 0..STEPS_MAX {
        let Some((kind, rest)) = script.split_first() else { break };
        let Some((length, rest)) = rest.split_first_chunk::<2>() else { break };
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (value, rest) = rest.split_at(length);
        script = rest;
        match Message::TYPE_URLS.get(usize::from(*kind)) {
            Some(url) => {
                let message = Message::from_any(url, value);
                town.block(&message.into_iter().collect::<Vec<_>>());
            }
            None => {
                let next = town.height().plus(u64::from(*kind % 16));
                town.until(next);
            }
        }
    }
    // Everything that was opened, claimed or staked comes to its end.
    let end = town.height().plus(120);
    town.until(end);
}
