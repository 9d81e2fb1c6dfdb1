//! How a payout came about, unit by unit, from the book alone.
//!
//! The tree is built again from the receipts and compared with the claim; the cost and its shares are
//! computed again and compared with what was settled. Nothing is asked of anybody.

use crate::book::{self, Book, Claimed, End, Relay};
use crate::payouts::{Due, Paid, Payout, paid, payout};
use crate::tree::{Reason, Tree, TreeError, select};
use proto::relay::Status;
use proto::{Cu, Digest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// How a payout came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    #[serde(flatten)]
    pub payout: Payout,
    /// Each relay's way, in the order in which they were let in.
    pub relays: Vec<Line>,
    /// What was computed again, and whether it came out the same.
    pub checks: Vec<Check>,
    /// What the chain would have paid for `expected`, if nothing was lost on the way.
    pub due: Due,
    pub due_to: Vec<Paid>,
}

/// One relay's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub relay_id: Digest,
    pub seq: u64,
    /// None while it runs.
    pub status: Option<Status>,
    /// What its receipt says.
    pub cu: Cu,
    /// What its gateway acknowledged.
    pub acked: Option<Cu>,
    /// What it earns: its weight in the tree.
    pub weight: Cu,
    /// SHA-256 of its leaf, if it is in the tree.
    pub leaf: Option<Digest>,
    /// Why not all of `cu` earns.
    pub reason: Option<Reason>,
}

/// Something that was computed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    pub holds: bool,
}

/// Explains the payout of the book at `path`. Reads the whole book.
pub fn explain(path: &Path) -> Result<Explanation, TreeError> {
    let book = book::scan(path, u64::MAX)?.ok_or(TreeError::Empty)?;
    let root = book.included().map(|(root, _)| root);
    let claimed =
        book.claims().iter().rfind(|claimed| root.is_none_or(|root| claimed.root == root));
    let tree = Tree::build(path, claimed.map_or(book.length(), |claimed| claimed.upto))?;
    let due = Due::of(book.session(), tree.root().sum);
    Ok(Explanation {
        relays: lines(&book, &tree)?,
        checks: checks(&book, &tree, claimed, &due),
        due_to: paid(&book, due.split.supplier),
        due,
        payout: payout(&book),
    })
}

fn lines(book: &Book, tree: &Tree) -> Result<Vec<Line>, TreeError> {
    let selection = tree.selection();
    let index = |relays: &[Relay], i: u32| relays[i as usize].id;
    let claimed = tree.book().relays();
    let weights: HashMap<Digest, Cu> =
        selection.kept.iter().map(|kept| (index(claimed, kept.index), kept.weight)).collect();
    // What ended after the claim is judged by the book as it is.
    let mut reasons: HashMap<Digest, Reason> = select(book)
        .lost
        .iter()
        .map(|lost| (index(book.relays(), lost.index), lost.reason))
        .collect();
    reasons.extend(selection.lost.iter().map(|lost| (index(claimed, lost.index), lost.reason)));
    book.relays().iter().map(|relay| line(book, tree, relay, &weights, &reasons)).collect()
}

fn line(
    book: &Book,
    tree: &Tree,
    relay: &Relay,
    weights: &HashMap<Digest, Cu>,
    reasons: &HashMap<Digest, Reason>,
) -> Result<Line, TreeError> {
    let cu = relay.outcome.map_or(Cu(0), |outcome| outcome.cu);
    let weight = weights.get(&relay.id).copied().unwrap_or_default();
    let ended_late = relay.outcome.is_some()
        && cu > Cu(0)
        && tree.book().relay(&relay.id).is_none_or(|claimed| claimed.outcome.is_none());
    let reason =
        if ended_late { Some(Reason::AfterClaim) } else { reasons.get(&relay.id).copied() };
    Ok(Line {
        relay_id: relay.id,
        seq: relay.seq,
        status: relay.outcome.map(|outcome| outcome.status),
        cu,
        acked: book.acks().of(&relay.id),
        weight,
        leaf: tree.open(&relay.id)?.map(|opening| opening.leaf.value_hash()),
        reason,
    })
}

fn checks(book: &Book, tree: &Tree, claimed: Option<&Claimed>, due: &Due) -> Vec<Check> {
    let check = |what: &str, holds: bool| Check { what: what.to_owned(), holds };
    let built = tree.root();
    let mut checks = Vec::new();
    if let Some(claimed) = claimed {
        checks
            .push(check("the receipts add up to the root that was claimed", claimed.root == built));
    }
    if let Some(End::Settled(settled)) = book.end() {
        checks.push(check(
            "the root that was settled is the one that was claimed",
            settled.root == built,
        ));
        checks.push(check(
            "the price is the one that the session opened with",
            settled.price == book.session().terms.price,
        ));
        let whole = settled.cost == due.cost;
        checks.push(check(
            "the cost is price times compute units, or a reason says why it is less",
            whole || (settled.cost < due.cost && !settled.reason.is_empty()),
        ));
        let split = book.session().terms.split(settled.cost);
        checks.push(check(
            "the cost was shared out as the session's terms say",
            settled.split == split,
        ));
    }
    checks
}
