//! One model over several boxes: what is answered does not depend on where its layers run, nor on
//! what happens to the boxes meanwhile.
#![allow(clippy::unwrap_used)]

mod boxes;
mod faults;
mod guesses;
mod proxy;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use boxes::{Crew, Setting, alone};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

/// Clients that stream at the same time.
const CLIENTS: u64 = 16;

/// The text that one client is streamed, or what it is told instead.
async fn stream(router: &Router, seed: u64) -> Result<String, String> {
    let asked = ["What is the capital of France?", "How many legs has a dog?", "What is 3 plus 4?"];
    let body = json!({
        "model": "demo", "seed": seed, "temperature": 1.3, "stream": true, "max_tokens": 60,
        "messages": [{"role": "user", "content": asked[seed as usize % asked.len()]}],
    });
    let request = Request::post("/v1/chat/completions").body(Body::from(body.to_string())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    if status != StatusCode::OK || !text.ends_with("data: [DONE]\n\n") {
        return Err(text);
    }
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok());
    let piece = |event: serde_json::Value| {
        event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
    };
    Ok(events.map(piece).collect())
}

/// What all clients are streamed at the same time.
async fn streams(router: &Router) -> Vec<Result<String, String>> {
    futures::future::join_all((0..CLIENTS).map(|seed| stream(router, seed))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_cut_over_boxes_says_the_very_bytes_of_one_box() {
    let expected = streams(&alone()).await;
    assert!(expected.iter().all(Result::is_ok), "{expected:?}");
    for (head, cuts) in
        [(None, vec!["0..8"]), (Some(1), vec!["1..4", "4..8"]), (Some(0), vec!["", "", ""])]
    {
        let crew = Crew::new(Setting { head, cuts: cuts.clone(), ..Setting::default() }).await;
        assert_eq!(streams(&crew.router).await, expected, "cut at {cuts:?}");
    }
}

/// One figure of the head's.
pub(crate) async fn figure(router: &Router, name: &str) -> f64 {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_box_and_each_link_is_measured() {
    let cuts = vec!["1..4", "4..8"];
    let crew = Crew::new(Setting { head: Some(1), cuts, ..Setting::default() }).await;
    assert!(streams(&crew.router).await.iter().all(Result::is_ok));
    let [first, last] = [0, 1].map(|who: usize| crew.proxies[who].address.to_string());
    let of = |name: &str, at: &str| format!("lode_supplier_box_{name}{{box=\"{at}\"}}");
    let steps = figure(&crew.router, &of("step_seconds_count", "head")).await;
    assert!(steps > 0.0);
    for (at, name) in [(&first, "step_seconds_count"), (&last, "step_seconds_count")] {
        assert_eq!(figure(&crew.router, &of(name, at)).await, steps);
    }
    let sent = figure(&crew.router, &of("sent_bytes_total", &first)).await;
    let received = figure(&crew.router, &of("received_bytes_total", &last)).await;
    assert!(sent > steps && received > steps, "{sent} sent, {received} received");
    // Pings go beside the steps: their answer is waited for.
    while figure(&crew.router, &of("onward_seconds", &first)).await == 0.0
        || figure(&crew.router, &of("round_trip_seconds", &last)).await == 0.0
    {
        tokio::task::yield_now().await;
    }
    for (stage, layers) in crew.stages.iter().zip([3, 4]) {
        let url = format!("http://{}/status", stage.admin.unwrap());
        let told: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(told["steps"].as_f64(), Some(steps), "{told}");
        assert_eq!(told["layers"], layers, "{told}");
        assert!(told["links"]["head"]["sent_bytes"].as_u64() > Some(0), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_with_a_key_that_is_not_expected_gives_and_gets_nothing() {
    let setting =
        Setting { cuts: vec!["0..8"], stranger: true, recover_s: 1, ..Setting::default() };
    let crew = Crew::new(setting).await;
    let answer = stream(&crew.router, 1).await;
    assert!(answer.unwrap_err().contains("have no place"));
}
