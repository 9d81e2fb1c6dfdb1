//! Suppliers that fail before and after the first byte.

use crate::harness::{Does, World, until};
use proto::relay::Status;

#[tokio::test(flavor = "multi_thread")]
async fn another_supplier_is_asked_before_the_first_byte() {
    for failure in [
        Does::Fail(500),
        Does::BreakAfter(0),
        Does::DieAfter(30),
        Does::Refuse(503, "backend_down"),
        Does::Refuse(429, "inflight"),
    ] {
        let world = World::new(2).await;
        world.ready().await;
        world.miners[0].does(failure.clone());
        for _ in 0..4 {
            let answer = world.client().stream("a", 3, false).await;
            assert_eq!(answer.status, 200, "{failure:?}");
            assert!(answer.text().ends_with("data: [DONE]\n\n"), "{failure:?}: {}", answer.text());
            assert_eq!(world.client().chat("a", 3).await.status, 200, "{failure:?}");
        }
        assert!(world.miners[0].state(|state| state.asked) > 0, "{failure:?}");
        let usage = until("settled", async || {
            let usage = world.client().get("/v1/usage").await.json();
            (usage["reserved"] == "0").then_some(usage)
        })
        .await;
        assert_eq!(usage["spent"], (8 * 13).to_string(), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_that_is_silent_is_left_for_another() {
    let world = World::with(2, |settings| settings.times.first_byte_ms = 150).await;
    world.ready().await;
    world.miners[0].does(Does::Hang);
    for _ in 0..4 {
        let answer = world.client().stream("a", 3, false).await;
        assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_byte_nobody_else_is_asked() {
    let world = World::new(2).await;
    world.ready().await;
    for miner in &world.miners {
        miner.does(Does::BreakAfter(2));
    }
    let answer = world.client().stream("one two", 9, false).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(text.contains("w1") && !text.contains("w2") && !text.contains("[DONE]"), "{text}");
    let last = text.trim_end().rsplit("data: ").next().unwrap();
    let error: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["error"]["code"], "supplier_failed");
    let asked: usize = world.miners.iter().map(|miner| miner.state(|state| state.asked)).sum();
    assert_eq!(asked, 1);
    let usage = until("billed", async || {
        let usage = world.client().get("/v1/usage").await.json();
        (usage["data"][0]["status"] == "cut").then_some(usage)
    })
    .await;
    assert_eq!((&usage["spent"], &usage["reserved"]), (&"10".into(), &"0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_a_dead_supplier_ended_says_so_and_what_came_is_billed() {
    let world = World::new(1).await;
    world.ready().await;
    let whole = world.client().stream("one two", 9, false).await.text();
    let two = whole.find("w2").unwrap();
    for usage in [false, true] {
        world.miners[0].does(Does::DieAfter(two));
        let text = world.client().stream("one two", 9, usage).await.text();
        assert!(text.starts_with(&whole[..two]) && !text.contains("[DONE]"), "{text}");
        let last = text.trim_end().rsplit("data: ").next().unwrap();
        let error: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["error"]["code"], "supplier_failed", "{text}");
    }
    let usage = until("billed", async || {
        let usage = world.client().get("/v1/usage").await.json();
        (usage["data"][0]["status"] == "cut" && usage["reserved"] == "0").then_some(usage)
    })
    .await;
    // Two tokens of prompt each, and nine and twice two of answer at 4 each.
    assert_eq!(usage["spent"], (3 * 2 + (9 + 2 + 2) * 4).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_on_record_and_costs_nothing() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Fail(500));
    assert_eq!(world.client().chat("a", 3).await.status, 502);
    let session = world.chain.sessions()[0].id;
    until("acknowledged", async || {
        let known = world.miners[0].book(&session, |book| book.known);
        (known.count == 1 && known.cu.0 == 0).then_some(())
    })
    .await;
    assert_eq!(world.miners[0].relays()[0].receipt.as_ref().unwrap().body.status, Status::Failed);
    let usage = world.client().get("/v1/usage").await.json();
    assert_eq!((&usage["spent"], &usage["data"][0]["status"]), (&"0".into(), &"failed".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_forgot_is_taken_up_anew() {
    let world = World::new(1).await;
    world.ready().await;
    assert_eq!(world.client().chat("a", 1).await.status, 200);
    let session = world.chain.sessions()[0].id;
    until("acknowledged", async || {
        world.miners[0].book(&session, |book| (book.known.count == 1).then_some(()))
    })
    .await;
    // As if its last write had been lost.
    world.miners[0].book(&session, |book| {
        book.known = proto::relay::Acked::default();
        book.entries.clear();
        book.head = None;
    });
    for _ in 0..3 {
        assert_eq!(world.client().chat("a", 1).await.status, 200);
    }
    until("all acknowledged", async || {
        let known = world.miners[0].book(&session, |book| book.known);
        (known.count == 4 && known.cu.0 == 20).then_some(())
    })
    .await;
}
