//! Requests that no library sends, and some people do.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use daemon::Stop;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use supplier::config::Limits;
use supplier::{Defaults, Parts, router};
use tower::ServiceExt;

fn supplier() -> Router {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let parts = Parts {
        model: engine::Model::load(&folder).unwrap(),
        meter: Arc::new(meter::Meter::load(&folder).unwrap()),
        name: "demo".to_owned(),
        defaults: Defaults::default(),
        limits: Limits::default(),
    };
    router(parts, Stop::new()).unwrap()
}

async fn send(router: &Router, path: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = Request::post(path).body(body.into()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn chat(more: Value) -> String {
    let mut body = json!({
        "model": "demo", "temperature": 0, "max_tokens": 8,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

async fn refused(router: &Router, body: impl Into<Body>) -> String {
    let (status, answer) = send(router, "/v1/chat/completions", body).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(answer["error"]["type"], "invalid_request_error", "{answer}");
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused() {
    let router = supplier();
    let mut invalid = chat(json!({})).into_bytes();
    let at = invalid.windows(6).position(|w| w == b"France").unwrap();
    invalid[at] = 0xff;
    refused(&router, invalid).await;
    refused(&router, "").await;
    refused(&router, "null").await;
    refused(&router, "[]").await;
    refused(&router, "{\"model\": \"demo\"").await;
    // Numbers that JSON does not have.
    refused(&router, chat(json!({})).replace("\"temperature\":0", "\"temperature\":NaN")).await;
    refused(&router, chat(json!({})).replace("\"temperature\":0", "\"temperature\":1e999")).await;
    // Deep nesting, in a field that is read and in one that is not.
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    refused(&router, chat(json!({})).replace("\"temperature\":0", &format!("\"x\":{deep}"))).await;
    refused(&router, chat(json!({})).replace("\"temperature\":0", &format!("\"stop\":{deep}")))
        .await;
}

#[tokio::test]
async fn numbers_out_of_bounds_are_refused_by_name() {
    let router = supplier();
    for (more, name) in [
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"max_tokens": -5}), "max_tokens"),
        (json!({"n": 0}), "n"),
        (json!({"n": 1_000_000}), "n"),
        (json!({"temperature": -1}), "temperature"),
        (json!({"top_p": -0.1}), "top_p"),
        (json!({"top_k": -7}), "top_k"),
        (json!({"min_p": 2}), "min_p"),
        (json!({"presence_penalty": 3}), "presence_penalty"),
        (json!({"frequency_penalty": -3}), "frequency_penalty"),
        (json!({"logit_bias": {"1": 200}}), "logit_bias"),
        (json!({"logit_bias": {"-1": 2}}), "logit_bias"),
        (json!({"seed": "x"}), "seed"),
        (json!({"stop": vec!["x"; 10_000]}), "stop"),
        (json!({"stop": ["x".repeat(5_000)]}), "stop"),
        (json!({"stop": [""]}), "stop"),
        (json!({"logprobs": true, "top_logprobs": 21}), "logprobs"),
        (json!({"top_logprobs": 3}), "logprobs"),
    ] {
        let message = refused(&router, chat(more.clone())).await;
        assert!(message.contains(name), "{more}: {message}");
    }
}

#[tokio::test]
async fn what_is_not_done_here_is_refused_and_not_ignored() {
    let router = supplier();
    for (more, name) in [
        (json!({"functions": [{"name": "f"}]}), "functions"),
        (json!({"suffix": "."}), "suffix"),
        (json!({"echo": "yes"}), "echo"),
        (json!({"best_of": 2}), "best_of"),
        (json!({"tool_choice": "required"}), "tool_choice"),
    ] {
        let (status, answer) = send(&router, "/v1/chat/completions", chat(more.clone())).await;
        assert_eq!((status, &answer["error"]["param"]), (400, &json!(name)), "{more}: {answer}");
    }
    let many = json!({"model": "demo", "prompt": vec!["The"; 64], "n": 3, "max_tokens": 1});
    let (status, answer) = send(&router, "/v1/completions", many.to_string()).await;
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("n")), "{answer}");
    let endless = json!({"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}});
    let message = refused(&router, chat(json!({"response_format": endless}))).await;
    assert!(!message.contains("state"), "{message}");
}

#[tokio::test]
async fn a_model_is_told_of_by_its_name() {
    let router = supplier();
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (status, model) = get("/v1/models/demo").await;
    assert_eq!((status, &model["id"], &model["object"]), (200, &json!("demo"), &json!("model")));
    let (status, answer) = get("/v1/models/other/one").await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("model_not_found")));
    let (status, answer) = get("/v1/models/%ff").await;
    assert!(status == 404 && answer["error"]["message"].is_string(), "{status} {answer}");
}

#[tokio::test]
async fn a_prompt_beyond_the_context_is_refused_before_it_is_read() {
    let router = supplier();
    let long = json!({"messages": [{"role": "user", "content": "the ".repeat(150_000)}]});
    let (status, answer) = send(&router, "/v1/chat/completions", chat(long)).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("context_length_exceeded")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("tokens"), "{answer}");
}

#[tokio::test]
async fn odd_but_allowed_requests_are_served() {
    let router = supplier();
    for more in [
        json!({"logit_bias": {"4000000000": 5, "3": -100}}),
        json!({"n": 16, "temperature": 2, "seed": -1}),
        json!({"seed": u64::MAX}),
        json!({"top_k": 1_000_000, "top_p": 1, "temperature": 1}),
        json!({"top_k": -1, "temperature": 1}),
        json!({"temperature": 1e-30}),
        json!({"stop": null, "tools": null, "logprobs": null, "unknown": {"a": [1]}}),
        json!({"max_tokens": u32::MAX, "stop": ["a", "e", "i"]}),
        json!({"logprobs": true, "top_logprobs": 20}),
    ] {
        let (status, answer) = send(&router, "/v1/chat/completions", chat(more.clone())).await;
        assert_eq!(status, 200, "{more}: {answer}");
        assert!(answer["usage"]["completion_tokens"].is_u64());
    }
}

#[tokio::test]
async fn log_probabilities_are_told_for_every_token_and_add_up() {
    let router = supplier();
    let (_, answer) =
        send(&router, "/v1/chat/completions", chat(json!({"logprobs": true, "top_logprobs": 5})))
            .await;
    let content = answer["choices"][0]["logprobs"]["content"].as_array().unwrap();
    let text: String = content.iter().map(|entry| entry["token"].as_str().unwrap()).collect();
    assert_eq!(text, answer["choices"][0]["message"]["content"].as_str().unwrap());
    for entry in content {
        let top = entry["top_logprobs"].as_array().unwrap();
        assert_eq!((top.len(), &top[0]["logprob"]), (5, &entry["logprob"]));
        assert!(top.windows(2).all(|w| w[0]["logprob"].as_f64() >= w[1]["logprob"].as_f64()));
    }
}
