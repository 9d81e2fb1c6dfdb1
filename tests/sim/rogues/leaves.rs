//! Liars in single relays.

use super::{lies_in_each_relay, loses};
use proto::claim::Phase;
use proto::keys::RelaySecret;
use proto::relay::{Signable, Status};
use proto::{Cu, Digest, Height};
use tests::town::{Tree, draft, gateway_key, sign, supplier_key};

#[test]
fn the_inflator_says_more_than_its_usage_weighs() {
    lies_in_each_relay(|mut leaf, _, i| {
        leaf.receipt.body.cu = Cu(leaf.receipt.body.cu.0 + 1);
        leaf.ack = None;
        leaf.receipt = leaf.receipt.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_glutton_uses_more_than_was_asked_for() {
    lies_in_each_relay(|mut leaf, session, i| {
        leaf.receipt.body.usage.out += 1_000;
        leaf.receipt.body.cu = session.terms.cu_weights.weigh(leaf.receipt.body.usage).unwrap();
        leaf.ack = None;
        leaf.receipt = leaf.receipt.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_forger_signs_for_the_gateway_itself() {
    lies_in_each_relay(|mut leaf, _, i| {
        leaf.request = leaf.request.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_borrower_shows_receipts_that_another_signed() {
    lies_in_each_relay(|mut leaf, _, _| {
        leaf.receipt = leaf.receipt.body.sign(&RelaySecret::from_bytes(&[55; 32]));
        leaf
    });
}

#[test]
fn the_latecomer_serves_after_the_session() {
    lies_in_each_relay(|mut leaf, session, _| {
        leaf.request.body.issued_at = session.serve_window().end;
        leaf.request = leaf.request.body.sign(&gateway_key());
        leaf
    });
}

#[test]
fn the_time_traveller_serves_before_the_session() {
    lies_in_each_relay(|mut leaf, session, _| {
        leaf.request.body.issued_at = Height(session.start.0 - 1);
        leaf.request = leaf.request.body.sign(&gateway_key());
        leaf
    });
}

#[test]
fn the_failure_earns_with_errors() {
    lies_in_each_relay(|mut leaf, _, i| {
        leaf.receipt.body.status = Status::Failed;
        leaf.receipt = leaf.receipt.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_recycler_books_relays_of_another_session() {
    lies_in_each_relay(|mut leaf, _, i| {
        leaf.request.body.session_id = Digest([9; 32]);
        leaf.receipt.body.session_id = Digest([9; 32]);
        leaf.request = leaf.request.body.sign(&gateway_key());
        leaf.receipt = leaf.receipt.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_swapper_gives_one_request_another_answers_receipt() {
    lies_in_each_relay(|mut leaf, _, i| {
        leaf.receipt.body.request_digest = Digest([9; 32]);
        leaf.receipt = leaf.receipt.body.sign(&supplier_key(i));
        leaf
    });
}

#[test]
fn the_deaf_one_claims_more_relays_without_acknowledgement_than_may_be() {
    loses(
        |session, i, operator| {
            let from = u64::from(session.terms.inflight_max);
            let relay = |n| {
                let mut relay = draft(session, operator, n, 5);
                relay.acked = None;
                sign(relay, i)
            };
            Tree::of((from..from + 20).map(relay).collect())
        },
        |_, _, openings| Some(openings),
        Phase::Refuted,
    );
}

#[test]
fn the_token_inflator_is_paid_no_more_than_the_gateway_counted() {
    // Its receipts say 10 + 4 * 50 units, the gateway acknowledged 10 + 4 * 5: claiming what the
    // receipts say is refuted, because a leaf weighs the smaller.
    loses(
        |session, i, operator| {
            let relay = |n| {
                let mut relay = draft(session, operator, n, 50);
                relay.acked = Some(Cu(30));
                sign(relay, i)
            };
            let leaves: Vec<_> = (0..20).map(relay).collect();
            let weighed = leaves.iter().map(|leaf| Tree::weighed(leaf, leaf.receipt.body.cu.0));
            let trie = smst::Trie::build(weighed.collect()).unwrap();
            Tree { trie, leaves }
        },
        |_, _, openings| Some(openings),
        Phase::Refuted,
    );
}
