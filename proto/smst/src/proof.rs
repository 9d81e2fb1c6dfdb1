//! The way from a leaf to the root, and its one encoding.

use crate::node::{Leaf, Node, goes_right};
use std::ops::Range;

/// A trie over 256-bit paths is at most this deep.
pub const SIBLINGS_MAX: usize = 256;

/// The parts of the trie beside the way from the root (first) to a leaf (last).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub siblings: Vec<Node>,
}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyRefused {
    #[error("{0} siblings, but a trie is at most {SIBLINGS_MAX} deep")]
    TooDeep(usize),
    #[error("a leaf that weighs nothing")]
    Weightless,
    #[error("the sibling at depth {0} is empty: the leaf should be higher up")]
    NotShallowest(usize),
    #[error("the sibling at depth {0} is neither empty nor holds a leaf of some weight")]
    Hollow(usize),
    #[error("sums or counts on the way are too large to add")]
    Overflow,
    #[error("it leads to another root: {got:?} instead of {expected:?}")]
    OtherRoot { got: Node, expected: Node },
}

/// Why bytes are no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeRefused {
    #[error("they end too early")]
    Short,
    #[error("{0} bytes follow the end")]
    Trailing(usize),
    #[error("{0} siblings, but a trie is at most {SIBLINGS_MAX} deep")]
    TooDeep(usize),
    #[error("a number is written longer than needed, or larger than 64 bits")]
    Number,
    #[error("bits are set beyond the last sibling, or an empty sibling is written out")]
    NotCanonical,
}

impl Proof {
    /// Whether `leaf` is in the trie of `root`, and if so where on the line of weights it lies.
    pub fn verify(&self, root: &Node, leaf: &Leaf) -> Result<Range<u64>, VerifyRefused> {
        if self.siblings.len() > SIBLINGS_MAX {
            return Err(VerifyRefused::TooDeep(self.siblings.len()));
        }
        if leaf.weight == 0 {
            return Err(VerifyRefused::Weightless);
        }
        if self.siblings.last().is_some_and(Node::is_empty) {
            return Err(VerifyRefused::NotShallowest(self.siblings.len() - 1));
        }
        let mut node = Node::of_leaf(leaf);
        let mut before = 0u64;
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            // A leaf weighs at least 1: a part weighs what it counts, or more.
            if !sibling.is_empty() && (sibling.count == 0 || sibling.sum < sibling.count) {
                return Err(VerifyRefused::Hollow(depth));
            }
            let joined = if goes_right(&leaf.path, depth) {
                before = before.checked_add(sibling.sum).ok_or(VerifyRefused::Overflow)?;
                Node::of_inner(sibling, &node)
            } else {
                Node::of_inner(&node, sibling)
            };
            node = joined.ok_or(VerifyRefused::Overflow)?;
        }
        if node != *root {
            return Err(VerifyRefused::OtherRoot { got: node, expected: *root });
        }
        Ok(before..before + leaf.weight)
    }

    /// The bytes: how many siblings (2 bytes), a bit for each that is not empty, then digest, sum
    /// and count (LEB128) of those.
    pub fn encode(&self) -> Vec<u8> {
        let depth = self.siblings.len();
        let mut bytes = Vec::with_capacity(2 + depth / 8 + 1 + depth * 40);
        bytes.extend((depth as u16).to_be_bytes());
        for eight in self.siblings.chunks(8) {
            let bit = |(i, sibling): (usize, &Node)| u8::from(!sibling.is_empty()) << (7 - i);
            bytes.push(eight.iter().enumerate().map(bit).sum());
        }
        for sibling in self.siblings.iter().filter(|sibling| !sibling.is_empty()) {
            bytes.extend(sibling.digest);
            write_number(&mut bytes, sibling.sum);
            write_number(&mut bytes, sibling.count);
        }
        bytes
    }

    /// Reads what [`Proof::encode`] writes, and nothing else.
    pub fn decode(mut bytes: &[u8]) -> Result<Proof, DecodeRefused> {
        let rest = &mut bytes;
        let depth = usize::from(u16::from_be_bytes(take(rest)?));
        if depth > SIBLINGS_MAX {
            return Err(DecodeRefused::TooDeep(depth));
        }
        let bits = rest.split_off(..depth.div_ceil(8)).ok_or(DecodeRefused::Short)?;
        let is_set = |i: usize| bits[i / 8] >> (7 - i % 8) & 1 == 1;
        if (depth..bits.len() * 8).any(is_set) {
            return Err(DecodeRefused::NotCanonical);
        }
        let mut siblings = Vec::with_capacity(depth);
        for i in 0..depth {
            siblings.push(if is_set(i) { read_node(rest)? } else { Node::EMPTY });
        }
        if rest.is_empty() {
            Ok(Proof { siblings })
        } else {
            Err(DecodeRefused::Trailing(rest.len()))
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeRefused> {
    let bytes = rest.split_off(..N).ok_or(DecodeRefused::Short)?;
    bytes.try_into().map_err(|_| DecodeRefused::Short)
}

fn read_node(rest: &mut &[u8]) -> Result<Node, DecodeRefused> {
    let node = Node { digest: take(rest)?, sum: read_number(rest)?, count: read_number(rest)? };
    if node.is_empty() { Err(DecodeRefused::NotCanonical) } else { Ok(node) }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Result<u64, DecodeRefused> {
    let mut number = 0u64;
    for i in 0..10 {
        let [byte] = take(rest)?;
        let part = u64::from(byte & 0x7f);
        // The tenth byte holds the last bit of 64; a last byte of zero could be left out.
        if (i == 9 && part > 1) || (i > 0 && byte == 0) {
            return Err(DecodeRefused::Number);
        }
        number |= part << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(DecodeRefused::Number)
}
