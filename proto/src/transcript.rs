//! The commitment to an answer: a Merkle tree over its bytes in chunks, so that one chunk can be
//! shown without the rest.

use crate::units::Digest;
use rs_merkle::{Hasher, MerkleTree};

/// Bytes of a chunk; the last one may be shorter. Chunks are cut by length, not where the network
/// happened to, so that both sides get the same root.
pub const CHUNK_BYTES: usize = 1024;

/// blake3 under two names, so that no inner node passes for a chunk.
#[derive(Clone)]
struct Chunked;

impl Hasher for Chunked {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        blake3::derive_key("lode 2026 transcript node", data)
    }
}

fn chunk_hash(chunk: &[u8]) -> [u8; 32] {
    blake3::derive_key("lode 2026 transcript chunk", chunk)
}

/// An answer as it flows by. Memory grows by 32 bytes for each [`CHUNK_BYTES`].
#[derive(Debug)]
pub struct Transcript {
    chunks: Vec<[u8; 32]>,
    rest: Vec<u8>,
}

impl Default for Transcript {
    fn default() -> Transcript {
        Transcript::new()
    }
}

impl Transcript {
    /// An answer of which nothing was seen.
    pub fn new() -> Transcript {
        Transcript { chunks: Vec::new(), rest: Vec::with_capacity(CHUNK_BYTES) }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.rest.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == CHUNK_BYTES {
                self.chunks.push(chunk_hash(&self.rest));
                self.rest.clear();
            }
        }
    }

    /// The commitment to what was seen so far.
    pub fn commitment(&self) -> Commitment {
        let mut leaves = self.chunks.clone();
        if !self.rest.is_empty() {
            leaves.push(chunk_hash(&self.rest));
        }
        let root = MerkleTree::<Chunked>::from_leaves(&leaves).root().unwrap_or_default();
        Commitment { root: Digest(root), chunk_count: leaves.len() as u64 }
    }
}

/// What a receipt says of an answer: 32 zero bytes and no chunks for an empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitment {
    pub root: Digest,
    pub chunk_count: u64,
}

/// The commitment to a whole answer.
pub fn commit(answer: &[u8]) -> Commitment {
    let mut transcript = Transcript::new();
    transcript.push(answer);
    transcript.commitment()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(
            answer in prop::collection::vec(any::<u8>(), 0..5_000),
            cuts in prop::collection::vec(0usize..5_000, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (answer.len() + 1)).collect();
            cuts.sort_unstable();
            let mut transcript = Transcript::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([answer.len()]) {
                transcript.push(&answer[from..cut]);
                from = cut;
            }
            prop_assert_eq!(transcript.commitment(), commit(&answer));
        }

        #[test]
        fn another_answer_has_another_root(
            mut answer in prop::collection::vec(any::<u8>(), 1..3_000), at: prop::sample::Index
        ) {
            let before = commit(&answer);
            let at = at.index(answer.len());
            answer[at] ^= 1;
            prop_assert_ne!(commit(&answer).root, before.root);
        }
    }

    #[test]
    fn an_inner_node_does_not_pass_for_a_chunk() {
        let whole = commit(&[7; CHUNK_BYTES * 2]);
        let inner = [chunk_hash(&[7; CHUNK_BYTES]), chunk_hash(&[7; CHUNK_BYTES])].concat();
        assert_ne!(commit(&inner).root, whole.root);
    }
}
