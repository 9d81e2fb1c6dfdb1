//! Stopping, by wish and by force.

use crate::harness::{Does, World, until};
use proto::relay::Status;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_gateway_had_running_is_settled_by_the_miners_receipt() {
    let mut world = World::new(1).await;
    world.ready().await;
    assert_eq!(world.client().chat("a b", 3).await.status, 200);
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(2);
    let key = world.key_with_cap(1_000, 1).await;
    let mut stream = world.client_of(&key).open_stream("one two", 50, false).await;
    stream.chunk().await.unwrap().unwrap();
    world.kill();
    drop(stream);
    until("the miner noticed", async || {
        let relays = world.miners[0].relays();
        (relays.len() == 2 && relays.iter().all(|relay| relay.receipt.is_some())).then_some(())
    })
    .await;
    let cut = world.miners[0]
        .relays()
        .into_iter()
        .find(|relay| relay.receipt.as_ref().unwrap().body.status == Status::Cut);
    let cut = cut.unwrap().receipt.unwrap().body;
    world.miners[0].does(Does::Serve);
    world.start().await;
    world.ready().await;
    let usage = until("settled", async || {
        let usage = world.client_of(&key).get("/v1/usage").await.json();
        (usage["reserved"] == "0" && usage["data"] != json!([])).then_some(usage)
    })
    .await;
    assert_eq!(usage["spent"], cut.cu.to_string());
    assert_eq!(usage["data"][0]["receipt"], cut.relay_id.to_string());
    let session = cut.session_id;
    until("acknowledged", async || {
        let (acked, count) =
            world.miners[0].book(&session, |book| (book.acked(&cut.relay_id), book.known.count));
        (acked == Some(cut.cu) && count == 2).then_some(())
    })
    .await;
    assert_eq!(world.client().chat("a", 1).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_be_billed_stays_set_aside_over_a_kill() {
    let mut world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(1);
    let key = world.key_with_cap(202, 1).await;
    let mut stream = world.client_of(&key).open_stream("one two", 50, false).await;
    stream.chunk().await.unwrap().unwrap();
    world.kill();
    // The miner does not answer, so what the relay cost cannot be known yet.
    world.miners[0].hide(true);
    drop(stream);
    world.start().await;
    let client = world.client_of(&key);
    let usage = until("up", async || {
        let answer = client.get("/v1/usage").await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    assert_eq!((&usage["spent"], &usage["reserved"]), (&json!("0"), &json!("202")));
    world.miners[0].hide(false);
    let usage = until("settled", async || {
        let usage = client.get("/v1/usage").await.json();
        (usage["reserved"] == "0").then_some(usage)
    })
    .await;
    assert_eq!(usage["spent"], "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_finishes_streams_and_acknowledges() {
    let mut world = World::with(1, |settings| settings.times.ack_ms = 60_000).await;
    world.ready().await;
    let miner = world.miners[0].clone();
    miner.does(Does::Pace);
    miner.pace.add_permits(1);
    let mut stream = world.client().open_stream("a", 3, false).await;
    let session = world.chain.sessions()[0].id;
    let closed = world.client();
    let reading = async {
        // No new connection is taken, while the old one goes on.
        until("closing", async || closed.is_refused().await.then_some(())).await;
        miner.pace.add_permits(100);
        let mut text = String::new();
        while let Some(piece) = stream.chunk().await.unwrap() {
            text += std::str::from_utf8(&piece).unwrap();
        }
        text
    };
    let ((), text) = tokio::join!(world.stop(), reading);
    assert!(text.ends_with("data: [DONE]\n\n"));
    assert_eq!(miner.book(&session, |book| book.known.cu.0), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_do_not_share_books() {
    let world = World::new(1).await;
    let path = world.path();
    let first = gateway::books::Books::lock(&path).unwrap();
    let refused = gateway::books::Books::lock(&path).unwrap_err().to_string();
    assert!(refused.contains("another gateway"), "{refused}");
    drop(first);
    gateway::books::Books::lock(&path).unwrap();
}
