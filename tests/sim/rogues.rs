//! Liars. For every rule that moves money one tries to dodge it, and loses.

mod bills;
mod claims;
mod leaves;
mod shapes;

use proto::Address;
use proto::claim::Phase;
use proto::leaf::{Leaf, Opening};
use proto::session::Session;
use tests::town::{STAKE, Town, Tree, first_seat};

/// A rogue builds its tree and shows its leaves as it likes. It gets nothing, and loses stake.
fn loses(
    tree: impl FnOnce(&Session, u8, Address) -> Tree,
    show: impl FnOnce(&Session, &Tree, Vec<Opening>) -> Option<Vec<Opening>>,
    phase: Phase,
) {
    let mut town = Town::new(1);
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let tree = tree(&session, i, operator);
    let before = town.paid(operator);
    let settled = town.settle(&session, operator, tree.root(&session), |town| {
        let seed = town.seed(&session);
        show(&session, &tree, tree.openings(&session, operator, &seed))
    });
    assert_eq!(settled.phase, phase, "{settled:?}");
    assert_eq!(town.paid(operator), before, "a rogue was paid");
    assert!(town.stake(operator) < STAKE, "a rogue kept its stake");
}

/// A rogue whose every relay is changed before it is signed, and which proves like an honest one.
fn lies_in_each_relay(lie: impl Fn(Leaf, &Session, u8) -> Leaf) {
    loses(
        |session, i, operator| {
            let relay = |n| tests::town::draft(session, operator, n, 5);
            Tree::of((0..20).map(|n| lie(tests::town::sign(relay(n), i), session, i)).collect())
        },
        |_, _, openings| Some(openings),
        Phase::Refuted,
    );
}
