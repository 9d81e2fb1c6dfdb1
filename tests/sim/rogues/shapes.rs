//! Liars in the tree and in what they show of it.

use super::loses;
use proto::claim::Phase;
use proto::leaf::Opening;
use smst::{Node, Proof};
use tests::town::{Tree, draft, sign};

fn honest(session: &proto::session::Session, i: u8, operator: proto::Address) -> Tree {
    Tree::of((0..20).map(|n| sign(draft(session, operator, n, 5), i)).collect())
}

#[test]
fn the_withholder_shows_nothing() {
    loses(honest, |_, _, _| None, Phase::Expired);
}

#[test]
fn the_miser_shows_fewer_leaves_than_were_drawn() {
    loses(
        honest,
        |_, _, mut openings| {
            openings.pop();
            Some(openings)
        },
        Phase::Refuted,
    );
}

#[test]
fn the_relabeller_shows_one_leaf_for_every_draw() {
    loses(honest, |_, _, openings| Some(vec![openings[0].clone(); openings.len()]), Phase::Refuted);
}

#[test]
fn the_fabricator_hangs_a_made_up_part_beside_its_leaves() {
    // Half of the weight hides behind a node of which no leaf can be shown.
    let made_up = Node { digest: [9; 32], sum: 10_000, count: 100 };
    loses(
        |session, i, operator| {
            let mut tree = honest(session, i, operator);
            tree.leaves.truncate(1);
            Tree::of(tree.leaves)
        },
        |_, tree, openings| {
            let leaf = Tree::weighed(&tree.leaves[0], tree.leaves[0].weight().0);
            let path = Proof { siblings: vec![made_up] };
            assert!(path.verify(&tree.trie.root(), &leaf).is_err());
            let path = path.encode();
            Some(openings.into_iter().map(|o| Opening { path: path.clone(), ..o }).collect())
        },
        Phase::Refuted,
    );
}

#[test]
fn the_garbler_sends_bytes_that_are_no_proof() {
    loses(
        honest,
        |_, _, openings| {
            Some(openings.into_iter().map(|o| Opening { path: vec![0xff; 40], ..o }).collect())
        },
        Phase::Refuted,
    );
}

#[test]
fn the_stretcher_appends_a_byte_to_a_proof() {
    loses(
        honest,
        |_, _, mut openings| {
            openings.iter_mut().for_each(|opening| opening.path.push(0));
            Some(openings)
        },
        Phase::Refuted,
    );
}
