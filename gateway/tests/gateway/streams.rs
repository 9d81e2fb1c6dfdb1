//! Answers as clients see them.

use crate::harness::{Does, MODEL, World, until};
use proto::relay::Status;
use serde_json::json;

fn events(max: u64) -> String {
    let event = |i: u64| {
        let delta = json!({ "index": 0, "delta": { "content": format!("w{i} ") } });
        format!("data: {}\n\n", json!({ "id": "chatcmpl-1", "choices": [delta] }))
    };
    (0..max).map(event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_comes_as_the_supplier_wrote_it() {
    let world = World::new(2).await;
    world.ready().await;
    let answer = world.client().stream("one two", 40, false).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type").unwrap(), "text/event-stream");
    assert_eq!(answer.text(), events(40) + "data: [DONE]\n\n");
    assert_eq!(answer.receipt().len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_asked_for_usage_says_what_it_cost() {
    let world = World::new(1).await;
    world.ready().await;
    let answer = world.client().stream("one two", 3, true).await;
    let usage = r#"data: {"id":"chatcmpl-1","choices":[],"usage":{"cost":{"amount":"14","denom":"ulode"},"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}"#;
    assert_eq!(answer.text(), format!("{}{usage}\n\ndata: [DONE]\n\n", events(3)));
    let receipt = world.miners[0].relays()[0].receipt.clone().unwrap().body;
    let root = proto::transcript::commit(&gateway::splice::take_out(&answer.body)).root;
    assert_eq!(root, receipt.response_root);
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_go_on_as_they_come() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(1);
    let mut stream = world.client().open_stream("a", 3, false).await;
    let mut text = String::new();
    for i in 0..3 {
        text += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
        assert_eq!(text, events(i + 1));
        world.miners[0].pace.add_permits(1);
    }
    while let Some(piece) = stream.chunk().await.unwrap() {
        text += std::str::from_utf8(&piece).unwrap();
    }
    assert!(text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_changes_by_its_cost_only() {
    let world = World::new(1).await;
    world.ready().await;
    let answer = world.client().chat("one two three", 2).await;
    assert_eq!(answer.header("x-lode-cost").unwrap(), "11");
    assert_eq!(answer.json()["usage"]["cost"], json!({ "amount": "11", "denom": "ulode" }));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "w0 w1 ");
    let receipt = world.miners[0].relays()[0].receipt.clone().unwrap().body;
    let root = proto::transcript::commit(&gateway::splice::take_out(&answer.body)).root;
    assert_eq!(root, receipt.response_root);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_completions_are_served_too() {
    let world = World::new(1).await;
    world.ready().await;
    let body = json!({ "model": MODEL, "prompt": "one two", "max_tokens": 2 }).to_string();
    let client = world.client();
    let answer = client
        .raw(http::Method::POST, "/v1/completions", "application/json; charset=utf-8", body)
        .await;
    assert_eq!(answer.json()["choices"][0]["text"], "w0 w1 ");
    assert_eq!(answer.header("x-lode-cost").unwrap(), "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_client_leaves_the_supplier_stops_and_the_rest_is_billed() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(2);
    let mut stream = world.client().open_stream("one two", 50, false).await;
    let mut got = stream.chunk().await.unwrap().unwrap().to_vec();
    while got.len() < events(2).len() {
        got.extend(stream.chunk().await.unwrap().unwrap());
    }
    drop(stream);
    let receipt = until("cut", async || world.miners[0].relays()[0].receipt.clone()).await;
    assert_eq!((receipt.body.status, receipt.body.usage.out), (Status::Cut, 2));
    let (session, relay) = (receipt.body.session_id, receipt.body.relay_id);
    let acked =
        until("acknowledged", async || world.miners[0].book(&session, |book| book.acked(&relay)));
    assert_eq!(acked.await.0, 2 + 2 * 4);
    let usage = until("booked", async || {
        let usage = world.client().get("/v1/usage").await.json();
        (usage["data"] != json!([])).then_some(usage)
    })
    .await;
    assert_eq!(usage["data"][0]["status"], "cut");
    assert_eq!((&usage["spent"], &usage["reserved"]), (&json!("10"), &json!("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_with_what_they_cost() {
    let world = World::new(2).await;
    world.ready().await;
    let models = world.client().get("/v1/models").await.json();
    assert_eq!(models["object"], "list");
    let model = &models["data"][0];
    assert_eq!((&model["id"], &model["object"]), (&json!(MODEL), &json!("model")));
    let lode = &model["lode"];
    assert_eq!(lode["price"], "1000000");
    assert_eq!((&lode["prompt"], &lode["completion"]), (&json!("1000000"), &json!("4000000")));
    assert_eq!((&lode["context"], &lode["suppliers"]), (&json!(1000), &json!(2)));
    assert_eq!(world.client().get(&format!("/v1/models/{MODEL}")).await.json(), *model);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_call_only_from_where_it_was_told() {
    let world =
        World::with(1, |settings| settings.cors_origins = vec!["https://a.example".into()]).await;
    let answer = world.client().get("/healthz").await;
    assert_eq!(
        answer.header("access-control-expose-headers").as_deref(),
        Some("x-lode-receipt,x-lode-cost,retry-after")
    );
    let closed = World::new(1).await;
    let answer = closed.client().get("/healthz").await;
    assert_eq!(answer.header("access-control-expose-headers"), None);
    assert!(world.client().get("/metrics").await.text().contains("lode_gateway_running"));
}
