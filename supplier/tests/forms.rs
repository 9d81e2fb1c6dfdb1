//! Answers with a form, calls of tools, limits of memory, and answers beside long prompts.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use daemon::Stop;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use supplier::config::Limits;
use supplier::{Parts, router};
use tower::ServiceExt;

fn supplier(limits: Limits) -> Router {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let parts = Parts {
        model: engine::Model::load(&folder).unwrap(),
        meter: Arc::new(meter::Meter::load(&folder).unwrap()),
        name: "demo".to_owned(),
        defaults: supplier::Defaults::default(),
        limits,
    };
    router(parts, Stop::new()).unwrap()
}

fn body(path: &str, more: Value) -> Request<Body> {
    let mut body = json!({"model": "demo", "temperature": 0, "max_tokens": 60});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Request::post(path).body(Body::from(body.to_string())).unwrap()
}

async fn post(router: &Router, path: &str, more: Value) -> (u16, Value) {
    let response = router.clone().oneshot(body(path, more)).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn chat(router: &Router, more: Value) -> (u16, Value) {
    let mut all =
        json!({"messages": [{"role": "user", "content": "What is the capital of France?"}]});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(router, "/v1/chat/completions", all).await
}

async fn figure(router: &Router, name: &str) -> f64 {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let bytes = router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    let text = String::from_utf8(bytes.to_bytes().to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or("x 0").to_owned();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn city() -> Value {
    json!({
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": false,
    })
}

#[tokio::test]
async fn an_answer_follows_the_schema_that_was_given() {
    let router = supplier(Limits::default());
    for temperature in [0.0, 1.5] {
        let format =
            json!({"type": "json_schema", "json_schema": {"name": "city", "schema": city()}});
        let more = json!({"response_format": format, "temperature": temperature, "seed": 3});
        let (status, answer) = chat(&router, more).await;
        assert_eq!(status, 200, "{answer}");
        let said: Value =
            serde_json::from_str(answer["choices"][0]["message"]["content"].as_str().unwrap())
                .unwrap();
        assert!(said["city"].is_string() && said["large"].is_boolean(), "{said}");
    }
    let format = json!({"type": "json_schema", "json_schema": {"schema": {"type": "odd"}}});
    let (status, answer) = chat(&router, json!({"response_format": format})).await;
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("response_format")), "{answer}");
}

#[tokio::test]
async fn a_tool_that_must_be_called_is_called() {
    let router = supplier(Limits::default());
    let tools =
        json!([{"type": "function", "function": {"name": "look_up", "parameters": city()}}]);
    let more = json!({"tools": tools, "tool_choice": "required"});
    let (status, answer) = chat(&router, more.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls", "{answer}");
    let function = &choice["message"]["tool_calls"][0]["function"];
    assert_eq!(function["name"], "look_up");
    let arguments: Value = serde_json::from_str(function["arguments"].as_str().unwrap()).unwrap();
    assert!(arguments["city"].is_string());
    // Streamed it is the same call, and counts the same.
    let mut streamed = more;
    streamed["stream"] = true.into();
    streamed["stream_options"] = json!({"include_usage": true});
    streamed["messages"] = json!([{"role": "user", "content": "What is the capital of France?"}]);
    let response = router.clone().oneshot(body("/v1/chat/completions", streamed)).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let called = |event: &Value| event["choices"][0]["delta"]["tool_calls"][0]["function"].clone();
    assert!(events.iter().any(|event| called(event) == *function), "{text}");
    assert_eq!(events.last().unwrap()["usage"], answer["usage"]);
}

#[tokio::test]
async fn tools_that_are_not_called_change_nothing() {
    let router = supplier(Limits::default());
    let tools = json!([{"type": "function", "function": {"name": "look_up"}}]);
    let plain = chat(&router, json!({})).await.1["choices"].clone();
    assert_eq!(chat(&router, json!({"tools": tools})).await.1["choices"], plain);
    assert_eq!(
        chat(&router, json!({"tools": tools, "tool_choice": "none"})).await.1["choices"],
        plain
    );
}

#[tokio::test]
async fn what_the_memory_can_never_hold_is_refused_and_the_rest_takes_turns() {
    // A page of the demo model takes 128 KiB: eight pages, 256 tokens.
    let router = supplier(Limits { cache_mib: 1, ..Limits::default() });
    let (status, answer) = chat(&router, json!({"max_tokens": 400})).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("context_length_exceeded")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("ask for fewer tokens"));
    let alone = chat(&router, json!({})).await.1["choices"].clone();
    let many = (0..12).map(|_| chat(&router, json!({})));
    for (status, answer) in futures::future::join_all(many).await {
        assert_eq!((status, &answer["choices"]), (200, &alone));
    }
    // The computing thread tells of an answer's end before it counts.
    while figure(&router, "lode_supplier_running ").await != 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_beginning_that_was_read_before_is_not_read_again() {
    let router = supplier(Limits::default());
    let prompt: Vec<u64> = (0..100).map(|i| 20 + i % 40).collect();
    let ask = json!({"prompt": prompt, "max_tokens": 8, "logprobs": 2});
    let (_, first) = post(&router, "/v1/completions", ask.clone()).await;
    let (_, second) = post(&router, "/v1/completions", ask).await;
    assert_eq!(first["choices"], second["choices"]);
    assert_eq!(figure(&router, "lode_supplier_prompt_tokens_reused_total").await, 96.0);
    let other: Vec<u64> = (0..100).map(|i| 50 + i % 40).collect();
    let (_, three) = post(&router, "/v1/completions", json!({"prompt": other, "n": 3})).await;
    assert_eq!(
        three["choices"][0],
        three["choices"][1]
            .as_object()
            .map(|choice| {
                let mut choice = choice.clone();
                choice["index"] = 0.into();
                Value::Object(choice)
            })
            .unwrap()
    );
    let reused = figure(&router, "lode_supplier_prompt_tokens_reused_total").await;
    assert_eq!(reused, 3.0 * 96.0, "choices of one request read its prompt once");
    let told = &first["choices"][0]["logprobs"];
    let count = told["tokens"].as_array().unwrap().len();
    for list in ["token_logprobs", "top_logprobs", "text_offset"] {
        assert_eq!(told[list].as_array().unwrap().len(), count, "{list}");
    }
    assert_eq!(told["text_offset"][0], 0);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_makes_room_at_once() {
    let limits = Limits { sequences: 1, queue: 1, ..Limits::default() };
    let router = supplier(limits);
    let endless = json!({
        "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 480, "stream": true,
        "logit_bias": {"4": -100}, "temperature": 1, "seed": 1,
    });
    let response = router.clone().oneshot(body("/v1/chat/completions", endless)).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    assert!(stream.next().await.is_some());
    drop(stream);
    let (status, answer) = chat(&router, json!({})).await;
    assert_eq!(status, 200, "{answer}");
    assert!(figure(&router, "lode_supplier_tokens_total").await < 400.0);
}

#[tokio::test]
async fn an_answer_beside_a_long_prompt_is_the_same_as_alone() {
    let router = supplier(Limits::default());
    let running = json!({
        "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 60, "stream": true,
        "logit_bias": {"4": -100}, "temperature": 1, "seed": 1,
    });
    let alone =
        router.clone().oneshot(body("/v1/chat/completions", running.clone())).await.unwrap();
    let alone = alone.into_body().collect().await.unwrap().to_bytes();
    let prompt: Vec<u64> = (0..480).map(|i| 20 + i * 7 % 900).collect();
    let long = json!({"prompt": prompt, "max_tokens": 1});
    let (beside, (status, _)) = tokio::join!(
        async {
            let request = body("/v1/chat/completions", running);
            let response = router.clone().oneshot(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        },
        post(&router, "/v1/completions", long)
    );
    assert_eq!(status, 200);
    let said = |bytes: &[u8]| -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        events
            .filter_map(|e| e["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(said(&alone), said(&beside));
}

#[tokio::test]
async fn told_tokens_are_bytes_that_add_up_to_the_answer() {
    let router = supplier(Limits::default());
    let more = json!({"logprobs": true, "top_logprobs": 3, "n": 2, "stop": ["nothing", "!!"]});
    let (_, answer) = chat(&router, more).await;
    for choice in answer["choices"].as_array().unwrap() {
        let mut bytes = Vec::new();
        for told in choice["logprobs"]["content"].as_array().unwrap() {
            let these = told["bytes"].as_array().unwrap();
            bytes.extend(these.iter().map(|byte| byte.as_u64().unwrap() as u8));
            assert_eq!(told["top_logprobs"].as_array().unwrap().len(), 3);
            assert_eq!(told["top_logprobs"][0]["logprob"], told["logprob"], "greedy");
        }
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            choice["message"]["content"].as_str().unwrap()
        );
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_broken_off_with_a_reason() {
    let router = supplier(Limits { answer_s: 0, ..Limits::default() });
    let (status, answer) = chat(&router, json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (504, &json!("timeout")), "{answer}");
    let more = json!({"stream": true, "prompt": "The capital"});
    let response = router.clone().oneshot(body("/v1/completions", more)).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains("longer than 0 s") && !text.contains("[DONE]"), "{text}");
}
