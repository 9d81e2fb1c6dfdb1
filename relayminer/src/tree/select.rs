//! Which relays go into the tree.

use crate::book::{Book, Relay};
use proto::Cu;
use proto::relay::Status;
use serde::{Deserialize, Serialize};

/// A relay in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which of the book's relays.
    pub index: u32,
    pub weight: Cu,
    pub acked: bool,
}

/// A relay, or a part of one, that earns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub index: u32,
    /// What of its receipt is lost.
    pub cu: Cu,
    pub reason: Reason,
}

/// Why compute units earn nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has not ended.
    Running,
    /// The supplier failed.
    Failed,
    /// Nothing was delivered.
    Nothing,
    /// The gateway acknowledged less than the receipt says.
    AckedLess,
    /// The gateway acknowledged that it got nothing.
    AckedNothing,
    /// It is not acknowledged, and its number is too far from others that are not.
    UnackedBeyondWindow,
    /// It ended after the session was claimed for the last time.
    AfterClaim,
}

/// What of a book is in its tree, and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// In the order of the book.
    pub kept: Vec<Kept>,
    pub lost: Vec<Lost>,
    /// Relays numbered from here on need no acknowledgement, as many as the session's terms say.
    pub unacked_from: u64,
    pub sum: Cu,
}

impl Selection {
    /// Whether the relay's leaf has an acknowledgement.
    pub(super) fn is_acked(&self, book: &Book, relay: &Relay) -> bool {
        let index = self.kept.binary_search_by_key(&relay.accepted.at, |kept| {
            book.relays()[kept.index as usize].accepted.at
        });
        index.is_ok_and(|index| self.kept[index].acked)
    }
}

/// What of a book goes into its tree: all that is acknowledged and, of what is not, the stretch of
/// numbers that is worth most.
pub fn select(book: &Book) -> Selection {
    let (mut kept, mut lost, mut unacked) = (Vec::new(), Vec::new(), Vec::new());
    for (index, relay) in (0u32..).zip(book.relays()) {
        match judge(book, relay) {
            Ok((acked, weight)) => {
                let said = relay.outcome.map_or(Cu(0), |outcome| outcome.cu);
                if acked {
                    kept.push(Kept { index, weight, acked });
                } else {
                    unacked.push((relay.seq, Kept { index, weight, acked }));
                }
                let less = said.saturating_sub(weight);
                if less > Cu(0) {
                    lost.push(Lost { index, cu: less, reason: Reason::AckedLess });
                }
            }
            Err((reason, cu)) => lost.push(Lost { index, cu, reason }),
        }
    }
    let inflight = u64::from(book.session().terms.inflight_max);
    let unacked_from = best_window(&mut unacked, inflight, book.acks().known().floor);
    for (seq, relay) in unacked {
        if (unacked_from..unacked_from.saturating_add(inflight)).contains(&seq) {
            kept.push(relay);
        } else {
            let (index, cu) = (relay.index, relay.weight);
            lost.push(Lost { index, cu, reason: Reason::UnackedBeyondWindow });
        }
    }
    kept.sort_unstable_by_key(|kept| kept.index);
    lost.sort_unstable_by_key(|lost| lost.index);
    // The book adds up all receipts with checks, and no weight is more than its receipt.
    let sum = Cu(kept.iter().map(|kept| kept.weight.0).sum());
    Selection { kept, lost, unacked_from, sum }
}

/// What a relay weighs and whether that is acknowledged, or why it earns nothing.
fn judge(book: &Book, relay: &Relay) -> Result<(bool, Cu), (Reason, Cu)> {
    let outcome = relay.outcome.ok_or((Reason::Running, Cu(0)))?;
    if outcome.status == Status::Failed {
        return Err((Reason::Failed, Cu(0)));
    }
    if outcome.cu == Cu(0) {
        return Err((Reason::Nothing, Cu(0)));
    }
    match book.acks().of(&relay.id) {
        Some(Cu(0)) => Err((Reason::AckedNothing, outcome.cu)),
        Some(acked) => Ok((true, acked.min(outcome.cu))),
        None => Ok((false, outcome.cu)),
    }
}

/// The first number of the window of `length` numbers in which `relays` weigh most; `otherwise`
/// where there are none. Sorts them by number.
fn best_window(relays: &mut [(u64, Kept)], length: u64, otherwise: u64) -> u64 {
    relays.sort_unstable_by_key(|(seq, _)| *seq);
    let (mut best, mut from) = (0u128, otherwise);
    let (mut start, mut weight) = (0, 0u128);
    for (seq, relay) in relays.iter() {
        weight += u128::from(relay.weight.0);
        while relays[start].0.saturating_add(length) <= *seq {
            weight -= u128::from(relays[start].1.weight.0);
            start += 1;
        }
        if weight > best {
            (best, from) = (weight, relays[start].0);
        }
    }
    from
}
