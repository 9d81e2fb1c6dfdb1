//! Every way in which a request is refused.

use crate::harness::{Answer, Does, MODEL, World, ask};
use expect_test::{Expect, expect};
use gateway::account::KeyTerms;
use http::Method;
use proto::Time;

fn check(answer: &Answer, outcome: &Expect) {
    let (kind, code) = answer.error();
    let retry = answer.header("retry-after").map(|after| format!(", retry after {after}"));
    outcome.assert_eq(&format!("{} {kind} {code}{}", answer.status, retry.unwrap_or_default()));
    assert_eq!(answer.header("content-type").unwrap(), "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_good_key_is_refused() {
    let world = World::new(1).await;
    world.ready().await;
    let refused = &expect!["401 invalid_request_error invalid_api_key"];
    check(&world.stranger(None).chat("a", 1).await, refused);
    check(&world.stranger(Some("sk-abc")).chat("a", 1).await, refused);
    let other = format!("lode-sk-{}", "0".repeat(64));
    check(&world.stranger(Some(&other)).chat("a", 1).await, refused);
    let expired = KeyTerms { name: "old".into(), expires: Some(Time(1)), ..KeyTerms::default() };
    check(&world.client_of(&world.key(expired, 1).await).chat("a", 1).await, refused);
    for path in ["/v1/models", "/v1/usage", "/v1/receipts/00"] {
        check(&world.stranger(None).get(path).await, refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_by_a_running_gateway() {
    let world = World::new(1).await;
    world.ready().await;
    assert_eq!(world.client().chat("a", 1).await.status, 200);
    let books = world.books().await;
    let id = books.keys().await.unwrap()[0].id.clone();
    books.revoke_key(&id, Time(5)).await.unwrap();
    let refused = crate::harness::until("revoked", async || {
        let answer = world.client().chat("a", 1).await;
        (answer.status != 200).then_some(answer)
    });
    check(&refused.await, &expect!["401 invalid_request_error invalid_api_key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_told_what_is_wrong() {
    let world = World::with(1, |settings| settings.limits.request_bytes = 4_000).await;
    world.ready().await;
    let client = world.client();
    let chat = "/v1/chat/completions";
    let json = "application/json";
    let post = |body: &str| client.raw(Method::POST, chat, json, body.to_owned());
    check(&post("{").await, &expect!["400 invalid_request_error null"]);
    check(&post("{}").await, &expect!["400 invalid_request_error missing_parameter"]);
    check(
        &post(r#"{"model":"gpt-4"}"#).await,
        &expect!["404 invalid_request_error model_not_found"],
    );
    check(
        &post(&format!(r#"{{"model":"{MODEL}","messages":[]}}"#)).await,
        &expect!["400 invalid_request_error null"],
    );
    check(&client.chat("a", 0).await, &expect!["400 invalid_request_error null"]);
    check(
        &client.chat(&"a ".repeat(1_200), 1).await,
        &expect!["400 invalid_request_error context_length_exceeded"],
    );
    check(
        &client.chat(&"a".repeat(5_000), 1).await,
        &expect!["413 invalid_request_error request_too_large"],
    );
    let text = client.raw(Method::POST, chat, "text/plain", ask("a", 1).to_string()).await;
    check(&text, &expect!["415 invalid_request_error unsupported_content_type"]);
    let get = client.get(chat).await;
    check(&get, &expect!["405 invalid_request_error method_not_allowed"]);
    let lost = client.get("/v1/embeddings").await;
    check(&lost, &expect!["404 invalid_request_error unknown_url"]);
    let receipt = client.get(&format!("/v1/receipts/{}", "ab".repeat(32))).await;
    check(&receipt, &expect!["404 invalid_request_error receipt_not_found"]);
    check(
        &client.get("/v1/models/none").await,
        &expect!["404 invalid_request_error model_not_found"],
    );
    check(
        &client.get("/v1/models/%ff").await,
        &expect!["404 invalid_request_error model_not_found"],
    );
    check(
        &client.get("/v1/receipts/%ff").await,
        &expect!["404 invalid_request_error receipt_not_found"],
    );
    check(&client.get("/v1/usage?limit=x").await, &expect!["400 invalid_request_error null"]);
    assert_eq!(world.miners[0].state(|state| state.asked), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_held_to_its_rate_and_its_models() {
    let world = World::new(1).await;
    world.ready().await;
    let slow = KeyTerms { name: "slow".into(), per_minute: Some(1), ..KeyTerms::default() };
    let client = world.client_of(&world.key(slow, 1).await);
    assert_eq!(client.chat("a", 1).await.status, 200);
    let answer = client.chat("a", 1).await;
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 50);
    assert_eq!(answer.error().1, "rate_limit_exceeded");
    let models = vec![proto::service::ServiceId::new("other").unwrap()];
    let other = KeyTerms { name: "other".into(), models, ..KeyTerms::default() };
    let client = world.client_of(&world.key(other, 2).await);
    check(&client.chat("a", 1).await, &expect!["404 invalid_request_error model_not_found"]);
    assert_eq!(client.get("/v1/models").await.json()["data"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_spends_one_coin() {
    let world = World::new(1).await;
    world.ready().await;
    let denom = proto::Denom::new("uusd").unwrap();
    let key = world.key(KeyTerms { name: "usd".into(), denom, ..KeyTerms::default() }, 1).await;
    let client = world.client_of(&key);
    let answer = client.chat("a", 1).await;
    check(&answer, &expect!["402 insufficient_quota other_coin"]);
    assert_eq!(client.get("/v1/usage").await.json()["denom"], "uusd");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_once_than_may() {
    let world = World::with(1, |settings| {
        settings.limits.requests = 2;
        settings.limits.requests_per_key = 1;
    })
    .await;
    world.ready().await;
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(1);
    let first = world.client().open_stream("a", 500, false).await;
    check(
        &world.client().chat("a", 1).await,
        &expect!["429 rate_limit_error rate_limit_exceeded, retry after 1"],
    );
    let named = |name: &str| KeyTerms { name: name.into(), ..KeyTerms::default() };
    let second = world.client_of(&world.key(named("second"), 1).await);
    let running = second.open_stream("a", 500, false);
    let running = tokio::select! {
        running = running => running,
        () = async {
            loop {
                // The first stream takes some of them.
                world.miners[0].pace.add_permits(1);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        } => unreachable!("permits never end"),
    };
    let third = world.client_of(&world.key(named("third"), 2).await);
    check(&third.chat("a", 1).await, &expect!["503 server_error overloaded, retry after 1"]);
    drop((first, running));
    world.miners[0].does(Does::Serve);
    crate::harness::until("room", async || (third.chat("a", 1).await.status == 200).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suppliers_that_fail_are_told_apart_from_requests_that_are_wrong() {
    let world = World::with(1, |settings| settings.times.first_byte_ms = 200).await;
    world.ready().await;
    let miner = &world.miners[0];
    miner.does(Does::Fail(400));
    let answer = world.client().chat("a", 1).await;
    assert_eq!(
        (answer.status, &*answer.text()),
        (400, r#"{"error":{"message":"no","type":"backend","code":400}}"#)
    );
    for _ in 0..4 {
        miner.does(Does::Fail(429));
        check(
            &world.client().chat("a", 1).await,
            &expect!["503 server_error no_supplier, retry after 1"],
        );
        // Nobody leaves it alone for that.
        miner.does(Does::Serve);
        assert_eq!(world.client().chat("a", 1).await.status, 200);
    }
    miner.does(Does::Fail(500));
    check(&world.client().chat("a", 1).await, &expect!["502 server_error supplier_failed"]);
    miner.does(Does::Hang);
    check(
        &world.client().stream("a", 1, false).await,
        &expect!["504 server_error supplier_timeout"],
    );
    miner.does(Does::Refuse(503, "draining"));
    check(
        &world.client().chat("a", 1).await,
        &expect!["503 server_error no_supplier, retry after 1"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_the_reason_is_told() {
    let world = World::new(0).await;
    world.chain.change(|state| state.escrow = proto::Amount(0));
    world.chain.advance_to(proto::Height(3));
    let answer = crate::harness::until("no funds", async || {
        let answer = world.client().chat("a", 1).await;
        (answer.status == 402).then_some(answer)
    })
    .await;
    check(&answer, &expect!["402 insufficient_quota insufficient_quota"]);
    assert!(answer.text().contains("escrow"), "{}", answer.text());
    assert_eq!(world.client().get("/readyz").await.status, 503);
    world.chain.change(|state| state.escrow = proto::Amount(1_000_000));
    world.chain.advance_to(proto::Height(4));
    let answer = crate::harness::until("no supplier", async || {
        let answer = world.client().chat("a", 1).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    check(&answer, &expect!["503 server_error no_supplier, retry after 1"]);
    assert!(answer.text().contains("no supplier is eligible"), "{}", answer.text());
}
