//! The OpenAI-compatible face of a supplier.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use daemon::Stop;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use supplier::{Parts, router};
use tower::ServiceExt;

fn supplier(queue: usize) -> Router {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let mut limits = supplier::config::Limits { sequences: 4, ..Default::default() };
    limits.queue = queue;
    let parts = Parts {
        model: engine::Model::load(&folder).unwrap(),
        meter: Arc::new(meter::Meter::load(&folder).unwrap()),
        name: "demo".to_owned(),
        defaults: supplier::Defaults::default(),
        limits,
    };
    router(parts, Stop::new()).unwrap()
}

async fn post(router: &Router, path: &str, body: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path).body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

fn ask(more: Value) -> Value {
    let mut body = json!({
        "model": "demo", "temperature": 0,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn chat(router: &Router, more: Value) -> (StatusCode, Value) {
    let (status, bytes) = post(router, "/v1/chat/completions", &ask(more).to_string()).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn text(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap()
}

#[tokio::test]
async fn an_answer_is_right_and_its_usage_can_be_counted_again() {
    let router = supplier(8);
    let (status, answer) = chat(&router, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(text(&answer).contains("Paris"), "{answer}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let meter = meter::Meter::load(&folder).unwrap();
    assert_eq!(answer["usage"]["completion_tokens"], meter.count(text(&answer)));
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    let router = supplier(8);
    let (_, whole) = chat(&router, json!({"seed": 5, "temperature": 1})).await;
    let more = json!({"seed": 5, "temperature": 1, "stream": true, "stream_options": {"include_usage": true}});
    let (_, bytes) = post(&router, "/v1/chat/completions", &ask(more).to_string()).await;
    let stream = String::from_utf8(bytes).unwrap();
    let mut said = String::new();
    let mut usage = Value::Null;
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        said.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        if event["usage"].is_object() {
            usage = event["usage"].clone();
        }
    }
    assert_eq!(said, text(&whole));
    assert_eq!(usage, whole["usage"]);
    assert!(stream.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn answers_side_by_side_are_those_of_one_at_a_time() {
    let router = supplier(64);
    let seeds: Vec<u64> = (0..12).collect();
    let more = |seed: &u64| json!({"seed": seed, "temperature": 1.2});
    let mut alone = Vec::new();
    for seed in &seeds {
        alone.push(chat(&router, more(seed)).await.1["choices"].clone());
    }
    let together =
        futures::future::join_all(seeds.iter().map(|seed| chat(&router, more(seed)))).await;
    for (alone, (_, together)) in alone.iter().zip(together) {
        assert_eq!(*alone, together["choices"]);
    }
}

#[tokio::test]
async fn stop_strings_and_limits_end_an_answer() {
    let router = supplier(8);
    let (_, stopped) = chat(&router, json!({"stop": ["is Par"]})).await;
    assert_eq!(
        (text(&stopped), &stopped["choices"][0]["finish_reason"]),
        ("The capital of France ", &json!("stop"))
    );
    let (_, short) = chat(&router, json!({"max_tokens": 2})).await;
    assert_eq!(short["choices"][0]["finish_reason"], "length");
    let (_, several) = chat(&router, json!({"n": 3, "logprobs": true, "top_logprobs": 2})).await;
    assert_eq!(several["choices"].as_array().unwrap().len(), 3);
    let told = &several["choices"][2]["logprobs"]["content"][0];
    assert_eq!(told["top_logprobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_with_the_field_that_is_at_fault() {
    let router = supplier(8);
    for (more, status, param) in [
        (json!({"temperature": 3}), 400, json!("temperature")),
        (json!({"top_p": "x"}), 400, json!("top_p")),
        (json!({"max_tokens": 0}), 400, json!("max_tokens")),
        (json!({"stop": vec!["x"; 10_000]}), 400, json!("stop")),
        (json!({"seed": 1.5}), 400, json!("seed")),
        (json!({"logit_bias": {"a": 1}}), 400, json!("logit_bias")),
        (json!({"response_format": {"type": "verse"}}), 400, json!("response_format")),
        (json!({"repetition_penalty": 0}), 400, json!("repetition_penalty")),
        (json!({"tools": [{"type": "function"}]}), 400, json!("tools")),
        (json!({"tools": [], "tool_choice": "required"}), 400, json!("tool_choice")),
        (json!({"messages": []}), 400, json!("messages")),
        (json!({"model": "other"}), 404, json!("model")),
    ] {
        let (got, answer) = chat(&router, more.clone()).await;
        assert_eq!((got.as_u16(), &answer["error"]["param"]), (status, &param), "{more}: {answer}");
        assert!(answer["error"]["message"].is_string());
    }
    assert_eq!(post(&router, "/v1/chat/completions", "{").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&router, "/v1/nothing", "{}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(post(&router, "/v1/models", "{}").await.0, StatusCode::METHOD_NOT_ALLOWED);
    let large = "x".repeat(2 << 20);
    assert_eq!(post(&router, "/v1/completions", &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn more_than_the_queue_holds_is_refused_at_once() {
    let router = supplier(0);
    let (status, answer) = chat(&router, json!({"n": 5})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    assert_eq!(chat(&router, json!({"n": 4})).await.0, StatusCode::OK);
}
