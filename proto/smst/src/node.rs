//! Nodes and their digests.

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, or a place in the trie (read from the most significant bit on).
pub type Hash = [u8; 32];

/// A part of the trie, as its parent commits to it: what it holds, weighs and counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    pub digest: Hash,
    /// Weights of all leaves below.
    pub sum: u64,
    /// Leaves below.
    pub count: u64,
}

/// A leaf: where it is, what it commits to and what it weighs. It counts as one, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub path: Hash,
    pub value_hash: Hash,
    /// Never zero.
    pub weight: u64,
}

const LEAF: u8 = 0;
const INNER: u8 = 1;

impl Node {
    /// A part of the trie with nothing in it.
    pub const EMPTY: Node = Node { digest: [0; 32], sum: 0, count: 0 };

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        *self == Node::EMPTY
    }

    /// The node of a leaf: `sha256(0 || path || value_hash || weight)`.
    pub fn of_leaf(leaf: &Leaf) -> Node {
        let mut bytes = [LEAF; 73];
        bytes[1..33].copy_from_slice(&leaf.path);
        bytes[33..65].copy_from_slice(&leaf.value_hash);
        bytes[65..].copy_from_slice(&leaf.weight.to_be_bytes());
        Node { digest: Sha256::digest(bytes).into(), sum: leaf.weight, count: 1 }
    }

    /// The node over two parts: `sha256(1 || left || right)`, each as digest, sum and count. `None`
    /// when sums or counts are too large to add.
    pub fn of_inner(left: &Node, right: &Node) -> Option<Node> {
        let sum = left.sum.checked_add(right.sum)?;
        let count = left.count.checked_add(right.count)?;
        let mut bytes = [INNER; 97];
        left.write(&mut bytes[1..49]);
        right.write(&mut bytes[49..]);
        Some(Node { digest: Sha256::digest(bytes).into(), sum, count })
    }

    fn write(&self, to: &mut [u8]) {
        to[..32].copy_from_slice(&self.digest);
        to[32..40].copy_from_slice(&self.sum.to_be_bytes());
        to[40..48].copy_from_slice(&self.count.to_be_bytes());
    }
}

/// Bit `depth` of a path: whether it goes right there.
pub(crate) fn goes_right(path: &Hash, depth: usize) -> bool {
    path[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// How many leading bits two paths share.
pub(crate) fn shared_bits(a: &Hash, b: &Hash) -> usize {
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        if x != y {
            return i * 8 + (x ^ y).leading_zeros() as usize;
        }
    }
    256
}
