//! What is set aside, spent and acknowledged.

use crate::harness::{Does, World, until};
use futures::future::join_all;
use proto::{Amount, Cu, Height};
use serde_json::json;

/// What a request for one word in answer to one word costs: it weighs 1 + 4.
const ONE: u128 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_once_never_pass_a_keys_cap() {
    let world = World::new(2).await;
    world.ready().await;
    let client = world.client_of(&world.key_with_cap(ONE * 20 + 2, 1).await);
    let answers = join_all((0..100).map(|_| client.chat("a", 1))).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 402)), "{answers:?}");
    // Those that were refused while others were only set aside may come again.
    let mut all = served;
    while client.chat("a", 1).await.status == 200 {
        all += 1;
    }
    assert_eq!(all, 20);
    let usage = client.get("/v1/usage").await.json();
    assert_eq!((&usage["spent"], &usage["left"]), (&json!("100"), &json!("2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_money_says_how_much_is_left() {
    let world = World::new(1).await;
    world.ready().await;
    let client = world.client_of(&world.key_with_cap(100, 1).await);
    let answer = client.chat("a", 500).await;
    assert_eq!((answer.status, &*answer.error().1), (402, "insufficient_quota"));
    assert!(answer.text().contains("100 of that is left, and this request could cost 2001"));
    assert_eq!(world.miners[0].state(|state| state.asked), 0);
    assert_eq!(client.get("/v1/usage").await.json()["reserved"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_budget_is_not_committed_twice_over_its_suppliers() {
    let world = World::with(3, |s| s.budget.amount = Some(Amount(ONE * 10 + 3))).await;
    world.ready().await;
    let client = world.client();
    let answers = join_all((0..60).map(|_| client.chat("a", 1))).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 402)), "{answers:?}");
    let mut last = client.chat("a", 1).await;
    while last.status == 200 {
        last = client.chat("a", 1).await;
    }
    assert!(last.text().contains("the session's budget has 3 compute units left"));
    let sold: u64 = world
        .miners
        .iter()
        .flat_map(|miner| miner.relays())
        .map(|relay| relay.receipt.unwrap().body.cu.0)
        .sum();
    assert_eq!(sold, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_acknowledged_also_when_no_request_follows() {
    let world = World::new(1).await;
    world.ready().await;
    let client = world.client();
    join_all((0..10).map(|_| client.chat("a b", 3))).await;
    let session = world.chain.sessions()[0].id;
    let acked = until("all acknowledged", async || {
        let known = world.miners[0].book(&session, |book| book.known);
        (known.count == 10 && known.floor == 10).then_some(known)
    })
    .await;
    assert_eq!(acked.cu, Cu(10 * (2 + 3 * 4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_lies_is_found_and_its_supplier_avoided() {
    for lie in [Does::ForgeSignature, Does::OtherAnswer, Does::Overcount] {
        let world = World::new(1).await;
        world.ready().await;
        world.miners[0].does(lie.clone());
        let words = if lie == Does::Overcount { 4 } else { 3 };
        let answer = world.client().chat("a b", words).await;
        assert_eq!(
            (answer.status, answer.header("x-lode-cost").as_deref()),
            (200, Some("14")),
            "{lie:?}"
        );
        let metrics = until("noted", async || {
            let text = world.client().get("/metrics").await.text();
            text.contains("lode_gateway_lies_total{").then_some(text)
        })
        .await;
        assert!(metrics.contains(&world.miners[0].operator.to_string()), "{lie:?}");
        let session = world.chain.sessions()[0].id;
        let acked = until("acknowledged", async || {
            let known = world.miners[0].book(&session, |book| book.known);
            (known.count == 1).then_some(known.cu)
        });
        assert_eq!(acked.await, Cu(14), "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_lies_is_billed_by_the_gateways_count() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Overcount);
    let answer = world.client().stream("a b", 4, true).await;
    assert!(answer.text().contains(r#""usage":{"cost":{"amount":"14""#), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_does_not_come_is_asked_for() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::NoTrailer);
    let answer = world.client().chat("a b", 3).await;
    assert_eq!(answer.status, 200);
    let id = answer.receipt();
    until("receipt", async || {
        let receipt = world.client().get(&format!("/v1/receipts/{id}")).await;
        (receipt.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_relays_than_may_be_unacknowledged_flow_through() {
    let world = World::new(1).await;
    world.ready().await;
    world.chain.change(|state| state.params.inflight_max = 4);
    world.chain.advance_to(Height(11));
    until("the session with the small bound", async || {
        let client = world.client();
        client.chat("a", 1).await;
        (world.chain.sessions().len() == 2).then_some(())
    })
    .await;
    let client = world.client();
    for _ in 0..30 {
        assert_eq!(client.chat("a", 1).await.status, 200);
    }
}
