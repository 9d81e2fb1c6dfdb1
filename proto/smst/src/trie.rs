//! The trie itself: built once from all its leaves, then asked for proofs.

use crate::node::{Hash, Leaf, Node, goes_right, shared_bits};
use crate::proof::Proof;

/// Leaves of one trie at most: places in it are 32 bits.
pub const LEAVES_MAX: usize = 1 << 30;

/// Why leaves make no trie.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildRefused {
    #[error("two leaves have the path {}", hex(path))]
    SamePath { path: Hash },
    #[error("the leaf at {} weighs nothing", hex(path))]
    Weightless { path: Hash },
    #[error("the weights add up to more than {}", u64::MAX)]
    SumOverflow,
    #[error("{count} leaves, but a trie holds {LEAVES_MAX} at most")]
    TooMany { count: usize },
}

fn hex(bytes: &Hash) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a part of the trie is kept: leaves and branches each in their own array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(u32);

const BRANCH: u32 = 1 << 31;

/// Two non-empty parts that share their first `depth` bits and differ in the next.
#[derive(Clone, Copy, Debug)]
struct Branch {
    /// The inner node at `depth`.
    node: Node,
    depth: u16,
    left: Place,
    right: Place,
}

/// A sparse Merkle sum trie over sorted leaves. It takes some 140 bytes a leaf.
#[derive(Clone, Debug, Default)]
pub struct Trie {
    leaves: Vec<Leaf>,
    branches: Vec<Branch>,
    top: Option<Place>,
    root: Node,
}

impl Trie {
    /// The trie of these leaves, in any order.
    pub fn build(mut leaves: Vec<Leaf>) -> Result<Trie, BuildRefused> {
        if leaves.len() > LEAVES_MAX {
            return Err(BuildRefused::TooMany { count: leaves.len() });
        }
        leaves.sort_unstable_by_key(|leaf| leaf.path);
        check(&leaves)?;
        let branches = Vec::with_capacity(leaves.len().saturating_sub(1));
        let mut trie = Trie { leaves, branches, top: None, root: Node::EMPTY };
        trie.top = trie.join_all();
        trie.root = trie.top.map_or(Node::EMPTY, |top| trie.lifted(top, 0));
        Ok(trie)
    }

    /// The commitment to all leaves.
    pub fn root(&self) -> Node {
        self.root
    }

    /// All leaves, in the order of their paths.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The leaf at `path`, and the proof that it is there.
    pub fn prove(&self, path: &Hash) -> Option<(Leaf, Proof)> {
        let index = self.leaves.binary_search_by(|leaf| leaf.path.cmp(path)).ok()?;
        let leaf = self.leaves[index];
        Some((leaf, self.descend(|branch, _| goes_right(path, branch.depth.into()))?))
    }

    /// The leaf on which `point` of the line of weights `[0, sum)` falls, and the proof of it.
    pub fn prove_at(&self, point: u64) -> Option<(Leaf, Proof)> {
        if point >= self.root.sum {
            return None;
        }
        let mut rest = point;
        let mut leaf = None;
        let proof = self.descend(|branch, trie| {
            let left = trie.node(branch.left).sum;
            let right = rest >= left;
            if right {
                rest -= left;
            }
            leaf = Some(if right { branch.right } else { branch.left });
            right
        })?;
        let last = leaf.or(self.top)?;
        Some((*self.leaves.get(last.0 as usize)?, proof))
    }

    /// Joins the sorted leaves into branches, in one pass: a stack keeps the parts on the way
    /// from the root to the last leaf, the deepest last.
    fn join_all(&mut self) -> Option<Place> {
        let mut open: Vec<(Place, usize)> = Vec::with_capacity(64);
        for i in 0..self.leaves.len() {
            // How deep the next leaf parts from this one: parts that are open deeper are done.
            let depth = match self.leaves.get(i + 1) {
                Some(next) => shared_bits(&self.leaves[i].path, &next.path) as isize,
                None => -1,
            };
            let mut part = Place(i as u32);
            while let Some(&(left, at)) = open.last() {
                if (at as isize) < depth {
                    break;
                }
                open.pop();
                part = self.join(left, part, at);
            }
            match usize::try_from(depth) {
                Ok(depth) => open.push((part, depth)),
                Err(_) => return Some(part),
            }
        }
        None
    }

    fn join(&mut self, left: Place, right: Place, depth: usize) -> Place {
        let (below_left, below_right) =
            (self.lifted(left, depth + 1), self.lifted(right, depth + 1));
        let node = Node::of_inner(&below_left, &below_right)
            .expect("the sum of all weights was found to fit");
        self.branches.push(Branch { node, depth: depth as u16, left, right });
        Place(BRANCH | (self.branches.len() - 1) as u32)
    }

    /// The node of a part as it stands where it is.
    fn node(&self, place: Place) -> Node {
        match self.branch(place) {
            Some(branch) => branch.node,
            None => Node::of_leaf(&self.leaves[place.0 as usize]),
        }
    }

    fn branch(&self, place: Place) -> Option<&Branch> {
        (place.0 & BRANCH != 0).then(|| &self.branches[(place.0 & !BRANCH) as usize])
    }

    /// The node of a part as its parent at `depth - 1` sees it: a leaf is where it is, a branch
    /// that parts deeper stands below inner nodes with one empty side.
    fn lifted(&self, place: Place, depth: usize) -> Node {
        let Some(branch) = self.branch(place) else { return self.node(place) };
        let path = self.any_path(place);
        (depth..branch.depth.into()).rev().fold(branch.node, |node, level| {
            let (left, right) =
                if goes_right(&path, level) { (Node::EMPTY, node) } else { (node, Node::EMPTY) };
            Node::of_inner(&left, &right).expect("adding nothing cannot overflow")
        })
    }

    /// The path of some leaf below: all share the bits above the part.
    fn any_path(&self, mut place: Place) -> Hash {
        while let Some(branch) = self.branch(place) {
            place = branch.left;
        }
        self.leaves[place.0 as usize].path
    }

    /// The siblings on the way down that `right` chooses at each branch.
    fn descend(&self, mut right: impl FnMut(&Branch, &Trie) -> bool) -> Option<Proof> {
        let mut place = self.top?;
        let mut siblings = Vec::new();
        while let Some(branch) = self.branch(place) {
            siblings.resize(branch.depth.into(), Node::EMPTY);
            let below = usize::from(branch.depth) + 1;
            let (next, other) = if right(branch, self) {
                (branch.right, branch.left)
            } else {
                (branch.left, branch.right)
            };
            siblings.push(self.lifted(other, below));
            place = next;
        }
        Some(Proof { siblings })
    }
}

fn check(leaves: &[Leaf]) -> Result<(), BuildRefused> {
    for pair in leaves.windows(2) {
        if pair[0].path == pair[1].path {
            return Err(BuildRefused::SamePath { path: pair[0].path });
        }
    }
    let mut sum = 0u64;
    for leaf in leaves {
        if leaf.weight == 0 {
            return Err(BuildRefused::Weightless { path: leaf.path });
        }
        sum = sum.checked_add(leaf.weight).ok_or(BuildRefused::SumOverflow)?;
    }
    Ok(())
}
