#![allow(clippy::unwrap_used)]

use crate::config::Times;
use crate::rig::{Gateway, Stand, body, digest_of, receipt_of, told};
use expect_test::{Expect, expect};
use futures::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use proto::relay::{Status, sampler_seed};
use proto::transcript::commit;
use proto::{Cu, Usage};
use std::collections::BTreeMap;

#[tokio::test]
async fn an_answer_comes_through_byte_for_byte_with_its_receipt() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("say 12", 50));
    let envelope = gateway.request(&body, 60);
    let told = stand.relay(&envelope, &body).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.body, "xxxxxxxxxxxx.");
    assert_eq!(told.headers["content-type"], "text/event-stream");
    assert_eq!(told.headers["trailer"], "lode-receipt");
    let receipt = told.receipt();
    let request = &envelope.request.body;
    assert_eq!(
        (receipt.relay_id, receipt.request_digest),
        (request.relay_id, request.request_digest)
    );
    assert_eq!(receipt.usage, Usage { fresh_in: 1, cached_in: 0, out: 12 });
    assert_eq!((receipt.cu, receipt.status), (Cu(13), Status::Completed));
    let answer = commit(&told.body);
    assert_eq!((receipt.response_root, receipt.chunk_count), (answer.root, answer.chunk_count));
    assert!(receipt.started_at <= receipt.first_token_at);
    assert!(receipt.first_token_at <= receipt.finished_at);
    let (headers, asked) = stand.backend.asked.lock().unwrap().remove(0);
    assert_eq!(asked, body);
    let seed = sampler_seed(&request.session_id, &request.relay_id, &request.supplier);
    assert_eq!(headers["x-lode-seed"], format!("{seed:016x}"));
    assert_eq!(headers["authorization"], "Bearer secret");
    assert!(!headers.contains_key("lode-relay") && !headers.contains_key("te"));
    stand.end().await;
}

#[tokio::test]
async fn what_an_auditor_needs_is_kept_until_the_session_is_settled() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("show 7", 10));
    let mut shown = 0;
    for _ in 0..6 {
        let envelope = gateway.request(&body, 20);
        let told = stand.relay(&envelope, &body).await;
        assert!(!told.headers.contains_key("x-lode-evidence"));
        let (session, relay) = (stand.session.id, envelope.request.body.relay_id);
        let dossier = crate::vault::find(stand.home.path(), &session, &relay).unwrap();
        let checked = dossier.check().unwrap();
        assert_eq!((&checked.receipt, &dossier.answer[..]), (told.receipt(), &told.body[..]));
        let seed = sampler_seed(&session, &relay, &dossier.supplier);
        assert_eq!((checked.seed, &dossier.body), (seed, &body));
        let class = checked.evidence.map(|evidence| evidence.class);
        assert!(class.is_none_or(|class| relay.to_string().starts_with(&class)));
        shown += usize::from(told.receipt().evidence_root != proto::Digest::default());
    }
    assert!((1..6).contains(&shown), "the supplier shows evidence of some: {shown}");
    let settled = stand.session.settle_height().0;
    stand.town.grow(settled);
    let kept = stand.home.path().join("evidence");
    while std::fs::read_dir(&kept).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
    stand.end().await;
}

async fn check(prompt: &str, max_cu: u64, times: Times, outcome: &Expect) {
    let stand = Stand::with(times).await;
    let body = body(prompt, 10);
    let envelope = stand.gateway().request(&body, max_cu);
    let response = stand.begin(&envelope, &body).await;
    stand.backend.go.send_replace(usize::MAX);
    let told = told(response).await;
    let receipt = told.receipt();
    let text = format!("{} {:?} {}", told.status.as_u16(), receipt.status, receipt.cu);
    outcome.assert_eq(&text);
    // Whatever came is what was committed to.
    assert_eq!(commit(&told.body).root, receipt.response_root);
    assert_eq!(receipt_of(stand.receipt(0).await["receipt"].as_str().unwrap()).body, *receipt);
    stand.end().await;
}

#[tokio::test]
async fn each_way_in_which_a_supplier_ends_has_its_receipt() {
    let times = Times::default;
    check("say 9", 20, times(), &expect!["200 Completed 10"]).await;
    // No more is billed than was reserved.
    check("say 30", 20, times(), &expect!["200 Completed 20"]).await;
    check("fail 500", 20, times(), &expect!["500 Failed 0"]).await;
    check("fail 429", 20, times(), &expect!["429 Failed 0"]).await;
    check("garbage", 20, times(), &expect!["200 Failed 0"]).await;
    check("break 7", 20, times(), &expect!["200 Cut 8"]).await;
    check("break 0", 20, times(), &expect!["200 Failed 0"]).await;
    check("zip", 20, times(), &expect!["502 Failed 0"]).await;
    let impatient = Times { idle_ms: 40, ..times() };
    check("stall 7", 20, impatient, &expect!["200 Cut 8"]).await;
    // An answer without end is cut when it is longer than was asked for.
    check("endless", 20, times(), &expect!["200 Cut 20"]).await;
}

#[tokio::test]
async fn a_supplier_that_is_not_there_costs_nothing() {
    let mut stand = Stand::start().await;
    stand.backend.url = "http://127.0.0.1:1".into();
    let stand = stand.elsewhere().await;
    let body = body("say 1", 10);
    let told = stand.relay(&stand.gateway().request(&body, 20), &body).await;
    assert_eq!((told.status, told.code()), (StatusCode::BAD_GATEWAY, "backend_failed".into()));
    assert_eq!((told.receipt().status, told.receipt().cu), (Status::Failed, Cu(0)));
    stand.end().await;
}

#[tokio::test]
async fn when_the_client_leaves_the_supplier_stops_and_what_came_is_billed() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("endless", 1000));
    let response = stand.begin(&gateway.request(&body, 1001), &body).await;
    let mut open = stand.backend.open.subscribe();
    assert_eq!(*open.borrow_and_update(), 1);
    stand.backend.go.send_replace(3);
    let mut answer = response.into_body();
    let mut read = 0;
    while read < 15 {
        read += answer.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    drop(answer);
    open.wait_for(|open| *open == 0).await.unwrap();
    let receipt = ended(&stand, 0).await;
    assert_eq!((receipt.status, receipt.cu), (Status::Cut, Cu(16)));
    stand.end().await;
}

/// The receipt of a relay, once it has one.
async fn ended(stand: &Stand, seq: u64) -> proto::relay::Receipt {
    loop {
        if let Some(text) = stand.receipt(seq).await["receipt"].as_str() {
            return receipt_of(text).body;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_relay_that_is_sent_twice_is_served_once() {
    let stand = Stand::start().await;
    let body = body("say 5", 10);
    let envelope = stand.gateway().request(&body, 20);
    let told = join_all((0..6).map(|_| stand.relay(&envelope, &body))).await;
    let served = told.iter().filter(|told| told.status == StatusCode::OK).count();
    assert_eq!(served, 1);
    assert!(told.iter().all(|t| t.status == StatusCode::OK || t.code() == "malformed"));
    assert_eq!(stand.backend.asked.lock().unwrap().len(), 1);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_side_by_side_never_reserve_more_than_the_budget() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("endless", 100));
    // The budget buys 10,000: three of these fit.
    let envelopes: Vec<_> = (0..24).map(|_| gateway.request(&body, 3_000)).collect();
    let responses = join_all(envelopes.iter().map(|envelope| stand.begin(envelope, &body))).await;
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for response in &responses {
        *counts.entry(response.status().as_u16()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([(200, 3), (402, 21)]));
    drop(responses);
    stand.end().await;
}

#[tokio::test]
async fn a_gateway_that_lost_its_books_finds_what_it_signed() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("say 5", 10));
    assert_eq!(stand.standing().await["acked"], serde_json::Value::Null);
    for _ in 0..3 {
        assert_eq!(stand.relay(&gateway.request(&body, 20), &body).await.receipt().cu, Cu(6));
    }
    gateway.agree(0, 6);
    gateway.agree(2, 6);
    assert_eq!(stand.acknowledge(&mut gateway).await.status, StatusCode::NO_CONTENT);
    let standing = stand.standing().await;
    let head: proto::leaf::AckHead = serde_json::from_value(standing["acked"].clone()).unwrap();
    let proto::leaf::AckHead::Ack(ack) = head else { panic!("{head:?}") };
    assert!(ack.is_by(&stand.session.gateway_key) && ack.body.acked == gateway.acked);
    assert_eq!(standing["next_seq"], 3);
    let unacked = standing["unacked"].as_array().unwrap();
    assert_eq!(unacked.len(), 1);
    assert_eq!(digest_of(&unacked[0]["relay_id"]), Gateway::id(1));
    assert_eq!(receipt_of(unacked[0]["receipt"].as_str().unwrap()).body.cu, Cu(6));
    stand.end().await;
}

#[tokio::test]
async fn an_acknowledgement_that_leads_nowhere_is_told_what_is_known() {
    let stand = Stand::start().await;
    let (mut gateway, body) = (stand.gateway(), body("say 5", 10));
    stand.relay(&gateway.request(&body, 20), &body).await;
    gateway.agree(0, 6);
    stand.acknowledge(&mut gateway).await;
    let known = gateway.acked;
    gateway.agree(1, 6);
    gateway.fresh.clear();
    for told in [stand.acknowledge(&mut gateway.clone()).await, {
        let envelope = gateway.request(&body, 20);
        stand.relay(&envelope, &body).await
    }] {
        assert_eq!((told.status, told.code()), (StatusCode::CONFLICT, "ack_mismatch".into()));
        let refusal: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        assert_eq!(refusal["known"], serde_json::to_value(known).unwrap());
    }
    stand.end().await;
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    let stand = Stand::start().await;
    let (mut gateway, ask) = (stand.gateway(), body("say 5", 10));
    let told = stand.relay(&gateway.request(&ask, 10), &ask).await;
    assert_eq!((told.status.as_u16(), told.code()), (402, "over_budget".into()));
    let other = serde_json::json!({"model": "dear", "prompt": "say 5", "max_tokens": 1});
    let other = other.to_string().into_bytes();
    let told = stand.relay(&gateway.request(&other, 10), &other).await;
    assert_eq!((told.status.as_u16(), told.code()), (400, "malformed".into()));
    let asked = *stand.town.asked.lock().unwrap();
    gateway.session.id = Gateway::id(99);
    for _ in 0..3 {
        let told = stand.relay(&gateway.request(&ask, 20), &ask).await;
        assert_eq!((told.status.as_u16(), told.code()), (404, "unknown_session".into()));
    }
    assert_eq!(*stand.town.asked.lock().unwrap(), asked + 1, "the chain is asked once a block");
    let mut gateway = stand.gateway();
    let requests: Vec<_> = (0..9).map(|_| gateway.request(&ask, 20)).collect();
    for request in &requests[..8] {
        assert_eq!(stand.relay(request, &ask).await.status, StatusCode::OK);
    }
    let told = stand.relay(&requests[8], &ask).await;
    assert_eq!((told.status.as_u16(), told.code()), (429, "inflight".into()));
    assert_eq!(told.headers["retry-after"], "1");
    stand.end().await;
}

#[tokio::test]
async fn after_a_kill_nothing_is_lost_and_nothing_counted_twice() {
    let stand = Stand::start().await;
    let mut gateway = stand.gateway();
    let (short, long) = (body("say 5", 10), body("endless", 4_900));
    let first = stand.relay(&gateway.request(&short, 20), &short).await;
    gateway.agree(0, 6);
    let second = gateway.request(&long, 4_950);
    let response = stand.begin(&second, &long).await;
    let third = gateway.request(&long, 4_950);
    let untouched = stand.begin(&third, &long).await;
    stand.backend.go.send_replace(900);
    let (mut answer, mut read) = (response.into_body(), 0);
    while read < 4_500 {
        read += answer.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    // What was booked before the receipt of another relay is on the disk when that is given out.
    let last = stand.relay(&gateway.request(&short, 20), &short).await;
    assert_eq!(last.receipt().cu, Cu(6));
    let killed = stand.killed().await;
    let standing = killed.standing().await;
    assert_eq!(standing["next_seq"], 4);
    assert_eq!(standing["unacked"].as_array().unwrap().len(), 3);
    let kept = receipt_of(killed.receipt(0).await["receipt"].as_str().unwrap());
    assert_eq!(Some(&kept), first.receipt.as_ref());
    let cut = receipt_of(killed.receipt(1).await["receipt"].as_str().unwrap()).body;
    assert_eq!(cut.status, Status::Cut);
    assert!((4_000..=4_501).contains(&cut.cu.0), "{cut:?}");
    let failed = receipt_of(killed.receipt(2).await["receipt"].as_str().unwrap()).body;
    assert!(failed.cu <= Cu(4_950), "{failed:?}");
    let told = killed.relay(&second, &long).await;
    assert_eq!(told.code(), "malformed", "an id is used once, also across a crash");
    let left = stand.session.budget_cu().0 - 12 - cut.cu.0 - failed.cu.0;
    let told = killed.relay(&gateway.clone().request(&short, left + 1), &short).await;
    assert_eq!(told.code(), "over_budget");
    let told = killed.relay(&gateway.request(&short, left), &short).await;
    assert_eq!(told.status, StatusCode::OK);
    drop((answer, untouched));
    killed.end().await;
    stand.end().await;
}

#[tokio::test]
async fn relays_that_run_when_it_stops_are_cut_and_receipted() {
    let stand = Stand::with(Times { drain_ms: 50, ..Times::default() }).await;
    let body = body("endless", 1000);
    let response = stand.begin(&stand.gateway().request(&body, 1001), &body).await;
    stand.backend.go.send_replace(2);
    stand.stop.ask();
    let collected = response.into_body().collect().await.unwrap();
    let receipt = collected.trailers().unwrap()["lode-receipt"].to_str().unwrap().to_owned();
    assert_eq!(receipt_of(&receipt).body.status, Status::Cut);
    stand.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_folder_of_books_serves_one_relay_miner_at_a_time() {
    let stand = Stand::start().await;
    stand.standing().await;
    let again = stand.second().await;
    let refused = again.task.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("is in use by process"), "{refused}");
    stand.end().await;
}

#[tokio::test]
async fn a_reload_asks_another_price_and_status_says_from_when_it_counts() {
    let stand = Stand::start().await;
    let before = stand.get(format!("{}/status", stand.admin)).await;
    assert_eq!((&before["offers"][0]["ask"], &before["reload"]), (&500_000.into(), &().into()));
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let client = client.build_http::<http_body_util::Full<bytes::Bytes>>();
    let uri = format!("{}/reload", stand.admin);
    let ask = http::Request::post(uri).body(http_body_util::Full::default()).unwrap();
    assert_eq!(client.request(ask).await.unwrap().status(), StatusCode::OK);
    let after = stand.get(format!("{}/status", stand.admin)).await;
    assert_eq!(after["offers"][0]["ask"], 600_000, "{after}");
    let (height, counts) = (&after["reload"]["height"], &after["reload"]["counts_from"]);
    assert!(counts.as_u64() > height.as_u64(), "{after}");
    stand.end().await;
}
