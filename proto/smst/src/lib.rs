//! A sparse Merkle sum trie: a commitment to weighed leaves, from which any one can be shown
//! together with where it lies on the line of all weights.
//!
//! ```text
//! line of weights   0        3   4          9    12
//!                   |-- a ---|-b-|---- c ----|-d-|      sum 12, count 4
//! ```
//! Paths have 256 bits, read from the most significant on; a leaf sits at the shallowest depth at
//! which no other shares its way. Each node commits to the digests, sums and counts of both its
//! sides, so the sums of the left siblings on a leaf's way *are* what lies before it on the line.
//! A point that is drawn on the line after the root is known can be answered by one leaf only,
//! and a fabricated part of the weights is found with the probability of its size.

mod node;
mod proof;
mod trie;

pub use node::{Hash, Leaf, Node};
pub use proof::{DecodeRefused, Proof, SIBLINGS_MAX, VerifyRefused};
pub use trie::{BuildRefused, LEAVES_MAX, Trie};
