//! Everybody counts alike, wherever the network cuts and whatever it brings.
#![allow(clippy::unwrap_used)]

use meter::{Delivered, Ending, Endpoint, Meter};
use proptest::prelude::*;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

fn meter() -> Arc<Meter> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
    Arc::new(Meter::load(&folder).unwrap())
}

fn stream(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for letter in text.chars() {
        let chunk = json!({"choices": [{"index": 0, "delta": {"content": letter.to_string()}}]});
        bytes.extend(format!("data: {chunk}\n\n").as_bytes());
    }
    bytes.extend(b"data: [DONE]\n\n");
    bytes
}

#[test]
fn a_stream_counts_like_the_same_text_in_one_piece() {
    let (meter, text) = (meter(), "The capital of France is Paris. Ünïcödé 🦀");
    let mut streamed = Delivered::new(meter.clone(), true);
    streamed.push(&stream(text));
    let mut whole = Delivered::new(meter.clone(), false);
    let answer =
        json!({"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]});
    whole.push(answer.to_string().as_bytes());
    assert_eq!((streamed.out(), streamed.ending()), (meter.count(text), Ending::Whole));
    assert_eq!((whole.out(), whole.ending()), (meter.count(text), Ending::Whole));
}

#[test]
fn an_error_is_garbage_and_half_an_answer_is_open() {
    let mut error = Delivered::new(meter(), false);
    error.push(br#"{"error":{"message":"no"}}"#);
    assert_eq!(error.ending(), Ending::Garbage);
    let mut half = Delivered::new(meter(), true);
    half.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hel");
    assert_eq!((half.out(), half.ending()), (0, Ending::Open));
    let mut open = Delivered::new(meter(), false);
    open.push(b"{\"choices\":[");
    assert_eq!(open.ending(), Ending::Open);
}

#[test]
fn a_role_says_nothing_yet() {
    let begun = |delta: serde_json::Value, finish: Option<&str>| {
        let mut stream = Delivered::new(meter(), true);
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        stream.push(format!("data: {}\n\n", json!({"choices": [choice]})).as_bytes());
        stream.has_begun()
    };
    assert!(!begun(json!({"role": "assistant", "content": ""}), None));
    assert!(begun(json!({"content": "Hi"}), None));
    assert!(begun(json!({"reasoning": "Hm"}), None));
    assert!(begun(json!({"tool_calls": [{"function": {"name": "add"}}]}), None));
    assert!(begun(json!({}), Some("stop")));
}

#[test]
fn a_request_is_counted_and_its_faults_are_named() {
    let meter = meter();
    let asked = |body: serde_json::Value| meter.read(Endpoint::Chat, body.to_string().as_bytes());
    let messages = json!([{"role": "user", "content": "Hello!"}]);
    let plain = asked(json!({"model": "m", "messages": messages})).unwrap();
    assert_eq!(plain.prompt_tokens() + plain.max_tokens, u64::from(meter.context_max()));
    let parts = json!([{"role": "user", "content": [{"type": "text", "text": "Hello!"}]}]);
    assert_eq!(asked(json!({"model": "m", "messages": parts})).unwrap().prompts, plain.prompts);
    let short =
        asked(json!({"model": "m", "messages": messages, "max_tokens": 7, "n": 2})).unwrap();
    assert_eq!(short.out_max(), 14);
    for (body, param) in [
        (json!({"messages": messages}), Some("model")),
        (json!({"model": "m"}), Some("messages")),
        (json!({"model": "m", "messages": messages, "max_tokens": 0}), Some("max_tokens")),
        (json!({"model": "m", "messages": messages, "n": 1000}), Some("n")),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": "word ".repeat(2000)}]}),
            Some("messages"),
        ),
        (json!([1]), None),
    ] {
        assert_eq!(asked(body.clone()).unwrap_err().param, param, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_does_not_matter_where_the_network_cuts(
        text in "[a-zA-Zäö .!🦀]{0,60}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)
    ) {
        let (meter, bytes) = (meter(), stream(&text));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut delivered = Delivered::new(meter.clone(), true);
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            delivered.push(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!((delivered.out(), delivered.ending()), (meter.count(&text), Ending::Whole));
    }

    #[test]
    fn hostile_bytes_are_bounded_and_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400), stream: bool
    ) {
        let mut delivered = Delivered::new(meter(), stream);
        delivered.push(b"data: ");
        delivered.push(&bytes);
        delivered.push(b"\n\n");
        delivered.out();
        delivered.ending();
        prop_assert!(meter().read(Endpoint::Chat, &bytes).is_err());
    }
}
