//! When a leaf earns, and by which name it is refused when it does not.
#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use proto::coins::Value;
use proto::keys::RelaySecret;
use proto::leaf::{AckHead, AckProof, Leaf};
use proto::params::Params;
use proto::relay::{Ack, AckEntry, Acked, Receipt, RelayRequest, Signable, Status, link};
use proto::service::{Service, ServiceId};
use proto::session::{Seat, Session, Terms};
use proto::units::{Amount, Cu, Denom, Digest, Height, Price, Time};
use proto::wire::{BadWire, Wire};
use proto::{Address, CuWeights, Usage};

const CHAIN: &str = "lode-test";

fn gateway() -> RelaySecret {
    RelaySecret::from_bytes(&[1; 32])
}

fn supplier() -> RelaySecret {
    RelaySecret::from_bytes(&[2; 32])
}

fn seat() -> Seat {
    Seat {
        operator: Address([4; 20]),
        relay_key: supplier().public(),
        endpoint: "http://box".into(),
        payouts: vec![],
    }
}

fn session() -> Session {
    let service = Service {
        id: ServiceId::new("demo").unwrap(),
        source: Address([9; 20]),
        model_hash: Digest([0; 32]),
        tokenizer_hash: Digest([0; 32]),
        template_hash: Digest([0; 32]),
        precision: "q8_0".into(),
        kernel_class: String::new(),
        context_max: 512,
        cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 4 },
        price_start: Price(1_000),
        denom: Denom::stake(),
        identity_threshold: 0,
    };
    Session {
        id: Digest([3; 32]),
        service: service.id.clone(),
        app: Address([5; 20]),
        gateway: Address([6; 20]),
        gateway_key: gateway().public(),
        start: Height(11),
        end: Height(21),
        budget: Amount(1_000_000),
        seats: vec![seat()],
        terms: Terms::of(&service, &Params::dev(), Price(1_000), Value::PAR),
    }
}

/// A relay before it is signed, so that a case can change any of it.
struct Draft {
    request: RelayRequest,
    receipt: Receipt,
    acked: Option<Cu>,
    leaf: fn(&mut Leaf),
}

fn draft() -> Draft {
    let (session_id, relay_id) = (session().id, Digest([7; 32]));
    let request_digest = Digest([8; 32]);
    Draft {
        request: RelayRequest {
            chain_id: CHAIN.into(),
            session_id,
            supplier: seat().operator,
            relay_id,
            seq: 70,
            request_digest,
            max_cu: Cu(100),
            issued_at: Height(15),
            acked: Acked::default(),
        },
        receipt: Receipt {
            session_id,
            relay_id,
            request_digest,
            response_root: Digest([0; 32]),
            chunk_count: 1,
            usage: Usage { fresh_in: 10, cached_in: 0, out: 20 },
            cu: Cu(90),
            status: Status::Completed,
            started_at: Time(1),
            first_token_at: Time(2),
            finished_at: Time(3),
            evidence_root: Digest([0; 32]),
        },
        acked: Some(Cu(90)),
        leaf: |_| {},
    }
}

fn sign(draft: Draft) -> Leaf {
    let entry = |cu| AckEntry { relay_id: draft.request.relay_id, cu };
    let ack = draft.acked.map(|cu| {
        let after = AckEntry { relay_id: Digest([99; 32]), cu: Cu(1) };
        let before = Digest([42; 32]);
        let hash = link(&link(&before, &entry(cu)), &after);
        let ack = Ack {
            chain_id: CHAIN.into(),
            session_id: session().id,
            supplier: seat().operator,
            acked: Acked { count: 5, cu: Cu(400), floor: 71, hash },
        };
        let head = AckHead::Ack(ack.sign(&gateway()));
        AckProof { before, tail: vec![entry(cu), after], head }
    });
    let mut leaf = Leaf {
        request: draft.request.sign(&gateway()),
        receipt: draft.receipt.sign(&supplier()),
        ack,
    };
    (draft.leaf)(&mut leaf);
    leaf
}

fn check(change: impl FnOnce(&mut Draft), outcome: &Expect) {
    let mut draft = draft();
    change(&mut draft);
    let leaf = sign(draft);
    let text = match leaf.check(CHAIN, &session(), &seat(), 0) {
        Ok(weight) => format!("earns {weight}"),
        Err(bad) => bad.to_string(),
    };
    outcome.assert_eq(&text);
}

#[test]
fn an_acknowledged_relay_earns_what_it_weighs() {
    check(|_| {}, &expect!["earns 90"]);
}

#[test]
fn a_gateway_that_acknowledges_less_is_billed_less() {
    check(|d| d.acked = Some(Cu(50)), &expect!["earns 50"]);
}

#[test]
fn a_gateway_that_acknowledges_more_is_billed_what_was_delivered() {
    check(|d| d.acked = Some(Cu(500)), &expect!["earns 90"]);
}

#[test]
fn one_of_the_last_relays_earns_without_an_acknowledgement() {
    check(|d| (d.acked, d.request.seq) = (None, 63), &expect!["earns 90"]);
    check(
        |d| d.acked = None,
        &expect!["it has no acknowledgement, and its number 70 is not in 0..64"],
    );
}

#[test]
fn a_relay_of_elsewhere_earns_nothing() {
    check(
        |d| d.request.chain_id = "lode-1".into(),
        &expect![[r#"it was made for chain "lode-1""#]],
    );
    check(
        |d| d.request.session_id = Digest([1; 32]),
        &expect![
            "it is of session 0101010101010101010101010101010101010101010101010101010101010101, not of the claim's"
        ],
    );
    check(
        |d| d.request.supplier = Address([1; 20]),
        &expect![
            "it is for the supplier lode1qyqszqgpqyqszqgpqyqszqgpqyqszqgp70af6v, not for the claim's"
        ],
    );
    check(
        |d| d.request.issued_at = Height(24),
        &expect!["it was issued at height 24, but the session serves in 11..24"],
    );
}

#[test]
fn a_receipt_says_no_more_than_its_usage_weighs_and_was_asked_for() {
    check(
        |d| d.receipt.cu = Cu(91),
        &expect!["the receipt's usage weighs Some(Cu(90)) compute units, but it says 91"],
    );
    check(
        |d| (d.receipt.usage.out, d.receipt.cu) = (23, Cu(102)),
        &expect!["102 compute units are more than the 100 that were asked for"],
    );
    check(
        |d| d.receipt.usage.out = u64::MAX,
        &expect!["the receipt's usage weighs None compute units, but it says 90"],
    );
    check(
        |d| d.receipt.status = Status::Failed,
        &expect!["a receipt with status Failed earns nothing"],
    );
}

#[test]
fn a_receipt_of_another_relay_does_not_fit() {
    check(
        |d| d.receipt.relay_id = Digest([1; 32]),
        &expect!["request and receipt are of different relays"],
    );
    check(
        |d| d.receipt.request_digest = Digest([1; 32]),
        &expect!["request and receipt are of different relays"],
    );
}

#[test]
fn every_signature_counts() {
    check(
        |d| d.leaf = |leaf| leaf.request.signature.0[0] ^= 1,
        &expect!["the request is not signed by the session's gateway"],
    );
    check(
        |d| d.leaf = |leaf| leaf.receipt.signature.0[0] ^= 1,
        &expect!["the receipt is not signed by the supplier"],
    );
    check(
        |d| d.leaf = |leaf| leaf.ack.as_mut().unwrap().tail[1].cu = Cu(2),
        &expect!["the acknowledgement does not lead from this relay to what was signed"],
    );
    check(
        |d| {
            d.leaf = |leaf| {
                let AckHead::Ack(ack) = &mut leaf.ack.as_mut().unwrap().head else {
                    unreachable!()
                };
                *ack = ack.body.clone().sign(&supplier());
            };
        },
        &expect!["the acknowledgement is not signed by the session's gateway for this supplier"],
    );
}

#[test]
fn an_acknowledgement_of_another_relay_does_not_serve() {
    check(
        |d| d.leaf = |leaf| leaf.ack.as_mut().unwrap().tail.swap(0, 1),
        &expect!["the acknowledgement does not lead from this relay to what was signed"],
    );
}

#[test]
fn a_leaf_has_one_encoding() {
    let bytes = sign(draft()).encode();
    assert_eq!(Leaf::decode(&bytes).unwrap(), sign(draft()));
    let unknown_field = [&bytes[..], &[0xf8, 0x07, 0x01]].concat();
    assert!(matches!(Leaf::decode(&unknown_field), Err(BadWire::NotCanonical { .. })));
    let trailing = [&bytes[..], &[0]].concat();
    assert!(Leaf::decode(&trailing).is_err());
    let twice = [&bytes[..], &bytes[..]].concat();
    assert!(Leaf::decode(&twice).is_err());
}

#[test]
fn a_number_written_longer_than_needed_is_refused() {
    let entry = AckEntry { relay_id: Digest([1; 32]), cu: Cu(5) };
    let mut bytes = entry.encode();
    assert_eq!(bytes.pop(), Some(5));
    bytes.extend([0x85, 0x00]);
    assert!(matches!(AckEntry::decode(&bytes), Err(BadWire::NotCanonical { .. })));
}
