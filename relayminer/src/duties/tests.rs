#![allow(clippy::unwrap_used)]

use super::*;
use crate::book::{Accepted, Claimed, Record};
use crate::rig::{self, Gateway};
use expect_test::{Expect, expect};
use proto::Time;
use proto::claim::ClaimRoot;
use proto::relay::Status;

const KEEP: u64 = 5;

/// What is due from height 1 on, as stretches of heights. Sessions serve until 14, claims are taken in
/// 14..38, proofs in 39..45, and 48 is when it is settled.
fn check(records: &[Record], outcome: &Expect) {
    let mut book = Book::new(rig::opened(rig::session(1)));
    records.iter().for_each(|record| drop(book.add(record).unwrap()));
    let mut stretches: Vec<(String, u64, u64)> = Vec::new();
    for height in 1..=60 {
        let due = duty(&book, Height(height), KEEP).map(|duty| format!("{duty:?}"));
        let due = due.map_or("nothing".to_owned(), |due| due[..due.find('(').unwrap()].to_owned());
        match stretches.last_mut() {
            Some((last, _, to)) if *last == due => *to = height,
            _ => stretches.push((due, height, height)),
        }
    }
    let lines: Vec<String> =
        stretches.iter().map(|(due, from, to)| format!("{from}..={to} {due}")).collect();
    outcome.assert_eq(&lines.join("\n"));
}

fn relay(cu: Option<u64>) -> Vec<Record> {
    let envelope = Gateway::of(rig::session(1)).request(b"body", 100);
    let request = envelope.request.body.clone();
    let accepted = Accepted { height: Height(2), at: Time(9), envelope };
    let mut records = vec![Record::Accepted(Box::new(accepted))];
    let receipt = |cu| Record::Receipt(Box::new(rig::receipt(&request, cu, Status::Completed)));
    records.extend(cu.map(receipt));
    records
}

fn root(sum: u64) -> ClaimRoot {
    let session_id = rig::session(1).id;
    ClaimRoot { session_id, root: Digest([1; 32]), sum: Cu(sum), count: 1, unacked_from: 0 }
}

fn claimed(sum: u64) -> Vec<Record> {
    let mut records = relay(Some(50));
    records.push(Record::Claimed(Claimed { root: root(sum), upto: 99 }));
    records
}

fn included(sum: u64) -> Vec<Record> {
    let mut records = claimed(sum);
    records.push(Record::Included { root: root(sum), height: Height(15) });
    records
}

#[test]
fn a_session_in_which_nothing_earned_is_closed_after_its_claim_window() {
    check(
        &[],
        &expect![[r#"
        1..=37 nothing
        38..=60 Close"#]],
    );
}

#[test]
fn what_earned_is_claimed_as_soon_as_claims_are_taken() {
    check(
        &relay(Some(50)),
        &expect![[r#"
            1..=13 nothing
            14..=36 Claim
            37..=37 nothing
            38..=60 Close"#]],
    );
}

#[test]
fn a_relay_that_runs_delays_the_claim_until_it_is_late() {
    let mut records = relay(Some(50));
    let mut gateway = Gateway::of(rig::session(1));
    gateway.next = 1;
    let envelope = gateway.request(b"body", 100);
    let accepted = Accepted { height: Height(2), at: Time(9), envelope };
    records.push(Record::Accepted(Box::new(accepted)));
    check(
        &records,
        &expect![[r#"
        1..=32 nothing
        33..=36 Claim
        37..=37 nothing
        38..=60 Close"#]],
    );
}

#[test]
fn a_claim_that_was_sent_is_looked_for() {
    check(
        &claimed(50),
        &expect![[r#"
            1..=13 nothing
            14..=36 Claim
            37..=37 nothing
            38..=60 FindClaim"#]],
    );
}

#[test]
fn a_claim_is_replaced_only_by_one_that_is_worth_more() {
    check(
        &included(50),
        &expect![[r#"
            1..=37 nothing
            38..=52 Reveal
            53..=60 FindSettled"#]],
    );
    check(
        &included(40),
        &expect![[r#"
            1..=13 nothing
            14..=36 Claim
            37..=37 nothing
            38..=52 Reveal
            53..=60 FindSettled"#]],
    );
}

#[test]
fn a_drawn_claim_is_proven_in_its_window_once() {
    let mut records = included(50);
    records.push(Record::Drawn { seed: Digest([1; 32]) });
    check(
        &records,
        &expect![[r#"
            1..=37 nothing
            38..=43 Prove
            44..=52 nothing
            53..=60 FindSettled"#]],
    );
    records.push(Record::Shown { height: Height(40), right: true });
    check(
        &records,
        &expect![[r#"
            1..=52 nothing
            53..=60 FindSettled"#]],
    );
}

#[test]
fn a_book_is_kept_for_a_while_after_its_end() {
    let mut records = included(50);
    records.push(Record::Unclaimed { height: Height(49) });
    check(
        &records,
        &expect![[r#"
        1..=53 nothing
        54..=60 Forget"#]],
    );
}
