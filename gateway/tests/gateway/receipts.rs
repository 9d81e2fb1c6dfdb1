//! Receipts as documents.

use crate::harness::{CHAIN_ID, World, gateway_key, until};
use gateway::receipt::{Document, Invalid, Stage, verify};
use proto::claim::{ClaimRoot, Phase, Settled};
use proto::session::Session;
use proto::{Amount, Cu, Height};
use serde_json::Value;

/// A world in which a relay was claimed, and its receipt's document.
async fn claimed() -> (World, Session, String) {
    let world = World::new(1).await;
    world.ready().await;
    let id = world.client().chat("a b", 3).await.receipt();
    for _ in 0..5 {
        world.client().chat("a", 2).await;
    }
    let session = world.chain.sessions()[0].clone();
    until("acknowledged", async || {
        world.miners[0].book(&session.id, |book| (book.known.count == 6).then_some(()))
    })
    .await;
    let root = world.miners[0].book(&session.id, |book| book.trie().root());
    let claim = ClaimRoot {
        session_id: session.id,
        root: proto::Digest(root.digest),
        sum: Cu(root.sum),
        count: root.count,
        unacked_from: 6,
    };
    world.chain.change(|state| state.claims.insert((session.id, world.miners[0].operator), claim));
    (world, session, id)
}

async fn document(world: &World, id: &str) -> Document {
    let answer = world.client().get(&format!("/v1/receipts/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn settle(world: &World, session: &Session) {
    let operator = world.miners[0].operator;
    world.chain.change(|state| {
        let root = state.claims[&(session.id, operator)];
        let cost = session.terms.price.cost(root.sum);
        let settled = Settled {
            session_id: session.id,
            operator,
            service: session.service.clone(),
            app: session.app,
            gateway: session.gateway,
            root,
            phase: Phase::Spared,
            price: session.terms.price,
            denom: session.terms.denom.clone(),
            cost,
            split: session.terms.split(cost),
            slashed: Amount(0),
            height: session.settle_height(),
            reason: String::new(),
        };
        state.settled.insert((session.id, operator), settled);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_grows_from_signed_to_claimed_to_paid() {
    let world = World::new(1).await;
    world.ready().await;
    let id = world.client().chat("a b", 3).await.receipt();
    let early = until("on record", async || {
        let answer = world.client().get(&format!("/v1/receipts/{id}")).await;
        (answer.status == 200).then(|| serde_json::from_slice::<Document>(&answer.body).unwrap())
    })
    .await;
    let verified = verify(&early).unwrap();
    assert_eq!(
        (verified.stage, verified.cu, verified.cost.amount),
        (Stage::Receipted, Cu(14), Amount(14))
    );

    let (world, session, id) = claimed().await;
    world.chain.advance_to(session.claim_window().end);
    let later = until("claimed", async || {
        let document = document(&world, &id).await;
        document.opening.is_some().then_some(document)
    })
    .await;
    let root = later.claim.unwrap().root;
    assert_eq!(verify(&later).unwrap().stage, Stage::Claimed { root });

    settle(&world, &session);
    world.chain.advance_to(session.settle_height().plus(1));
    let paid = until("settled", async || {
        let document = document(&world, &id).await;
        document.settled.is_some().then_some(document)
    })
    .await;
    let (height, phase) = (session.settle_height(), Phase::Spared);
    // Six relays: one of 2 + 12 and five of 1 + 8.
    assert_eq!(
        verify(&paid).unwrap().stage,
        Stage::Settled { root, height, phase, paid: Amount(59) }
    );
    // From here on the miner is not needed any more.
    world.miners[0].state(|state| state.books.clear());
    assert_eq!(document(&world, &id).await.opening, paid.opening);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_shown_to_its_own_key_only() {
    let world = World::new(1).await;
    world.ready().await;
    let id = world.client().chat("a b", 3).await.receipt();
    document_soon(&world, &id).await;
    let other = world.client_of(&world.key_with_cap(1, 1).await);
    assert_eq!(other.get(&format!("/v1/receipts/{id}")).await.status, 404);
}

async fn document_soon(world: &World, id: &str) {
    until("on record", async || {
        let answer = world.client().get(&format!("/v1/receipts/{id}")).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// Each way to change one leaf of a JSON value a little.
fn tampered(value: &Value, whole: &dyn Fn(Value) -> Value, out: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let put = |field: Value| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), field);
                    whole(Value::Object(fields))
                };
                tampered(field, &put, out);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let put = |item: Value| {
                    let mut items = items.clone();
                    items[at] = item;
                    whole(Value::Array(items))
                };
                tampered(item, &put, out);
            }
        }
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            out.push(whole((number ^ 1).into()));
        }
        Value::String(text) => {
            let mut bytes = text.clone().into_bytes();
            if let Some(last) = bytes.last_mut() {
                *last = if *last == b'1' { b'2' } else { b'1' };
                out.push(whole(String::from_utf8(bytes).unwrap().into()));
            } else {
                out.push(whole("1".into()));
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_a_receipt_can_be_changed() {
    let (world, session, id) = claimed().await;
    settle(&world, &session);
    world.chain.advance_to(session.settle_height().plus(1));
    let paid = until("settled", async || {
        let document = document(&world, &id).await;
        (document.settled.is_some() && document.opening.is_some()).then_some(document)
    })
    .await;
    verify(&paid).unwrap();
    let value = serde_json::to_value(&paid).unwrap();
    let mut changed = Vec::new();
    tampered(&value, &|value| value, &mut changed);
    assert!(changed.len() > 120, "{}", changed.len());
    for changed in changed {
        if let Ok(document) = serde_json::from_value::<Document>(changed.clone()) {
            assert!(verify(&document).is_err(), "{changed}");
        }
    }
    for name in ["claim", "opening", "settled"] {
        let mut less = value.clone();
        less[name] = Value::Null;
        assert!(verify(&serde_json::from_value(less).unwrap()).is_err(), "without {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_cannot_bill_more_than_the_receipt_says() {
    let (world, _, id) = claimed().await;
    let mut document = document(&world, &id).await;
    document.bill.usage.out += 1;
    document.bill.cu = Cu(document.bill.cu.0 + 4);
    document.bill.cost.amount = Amount(document.bill.cu.0.into());
    let known = gateway::receipt::Known {
        chain_id: CHAIN_ID.into(),
        session: document.session,
        request: document.request,
        receipt: document.receipt,
        bill: document.bill,
        claim: None,
        opening: None,
        settled: None,
    };
    let refused = verify(&Document::sign(known, &gateway_key())).unwrap_err();
    assert_eq!(
        refused,
        Invalid::BillWeight { billed: Cu(18), weighed: Some(Cu(18)), said: Cu(14) }
    );
    assert!(world.chain.height() < Height(100));
}

#[tokio::test]
async fn a_receipt_is_there_as_soon_as_the_answer() {
    let world = World::new(1).await;
    world.ready().await;
    for _ in 0..20 {
        let id = world.client().chat("a b", 3).await.receipt();
        assert!(verify(&document(&world, &id).await).is_ok());
    }
}
