//! What always holds of the trie.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use smst::{BuildRefused, DecodeRefused, Hash, Leaf, Node, Proof, Trie, VerifyRefused};

/// The definition, written as it is said: what the fast way must agree with.
fn slow_root(leaves: &[Leaf], depth: usize) -> Node {
    match leaves {
        [] => Node::EMPTY,
        [leaf] => Node::of_leaf(leaf),
        _ => {
            let goes_right = |leaf: &Leaf| leaf.path[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let (right, left): (Vec<Leaf>, Vec<Leaf>) =
                leaves.iter().copied().partition(|leaf| goes_right(leaf));
            Node::of_inner(&slow_root(&left, depth + 1), &slow_root(&right, depth + 1)).unwrap()
        }
    }
}

/// Paths that share long beginnings as well as such that do not.
fn path() -> impl Strategy<Value = Hash> {
    let near = (any::<u8>(), any::<u8>()).prop_map(|(last, kind)| {
        let mut path = [kind & 1; 32];
        path[31] = last;
        path
    });
    prop_oneof![any::<Hash>(), near]
}

fn leaves(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Leaf>> {
    prop::collection::btree_map(path(), (any::<Hash>(), 1u64..1 << 40), range).prop_map(|map| {
        let leaf = |(path, (value_hash, weight))| Leaf { path, value_hash, weight };
        map.into_iter().map(leaf).collect()
    })
}

proptest! {
    #[test]
    fn the_root_is_what_the_definition_says_in_any_order(
        leaves in leaves(0..40), seed: u64
    ) {
        let mut shuffled = leaves.clone();
        shuffled.sort_by_key(|leaf| seed.wrapping_mul(u64::from(leaf.path[31]) | 1));
        let trie = Trie::build(shuffled).unwrap();
        prop_assert_eq!(trie.root(), slow_root(&leaves, 0));
        prop_assert_eq!(trie.root().count, leaves.len() as u64);
    }

    #[test]
    fn the_leaves_tile_the_line_of_weights(leaves in leaves(1..40)) {
        let trie = Trie::build(leaves).unwrap();
        let mut from = 0;
        for leaf in trie.leaves() {
            let (found, proof) = trie.prove(&leaf.path).unwrap();
            prop_assert_eq!(found, *leaf);
            let stretch = proof.verify(&trie.root(), leaf).unwrap();
            prop_assert_eq!(&stretch, &(from..from + leaf.weight));
            for point in [stretch.start, stretch.end - 1] {
                prop_assert_eq!(trie.prove_at(point).unwrap(), (*leaf, proof.clone()));
            }
            from = stretch.end;
        }
        prop_assert_eq!(from, trie.root().sum);
        prop_assert!(trie.prove_at(from).is_none());
    }

    #[test]
    fn a_proof_has_one_encoding(leaves in leaves(1..40), pick: prop::sample::Index) {
        let trie = Trie::build(leaves).unwrap();
        let leaf = pick.get(trie.leaves());
        let (_, proof) = trie.prove(&leaf.path).unwrap();
        let bytes = proof.encode();
        prop_assert_eq!(Proof::decode(&bytes), Ok(proof));
        prop_assert_eq!(Proof::decode(&[&bytes[..], &[0]].concat()), Err(DecodeRefused::Trailing(1)));
        for end in 0..bytes.len() {
            prop_assert!(Proof::decode(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found(
        leaves in leaves(2..20), pick: prop::sample::Index, bit: prop::sample::Index
    ) {
        let trie = Trie::build(leaves).unwrap();
        let leaf = pick.get(trie.leaves());
        let mut bytes = trie.prove(&leaf.path).unwrap().1.encode();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let holds = Proof::decode(&bytes).is_ok_and(|p| p.verify(&trie.root(), leaf).is_ok());
        prop_assert!(!holds);
    }

    #[test]
    fn any_bytes_decode_to_what_encodes_to_them_or_not_at_all(
        bytes in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        if let Ok(proof) = Proof::decode(&bytes) {
            prop_assert_eq!(proof.encode(), bytes);
        }
    }

    #[test]
    fn another_leaf_does_not_pass(leaves in leaves(2..20), pick: prop::sample::Index, weight: u64) {
        let trie = Trie::build(leaves).unwrap();
        let leaf = *pick.get(trie.leaves());
        let (_, proof) = trie.prove(&leaf.path).unwrap();
        let root = trie.root();
        let mut value_hash = leaf.value_hash;
        value_hash[7] ^= 1;
        let mut path = leaf.path;
        path[31] ^= 1;
        let passes = |other: Leaf| proof.verify(&root, &other).is_ok();
        let others = [Leaf { value_hash, ..leaf }, Leaf { path, ..leaf }, Leaf { weight, ..leaf }];
        for other in others.into_iter().filter(|other| *other != leaf) {
            prop_assert!(!passes(other), "{:?}", other);
        }
    }
}

fn leaf(first: u8, weight: u64) -> Leaf {
    let mut path = [0; 32];
    path[0] = first;
    Leaf { path, value_hash: [first; 32], weight }
}

#[test]
fn leaves_that_make_no_trie_are_refused() {
    let refused = |leaves: &[Leaf]| Trie::build(leaves.to_vec()).unwrap_err();
    let path = leaf(1, 1).path;
    assert_eq!(refused(&[leaf(1, 1), leaf(1, 2)]), BuildRefused::SamePath { path });
    assert_eq!(refused(&[leaf(1, 0)]), BuildRefused::Weightless { path });
    assert_eq!(refused(&[leaf(1, u64::MAX), leaf(2, 1)]), BuildRefused::SumOverflow);
}

#[test]
fn sums_that_would_wrap_do_not_verify() {
    let (honest, huge) = (leaf(0, 5), Node { digest: [9; 32], sum: u64::MAX - 2, count: 1 });
    let wrapped = Node { digest: [0; 32], sum: 2, count: 2 };
    let proof = Proof { siblings: vec![huge] };
    assert_eq!(proof.verify(&wrapped, &honest), Err(VerifyRefused::Overflow));
}

#[test]
fn a_leaf_deeper_than_it_must_be_is_refused() {
    let proof = Proof { siblings: vec![Node::EMPTY] };
    let root = Node::of_inner(&Node::of_leaf(&leaf(0, 5)), &Node::EMPTY).unwrap();
    assert_eq!(proof.verify(&root, &leaf(0, 5)), Err(VerifyRefused::NotShallowest(0)));
}

#[test]
fn a_part_that_counts_more_than_it_weighs_is_refused() {
    let hollow = Node { digest: [9; 32], sum: 3, count: 1_000_000 };
    let root = Node::of_inner(&Node::of_leaf(&leaf(0, 5)), &hollow).unwrap();
    let proof = Proof { siblings: vec![hollow] };
    assert_eq!(proof.verify(&root, &leaf(0, 5)), Err(VerifyRefused::Hollow(0)));
}

#[test]
fn the_root_of_known_leaves_never_changes() {
    let leaves: Vec<Leaf> = (0..100u8)
        .map(|i| Leaf {
            path: [i.wrapping_mul(37); 32],
            value_hash: [i; 32],
            weight: u64::from(i) + 1,
        })
        .collect();
    let root = Trie::build(leaves).unwrap().root();
    let digest: String = root.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{digest} {} {}\n", root.sum, root.count);
    expect_test::expect_file!["../../vectors/smst.txt"].assert_eq(&text);
}
