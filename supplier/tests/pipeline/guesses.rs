//! Tokens guessed ahead change no answer: not its events, not its evidence, on one box and over several.

use super::boxes::{Crew, Setting, alone_guessing};
use super::figure;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Requests that are compared, and how many of them run side by side.
const CASES: usize = 24;
const SIDE_BY_SIDE: usize = 4;

const PROMPTS: [&str; 4] = [
    "The capital of France is Paris. The capital of France is",
    "1 2 3 4 1 2 3 4 1 2 3 4 1 2",
    "A dog has four legs. A dog has four legs. A dog has",
    "What is the capital of Spain?",
];

fn schema() -> Value {
    let item = json!({ "type": "object", "properties": { "city": { "enum": ["Paris", "Rome"] }, "large": { "type": "boolean" } },
        "required": ["city", "large"], "additionalProperties": false });
    let list = json!({ "type": "array", "items": item, "minItems": 4, "maxItems": 6 });
    json!({ "type": "json_schema", "json_schema": { "name": "cities", "schema": list } })
}

/// A request of random settings.
fn request() -> impl Strategy<Value = Value> {
    let penalty = || prop_oneof![Just(0.0f32), -0.5f32..0.9];
    let sampling = (prop_oneof![Just(0.0f32), 0.1f32..1.6], penalty(), penalty(), 0.9f32..1.3);
    let form = (0..PROMPTS.len(), any::<bool>(), 0..3usize, 1..64u64, any::<bool>());
    (sampling, form).prop_map(|((temperature, frequency, presence, repetition), form)| {
        let (prompt, schemed, stops, tokens, logprobs) = form;
        let stop = &["legs", "Par"][..stops];
        let mut body = json!({
            "model": "demo", "stream": true, "max_tokens": tokens, "temperature": temperature,
            "frequency_penalty": frequency, "presence_penalty": presence, "repetition_penalty": repetition,
            "messages": [{ "role": "user", "content": PROMPTS[prompt] }],
            "stop": stop, "logprobs": logprobs,
        });
        if schemed {
            body["response_format"] = schema();
        }
        body
    })
}

/// The events of an answer without what differs each time, and its evidence.
async fn ask(router: &Router, body: &Value, seed: u64) -> (Vec<String>, Vec<u8>) {
    let tag = format!("{seed:064x}");
    let request = Request::post("/v1/chat/completions")
        .header(SEED_HEADER, format!("{seed:016x}"))
        .header(EVIDENCE_HEADER, &tag);
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let event = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(mut event) => {
            (event["id"], event["created"]) = (Value::Null, Value::Null);
            event.to_string()
        }
        Err(_) => line.to_owned(),
    };
    let events = text.lines().filter_map(|line| line.strip_prefix("data: ")).map(event).collect();
    let evidence = Request::get(format!("{EVIDENCE_PATH}{tag}")).body(Body::empty()).unwrap();
    let evidence = router.clone().oneshot(evidence).await.unwrap();
    let evidence = evidence.into_body().collect().await.unwrap().to_bytes().to_vec();
    assert!(evidence.len() > 16, "there is evidence of {text}");
    (events, evidence)
}

/// All answers, so many of them made side by side.
async fn all(router: &Router, bodies: &[Value], side: usize) -> Vec<(Vec<String>, Vec<u8>)> {
    let mut said = Vec::new();
    for (at, some) in bodies.chunks(side).enumerate() {
        let seed = |i: usize| 1 + (at * side + i) as u64;
        let asked = some.iter().enumerate().map(|(i, body)| ask(router, body, seed(i)));
        said.extend(futures::future::join_all(asked).await);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_evidence_are_the_same_with_guesses_on_one_box_and_on_up_to_four() {
    let mut runner = TestRunner::deterministic();
    let mut one = || request().new_tree(&mut runner).unwrap().current();
    let bodies: Vec<Value> = (0..CASES).map(|_| one()).collect();
    let expected = all(&alone_guessing(0), &bodies, SIDE_BY_SIDE).await;
    assert!(expected.iter().all(|(events, _)| events.last().unwrap() == "[DONE]"), "{expected:?}");
    let guessed = "lode_supplier_speculated_tokens_total";
    let right = "lode_supplier_speculated_tokens_accepted_total";
    let router = alone_guessing(7);
    // One box guesses for an answer that is alone.
    assert_eq!(all(&router, &bodies, 1).await, expected, "on one box");
    assert!(figure(&router, right).await > 0.0, "{} guesses", figure(&router, guessed).await);
    for (head, cuts) in [
        (None, vec!["0..8"]),
        (Some(1), vec!["1..4", "4..8"]),
        (Some(1), vec!["1..3", "3..6", "6..8"]),
    ] {
        let setting = Setting { head, cuts: cuts.clone(), speculation: 7, ..Setting::default() };
        let crew = Crew::new(setting).await;
        assert_eq!(all(&crew.router, &bodies, SIDE_BY_SIDE).await, expected, "cut at {cuts:?}");
        let (all, right) = (figure(&crew.router, guessed).await, figure(&crew.router, right).await);
        assert!(right > 0.0, "{all} guesses over {cuts:?}");
    }
}
