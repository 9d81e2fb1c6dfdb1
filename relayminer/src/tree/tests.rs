#![allow(clippy::unwrap_used)]

use super::*;
use crate::book::{Accepted, Claimed, frame, path_in};
use crate::rig::{self, Gateway};
use expect_test::expect;
use proptest::prelude::*;
use proto::relay::Status;
use proto::session::Seat;
use proto::{Height, Time};
use std::path::PathBuf;

/// One relay: its number, what it was billed, and how much of that is acknowledged.
#[derive(Clone, Copy, Debug)]
struct Served {
    seq: u64,
    cu: u64,
    acked: Option<u64>,
}

struct Shelf {
    _folder: tempfile::TempDir,
    path: PathBuf,
    book: Book,
}

/// A book in which acknowledgements come `behind` relays later, in requests and now and then alone.
fn shelf(served: &[Served], behind: usize) -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    let mut session = rig::session(1);
    session.terms.inflight_max = 4;
    let (mut gateway, opened) = (Gateway::of(session.clone()), rig::opened(session));
    let mut book = Book::new(opened.clone());
    let mut bytes = b"lodebook\0\0\0\x01".to_vec();
    bytes.extend(frame(&Record::Opened(Box::new(opened))));
    let mut add = |book: &mut Book, record| bytes.extend(book.add(&record).unwrap());
    for i in 0..served.len() + behind {
        if let Some(relay) = i.checked_sub(behind).and_then(|i| served.get(i))
            && let Some(cu) = relay.acked
        {
            gateway.agree(relay.seq, cu);
        }
        if i % 5 == 4 || i >= served.len() {
            add(&mut book, Record::Acked(Box::new(gateway.update())));
        }
        let Some(relay) = served.get(i) else { continue };
        let envelope = gateway.request_of(relay.seq, b"body", 1_000);
        let request = envelope.request.body.clone();
        let accepted = Accepted { height: Height(2), at: Time(9), envelope };
        add(&mut book, Record::Accepted(Box::new(accepted)));
        let status = if relay.cu == 0 { Status::Failed } else { Status::Completed };
        let receipt = rig::receipt(&request, relay.cu, status);
        add(&mut book, Record::Receipt(Box::new(receipt)));
    }
    let path = path_in(folder.path(), &book.session().id);
    std::fs::write(&path, bytes).unwrap();
    Shelf { _folder: folder, path, book }
}

fn served() -> impl Strategy<Value = Vec<Served>> {
    let one = (0u64..20, prop::option::weighted(0.8, 0u64..20));
    prop::collection::vec(one, 1..40).prop_map(|relays| {
        let relay = |(seq, (cu, acked))| Served { seq, cu, acked };
        (0u64..).zip(relays).map(relay).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_point_of_the_tree_opens_to_a_leaf_that_the_chain_takes(
        served in served(), behind in 1usize..4
    ) {
        let shelf = shelf(&served, behind);
        let tree = Tree::build(&shelf.path, shelf.book.length()).unwrap();
        let root = tree.root();
        prop_assert_eq!(root.sum, select(&shelf.book).sum);
        for point in 0..root.sum.0 {
            let opening = tree.open_at(point).unwrap().unwrap();
            prop_assert!(check(&shelf.book, &root, &opening, point).is_ok());
        }
        prop_assert!(tree.open_at(root.sum.0).unwrap().is_none());
        // All that is acknowledged earns, whatever is not.
        let due: u64 = served.iter().filter_map(|r| r.acked.map(|acked| acked.min(r.cu))).sum();
        prop_assert!(root.sum.0 >= due);
        let all: u64 = served.iter().map(|relay| relay.cu).sum();
        let lost: u64 = tree.selection().lost.iter().map(|lost| lost.cu.0).sum();
        prop_assert_eq!(root.sum.0 + lost, all, "every unit earns or has a reason");
    }
}

#[test]
fn of_what_is_not_acknowledged_the_best_stretch_is_kept() {
    let relay = |seq, cu| Served { seq, cu, acked: None };
    let served = [relay(0, 9), relay(3, 8), relay(6, 10), relay(7, 10), relay(9, 1), relay(10, 2)];
    let shelf = shelf(&served, 1);
    let selection = select(&shelf.book);
    assert_eq!((selection.unacked_from, selection.sum), (6, Cu(21)));
    let lost: Vec<String> =
        selection.lost.iter().map(|l| format!("{} {:?} {}", l.index, l.reason, l.cu)).collect();
    expect![[r#"
        0 UnackedBeyondWindow 9
        1 UnackedBeyondWindow 8
        5 UnackedBeyondWindow 2"#]]
    .assert_eq(&lost.join("\n"));
}

#[test]
fn a_claim_is_proven_from_what_it_was_made_of() {
    let relays: Vec<Served> = (0..12).map(|seq| Served { seq, cu: 7, acked: Some(7) }).collect();
    let shelf = shelf(&relays, 1);
    let upto = shelf.book.relays()[6].accepted.at;
    let early = Tree::build(&shelf.path, upto).unwrap().root();
    let claimed = Claimed { root: early, upto };
    assert_eq!(Tree::rebuild(&shelf.path, &claimed).unwrap().root(), early);
    let whole = Tree::build(&shelf.path, shelf.book.length()).unwrap().root();
    assert!(whole.sum > early.sum);
    let mixed = Claimed { root: whole, upto };
    assert!(matches!(Tree::rebuild(&shelf.path, &mixed), Err(TreeError::OtherRoot { .. })));
}

#[test]
fn an_opening_of_another_point_or_seat_is_found_out() {
    let relays: Vec<Served> = (0..3).map(|seq| Served { seq, cu: 7, acked: Some(7) }).collect();
    let shelf = shelf(&relays, 1);
    let tree = Tree::build(&shelf.path, shelf.book.length()).unwrap();
    let (root, opening) = (tree.root(), tree.open_at(0).unwrap().unwrap());
    assert!(matches!(
        check(&shelf.book, &root, &opening, 20),
        Err(BadOpening::OtherPoint { point: 20, .. })
    ));
    let mut other = rig::session(1);
    let seat = Seat { relay_key: Gateway::secret().public(), ..other.seats[0].clone() };
    other.seats = vec![seat];
    let other = Book::new(rig::opened(other));
    assert!(matches!(
        check(&other, &root, &opening, 0),
        Err(BadOpening::Leaf(BadLeaf::ReceiptSignature))
    ));
}

#[test]
fn a_seed_draws_as_many_leaves_as_the_terms_say() {
    let relays: Vec<Served> = (0..9).map(|seq| Served { seq, cu: 5, acked: Some(5) }).collect();
    let shelf = shelf(&relays, 2);
    let tree = Tree::build(&shelf.path, shelf.book.length()).unwrap();
    let drawn = tree.drawn(&Digest([4; 32])).unwrap();
    assert_eq!(drawn.len(), 4);
    for (point, opening) in drawn {
        check(tree.book(), &tree.root(), &opening, point).unwrap();
        assert!(opening.path.len() + opening.leaf.value_hash().0.len() < 1_200);
    }
}
