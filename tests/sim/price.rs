//! What the chain remembers of a price, and what it predicts.

use proto::Height;
use proto::price::HISTORY_SESSIONS;
use proto::query::{GetClock, GetPrice, GetPriceHistory, PriceHistory};
use tests::town::{Town, Tree, draft, first_seat, service, sign};

fn history(town: &Town, before: Height, limit: u32) -> PriceHistory {
    let service = Some(service().id);
    town.ask(&GetPriceHistory { service, before, limit }).unwrap()
}

/// A town in which one session was served and paid, up to the last block before the price steps.
fn served() -> Town {
    let mut town = Town::new(3);
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let leaves = (0..20).map(|seq| sign(draft(&session, operator, seq, 400), i)).collect();
    let tree = Tree::of(leaves);
    let root = tree.root(&session);
    town.settle(&session, operator, root, |town| {
        Some(tree.openings(&session, operator, &town.seed(&session)))
    });
    let next = town.ask(&GetClock {}).unwrap().next_start;
    town.until(next);
    town
}

#[test]
fn what_is_predicted_comes_true_when_nothing_else_settles() {
    let mut town = served();
    let predicted = history(&town, Height(0), 0).predicted.unwrap();
    assert!(predicted.admitted.0 > 0 && predicted.capacity.0 > 0);
    town.block(&[]);
    let now = history(&town, Height(0), 0);
    assert_eq!(now.points[0], predicted);
    let state = town.ask(&GetPrice { service: Some(service().id) }).unwrap();
    assert_eq!((state.since, state.price), (predicted.since, predicted.price));
}

#[test]
fn steps_are_told_newest_first_in_pages_that_touch() {
    let mut town = served();
    for _ in 0..60 {
        town.run(&[]);
    }
    let all = history(&town, Height(0), 0).points;
    assert!(all.len() >= 3 && all.is_sorted_by(|a, b| a.since > b.since), "{all:?}");
    let first = history(&town, Height(0), 2).points;
    let rest = history(&town, first[1].since, 200);
    assert_eq!([first, rest.points].concat(), all);
    assert_eq!(rest.predicted, None);
}

#[test]
fn steps_older_than_the_history_are_forgotten() {
    let mut town = Town::new(3);
    let length = 10 * HISTORY_SESSIONS;
    // Utilisation falls to nothing and the gain grows to its bound; from then on nothing moves.
    for _ in 0..400 {
        town.run(&[]);
    }
    let before = history(&town, Height(0), 0).points;
    while town.height().0 < length + 400 {
        town.host.make_block(|_| ());
    }
    assert_eq!(
        history(&town, Height(0), 0).points,
        before,
        "nothing moved, so nothing is forgotten"
    );
    let next = town.ask(&GetClock {}).unwrap().next_start;
    town.until(next.plus(1));
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let tree = Tree::of(vec![sign(draft(&session, operator, 0, 400), i)]);
    let root = tree.root(&session);
    town.settle(&session, operator, root, |town| {
        Some(tree.openings(&session, operator, &town.seed(&session)))
    });
    for _ in 0..400 {
        town.run(&[]);
    }
    let kept = history(&town, Height(0), 0).points;
    let oldest = kept.last().unwrap().since;
    assert!(oldest.0 + length >= town.height().0, "{oldest} at {}", town.height());
    assert!(!kept.is_empty() && kept[0].admitted.0 == 0);
}
