//! Putting a signed transaction into a mempool.

use crate::rpc::{Node, Rpc, read};
use std::time::Duration;
use tendermint_rpc::ResponseError;
use tendermint_rpc::endpoint::broadcast::tx_sync;
use tendermint_rpc::request::RequestMessage;
use tokio::time::Instant;

/// The pause after a round of all nodes.
const PAUSE: Duration = Duration::from_millis(200);

/// Codes of the codespace `sdk` (cosmossdk.io/errors) that say more than no.
const ALREADY_THERE: u32 = 19;
const MEMPOOL_FULL: u32 = 20;
const WRONG_SEQUENCE: u32 = 32;

/// What became of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A node has them, as far as it says.
    Taken,
    /// No node has them: the account's next sequence is another one.
    WrongSequence { expected: Option<u64>, no: No },
    /// No node has them, and none will take them.
    Refused(No),
    /// No node got them.
    Offline { reason: String },
    /// A node may have them.
    Doubtful { reason: String },
}

/// A node's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct No {
    pub(super) codespace: String,
    pub(super) code: u32,
    pub(super) log: String,
}

enum Said {
    Final(Outcome),
    Later(String),
}

/// Gives `bytes` to a node, to the next when it fails, until one has said yes or no or `patience`
/// ends. A no counts only when no earlier node may have taken the same bytes.
pub(super) async fn broadcast(rpc: &Rpc, bytes: &[u8], patience: Duration) -> Outcome {
    let body = tx_sync::Request::new(bytes).into_json();
    let started = Instant::now();
    let (mut doubt, mut reason) = (false, String::new());
    loop {
        for index in rpc.order() {
            match offer(rpc, &rpc.nodes()[index], &body, &mut doubt).await {
                Said::Final(Outcome::Taken) => return Outcome::Taken,
                Said::Final(outcome) if !doubt => return outcome,
                Said::Final(outcome) => {
                    return Outcome::Doubtful { reason: format!("{outcome:?}") };
                }
                Said::Later(why) => reason = why,
            }
        }
        if started.elapsed() + PAUSE >= patience {
            let doubtful = doubt.then(|| Outcome::Doubtful { reason: reason.clone() });
            return doubtful.unwrap_or(Outcome::Offline { reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn offer(rpc: &Rpc, node: &Node, body: &str, doubt: &mut bool) -> Said {
    if let Err(reason) = rpc.check(node).await {
        return Said::Later(reason);
    }
    let reply = match node.call(body).await {
        Ok(reply) => reply,
        Err(fault) => {
            *doubt |= !fault.before_sending();
            return Said::Later(fault.to_string());
        }
    };
    match read::<tx_sync::Request>(reply) {
        Ok(Ok(answer)) => judge(answer),
        Ok(Err(error)) => judge_error(&error),
        Err(reason) => {
            *doubt = true;
            Said::Later(reason)
        }
    }
}

fn judge(answer: tx_sync::Response) -> Said {
    let no = No { codespace: answer.codespace, code: answer.code.value(), log: answer.log };
    Said::Final(match (no.codespace.as_str(), no.code) {
        (_, 0) | ("sdk", ALREADY_THERE) => Outcome::Taken,
        ("sdk", MEMPOOL_FULL) => return Said::Later(no.log),
        ("sdk", WRONG_SEQUENCE) => {
            Outcome::WrongSequence { expected: expected_sequence(&no.log), no }
        }
        _ => Outcome::Refused(no),
    })
}

// CometBFT's own mempool speaks in errors of the RPC (mempool/errors.go).
fn judge_error(error: &ResponseError) -> Said {
    let text = error.data().unwrap_or(error.message()).to_owned();
    if text.contains("tx already exists in cache") {
        return Said::Final(Outcome::Taken);
    }
    if text.to_ascii_lowercase().contains("tx too large") {
        let no = No { codespace: "rpc".to_owned(), code: 1, log: text };
        return Said::Final(Outcome::Refused(no));
    }
    Said::Later(text)
}

/// The sequence that a node expects, from `account sequence mismatch, expected 5, got 3`.
pub(super) fn expected_sequence(log: &str) -> Option<u64> {
    let (_, rest) = log.split_once("account sequence mismatch, expected ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_sequence_is_read_from_the_log() {
        let log = "account sequence mismatch, expected 5, got 3: incorrect account sequence";
        assert_eq!(expected_sequence(log), Some(5));
        assert_eq!(expected_sequence("account sequence mismatch, expected , got"), None);
        assert_eq!(expected_sequence("insufficient funds"), None);
    }
}
