//! A supplier before another server, which may be slow, gone, or lie.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use daemon::Stop;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use meter::Meter;
use proto::evidence::{Evidence, Shown};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use supplier::config::{Limits, Server};
use supplier::remote::{Parts, router};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// What the fake server was asked.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Vec<Value>>>);

async fn models() -> Response {
    axum::Json(json!({"data": [{"id": "theirs"}]})).into_response()
}

async fn answer(State(fake): State<Fake>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    fake.0.lock().unwrap().push(asked.clone());
    let prompt = asked["prompt"].as_str().unwrap();
    let logprobs = json!({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -1.5}]});
    let event = |text: &str, finish: Value| {
        let choice =
            json!({"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish});
        Bytes::from(format!("data: {}\n\n", json!({"model": "theirs", "choices": [choice]})))
    };
    let usage = |tokens: u64| {
        let usage =
            json!({"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens});
        Bytes::from(format!(
            "data: {}\n\n",
            json!({"model": "theirs", "choices": [], "usage": usage})
        ))
    };
    let done = Bytes::from_static(b"data: [DONE]\n\n");
    let two = vec![event("a", Value::Null), event(" b", Value::Null)];
    let events = match prompt {
        "lie" => [two, vec![event("", "stop".into()), usage(9_999), done]].concat(),
        "close" => two,
        "garbage" => [two, vec![Bytes::from_static(b"data: {\"choi\n\n")]].concat(),
        "stall" => return streamed(stream::iter(two).chain(stream::pending())),
        "silent" => std::future::pending().await,
        "error" => return (StatusCode::INTERNAL_SERVER_ERROR, "no").into_response(),
        "wrong" => {
            let error = json!({"error": {"message": "top_k is odd"}});
            return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
        }
        "whole" => {
            let choice =
                json!({"index": 0, "text": "a b", "logprobs": logprobs, "finish_reason": "stop"});
            let usage = json!({"prompt_tokens": 99, "completion_tokens": 99, "total_tokens": 198});
            let whole = json!({"model": "theirs", "choices": [choice], "usage": usage});
            return axum::Json(whole).into_response();
        }
        _ => [two, vec![event("", "stop".into()), usage(2), done]].concat(),
    };
    streamed(stream::iter(events))
}

fn streamed(events: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    Response::new(Body::from_stream(events.map(Ok::<_, Infallible>)))
}

async fn supplier() -> (Router, Fake, Stop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let fake = Fake::default();
    let server = Router::new()
        .route("/v1/models", get(models))
        .route("/v1/completions", post(answer))
        .with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, server).await });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let server = Server {
        url,
        model: Some("theirs".to_owned()),
        idle_ms: 300,
        first_token_ms: 300,
        ..Server::default()
    };
    let stop = Stop::new();
    let parts = Parts {
        server,
        api_key: None,
        child: None,
        meter: Arc::new(Meter::load(&folder).unwrap()),
        name: "demo".to_owned(),
        limits: Limits::default(),
    };
    let router = router(parts, stop.clone()).unwrap();
    while fetch(&router, "/readyz").await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    fake.0.lock().unwrap().clear();
    (router, fake, stop)
}

async fn fetch(router: &Router, path: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

/// The status of an answer, what came of it, and whether it came to its end.
async fn ask(router: &Router, prompt: &str, more: Value) -> (StatusCode, String, bool) {
    let mut body = json!({"model": "demo", "prompt": prompt, "max_tokens": 20});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = Request::post("/v1/completions")
        .header("x-lode-evidence", "ab12")
        .header("x-lode-seed", "8000000000000000")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let (mut body, mut text) = (response.into_body(), String::new());
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap()),
            Err(_) => return (status, text, false),
        }
    }
    (status, text, true)
}

async fn figure(router: &Router, name: &str) -> String {
    let text = String::from_utf8(fetch(router, "/metrics").await.1).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_clients_answer_is_plain_and_the_evidence_is_kept_apart() {
    let (router, fake, _stop) = supplier().await;
    let (status, text, whole) = ask(&router, "say", json!({"stream": true})).await;
    assert!(status == StatusCode::OK && whole, "{status} {text}");
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains(r#""model":"demo""#), "{text}");
    assert!(
        !text.contains("theirs") && !text.contains("-0.5") && !text.contains("usage"),
        "{text}"
    );
    let asked = fake.0.lock().unwrap().remove(0);
    assert_eq!((&asked["model"], &asked["logprobs"]), (&json!("theirs"), &json!(5)));
    assert_eq!(asked["seed"], 1u64 << 62);
    let evidence = Evidence::decode(&fetch(&router, "/lode/evidence/ab12").await.1).unwrap();
    let Shown::Tops(choices) = evidence.shown else { panic!("{evidence:?}") };
    assert_eq!((choices[0].len(), choices[0][0].said.micro), (3, -500_000));
}

#[tokio::test]
async fn a_client_that_asks_for_log_probabilities_and_usage_gets_them() {
    let (router, _, _stop) = supplier().await;
    let more = json!({"stream": true, "logprobs": 2, "stream_options": {"include_usage": true}});
    let (_, text, _) = ask(&router, "lie", more).await;
    assert!(text.contains("-0.5") && text.contains(r#""completion_tokens":"#), "{text}");
    assert!(!text.contains("9999"), "usage is counted anew: {text}");
    assert_eq!(figure(&router, "lode_supplier_usage_wrong_total").await, "1");
}

#[tokio::test]
async fn a_whole_answers_usage_is_counted_anew() {
    let (router, _, _stop) = supplier().await;
    let (status, text, _) = ask(&router, "whole", json!({})).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["model"]), (StatusCode::OK, &json!("demo")));
    assert_ne!(answer["usage"]["completion_tokens"], 99);
    assert_eq!(answer["choices"][0]["logprobs"], Value::Null);
}

#[tokio::test]
async fn an_answer_that_ends_early_is_never_taken_for_whole() {
    let (router, _, _stop) = supplier().await;
    for prompt in ["close", "stall", "garbage"] {
        let (status, text, whole) = ask(&router, prompt, json!({"stream": true})).await;
        assert_eq!((status, whole), (StatusCode::OK, false), "{prompt}");
        assert!(text.contains(r#""text":" b""#) && !text.contains("[DONE]"), "{prompt}: {text}");
    }
    // What was said is evidence also then.
    let evidence = Evidence::decode(&fetch(&router, "/lode/evidence/ab12").await.1).unwrap();
    assert_eq!(evidence.kind(), "tops");
}

#[tokio::test]
async fn a_server_that_fails_is_an_error_in_openais_shape() {
    let (router, _, _stop) = supplier().await;
    for (prompt, expected) in [("error", 502), ("wrong", 400), ("silent", 504)] {
        let (status, text, _) = ask(&router, prompt, json!({"stream": true})).await;
        assert_eq!(status.as_u16(), expected, "{prompt}: {text}");
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(error["error"]["message"].is_string(), "{text}");
    }
}

#[tokio::test]
async fn nobody_is_served_while_the_server_does_not_name_the_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    let server = Server { url: "http://127.0.0.1:1".to_owned(), ..Server::default() };
    let (meter, stop) = (Arc::new(Meter::load(&folder).unwrap()), Stop::new());
    let (name, limits) = ("demo".to_owned(), Limits::default());
    let parts = Parts { server, api_key: None, child: None, meter, name, limits };
    let router = router(parts, stop.clone()).unwrap();
    assert_eq!(ask(&router, "say", json!({})).await.0, StatusCode::BAD_GATEWAY);
    assert_eq!(fetch(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    stop.ask();
}
