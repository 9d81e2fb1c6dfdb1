//! The usage tree of a session: its leaves and the trie over them, made from the book.
//!
//! A claim names the byte of the book up to which it is made. The tree is always built from those
//! records, so a proof is of the tree that was claimed, whatever came later.

mod select;
#[cfg(test)]
mod tests;

pub use select::{Kept, Lost, Reason, Selection, select};

use crate::book::{self, Book, OpenRefused, Reader, Record, Relay};
use proto::claim::ClaimRoot;
use proto::leaf::{AckHead, AckProof, BadLeaf, Leaf, Opening, drawn_point};
use proto::{Cu, Digest};
use smst::{BuildRefused, DecodeRefused, Node, Proof, Trie, VerifyRefused};
use std::io;
use std::path::Path;

/// The usage tree of a part of a book.
#[derive(Debug)]
pub struct Tree {
    book: Book,
    selection: Selection,
    trie: Trie,
    reader: Reader,
    /// Which relay is at which path, in the order of paths.
    paths: Vec<(Digest, Digest)>,
}

/// Why there is no tree, or no opening of it.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error(transparent)]
    Book(#[from] OpenRefused),
    #[error("the book holds no whole record")]
    Empty,
    #[error("the book cannot be read: {0}")]
    Disk(#[from] io::Error),
    #[error("relay {relay_id}: the record at byte {at} is of another kind")]
    OtherRecord { relay_id: Digest, at: u64 },
    #[error("the leaves make no tree: {0}")]
    Build(#[from] BuildRefused),
    #[error("the book adds up to {built:?}, but {claimed:?} was claimed")]
    OtherRoot { built: Box<ClaimRoot>, claimed: Box<ClaimRoot> },
}

/// Why an opening would be refused by the chain.
#[derive(Debug, thiserror::Error)]
pub enum BadOpening {
    #[error("the supplier has no seat in the session")]
    NoSeat,
    #[error("the leaf is wrong: {0}")]
    Leaf(#[from] BadLeaf),
    #[error("the proof cannot be read: {0}")]
    Decode(#[from] DecodeRefused),
    #[error("the proof does not hold: {0}")]
    Verify(#[from] VerifyRefused),
    #[error("the leaf lies at {start}..{end} of the line of weights, but {point} was drawn")]
    OtherPoint { start: u64, end: u64, point: u64 },
}

impl Tree {
    /// The tree of the records before byte `upto` of the book at `path`. Reads the whole book.
    pub fn build(path: &Path, upto: u64) -> Result<Tree, TreeError> {
        let book = book::scan(path, upto)?.ok_or(TreeError::Empty)?;
        let reader = Reader::open(path)?;
        let selection = select(&book);
        let mut leaves = Vec::with_capacity(selection.kept.len());
        let mut paths = Vec::with_capacity(selection.kept.len());
        for kept in &selection.kept {
            let relay = &book.relays()[kept.index as usize];
            let leaf = read_leaf(&book, &reader, relay, kept.acked)?;
            leaves.push(smst_leaf(&leaf));
            paths.push((leaf.path(), relay.id));
        }
        paths.sort_unstable();
        Ok(Tree { trie: Trie::build(leaves)?, book, selection, reader, paths })
    }

    /// The tree that `claimed` is over, if the book still adds up to it.
    pub fn rebuild(path: &Path, claimed: &book::Claimed) -> Result<Tree, TreeError> {
        let tree = Tree::build(path, claimed.upto)?;
        let built = tree.root();
        if built == claimed.root {
            return Ok(tree);
        }
        Err(TreeError::OtherRoot { built: built.into(), claimed: claimed.root.into() })
    }

    /// What is to be claimed.
    pub fn root(&self) -> ClaimRoot {
        let root = self.trie.root();
        ClaimRoot {
            session_id: self.book.session().id,
            root: Digest(root.digest),
            sum: Cu(root.sum),
            count: root.count,
            unacked_from: self.selection.unacked_from,
        }
    }

    /// The records that it is made from.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// What is in it, and what is not.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The leaf of a relay and its way to the root; none if it is not in the tree.
    pub fn open(&self, relay_id: &Digest) -> Result<Option<Opening>, TreeError> {
        let proven = self.trie.prove(&proto::leaf::path(relay_id).0);
        proven.map(|(leaf, proof)| self.opening(&leaf, &proof)).transpose()
    }

    /// The leaf on which `point` of the line of weights falls, and its way to the root.
    pub fn open_at(&self, point: u64) -> Result<Option<Opening>, TreeError> {
        let proven = self.trie.prove_at(point);
        proven.map(|(leaf, proof)| self.opening(&leaf, &proof)).transpose()
    }

    /// The openings that `seed` draws, in order.
    pub fn drawn(&self, seed: &Digest) -> Result<Vec<(u64, Opening)>, TreeError> {
        let (session, sum) = (self.book.session(), self.root().sum);
        let operator = &self.book.opened().operator;
        let mut openings = Vec::new();
        for i in 0..session.terms.proving.draws {
            let point = drawn_point(seed, &session.id, operator, i, sum);
            openings.extend(self.open_at(point)?.map(|opening| (point, opening)));
        }
        Ok(openings)
    }

    fn opening(&self, leaf: &smst::Leaf, proof: &Proof) -> Result<Opening, TreeError> {
        let path = Digest(leaf.path);
        let found = self.paths.binary_search_by_key(&path, |(path, _)| *path);
        let relay = found.ok().and_then(|index| self.book.relay(&self.paths[index].1));
        let relay = relay.expect("each leaf of the trie came with its relay");
        let acked = self.selection.is_acked(&self.book, relay);
        let leaf = read_leaf(&self.book, &self.reader, relay, acked)?;
        Ok(Opening { leaf, path: proof.encode() })
    }
}

/// Whether the chain would take `opening` for `point` of the claim `root`, by the chain's own rules.
pub fn check(
    book: &Book,
    root: &ClaimRoot,
    opening: &Opening,
    point: u64,
) -> Result<(), BadOpening> {
    let opened = book.opened();
    let seat = book.seat().ok_or(BadOpening::NoSeat)?;
    opening.leaf.check(&opened.chain_id, &opened.session, seat, root.unacked_from)?;
    let node = Node { digest: root.root.0, sum: root.sum.0, count: root.count };
    let range = Proof::decode(&opening.path)?.verify(&node, &smst_leaf(&opening.leaf))?;
    if range.contains(&point) {
        return Ok(());
    }
    Err(BadOpening::OtherPoint { start: range.start, end: range.end, point })
}

fn smst_leaf(leaf: &Leaf) -> smst::Leaf {
    smst::Leaf { path: leaf.path().0, value_hash: leaf.value_hash().0, weight: leaf.weight().0 }
}

fn read_leaf(book: &Book, reader: &Reader, relay: &Relay, acked: bool) -> Result<Leaf, TreeError> {
    let other = |at: u64| TreeError::OtherRecord { relay_id: relay.id, at };
    let Record::Accepted(accepted) = reader.read(relay.accepted)? else {
        return Err(other(relay.accepted.at));
    };
    let place = relay.outcome.map(|outcome| outcome.receipt).ok_or(other(relay.accepted.at))?;
    let Record::Receipt(receipt) = reader.read(place)? else { return Err(other(place.at)) };
    let ack = match book.acks().link(&relay.id).filter(|_| acked) {
        Some(link) => {
            let head = match reader.read(link.head)? {
                Record::Accepted(accepted) => AckHead::Request(accepted.envelope.request),
                Record::Acked(update) => AckHead::Ack(update.ack),
                _ => return Err(other(link.head.at)),
            };
            Some(AckProof { before: link.before, tail: link.tail.to_vec(), head })
        }
        None => None,
    };
    Ok(Leaf { request: accepted.envelope.request, receipt: *receipt, ack })
}
