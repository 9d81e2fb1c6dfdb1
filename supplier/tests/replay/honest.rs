//! Honest relays, in all the ways in which a client can ask.

use crate::stand::{Served, chat, completion, demo, replayer, serve, supplier};
use axum::Router;
use futures::future::join_all;
use meter::Endpoint;
use serde_json::{Value, json};
use supplier::replay::{Report, Verdict};

fn requests() -> Vec<(Endpoint, Value)> {
    let tool = json!([{"type": "function", "function": {
        "name": "look", "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"]},
    }}]);
    let schema = json!({"type": "json_schema", "json_schema": {"name": "city", "schema": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"],
    }}});
    let mut all = Vec::new();
    for temperature in [0.0, 0.3, 1.0, 1.9] {
        all.push(chat(json!({"temperature": temperature})));
        all.push(chat(json!({"temperature": temperature, "stream": true, "top_k": 5})));
        all.push(completion(json!({"temperature": temperature, "top_p": 0.8, "n": 3})));
        all.push(completion(json!({"temperature": temperature, "min_p": 0.05, "stream": true})));
    }
    all.extend([
        chat(json!({"presence_penalty": 1.5, "frequency_penalty": 0.5, "temperature": 1.5})),
        chat(json!({"repetition_penalty": 1.3, "temperature": 1.2, "n": 2, "stream": true})),
        chat(json!({"logit_bias": {"5": 4, "77": -100}, "temperature": 1.4})),
        chat(json!({"seed": 7, "temperature": 1.4, "logprobs": true, "top_logprobs": 3})),
        chat(json!({"stop": ["Par", "is"], "temperature": 0.0})),
        chat(json!({"stop": ["e"], "temperature": 1.7, "n": 4, "stream": true})),
        chat(json!({"max_tokens": 1, "temperature": 1.0})),
        chat(json!({"max_tokens": 17, "temperature": 1.9, "stream": true})),
        chat(json!({"response_format": {"type": "json_object"}, "temperature": 1.0})),
        chat(json!({"response_format": schema, "temperature": 1.6, "stream": true})),
        chat(json!({"tools": tool, "tool_choice": "required", "temperature": 1.3})),
        chat(json!({"tools": tool, "temperature": 0.9, "stream": true})),
        completion(
            json!({"prompt": ["The capital of", "One and two is"], "n": 2, "temperature": 1.1}),
        ),
        completion(
            json!({"prompt": "The capital of France is Paris. ".repeat(6), "temperature": 1.0}),
        ),
    ]);
    all
}

async fn all(router: &Router) -> Vec<Served> {
    let requests = requests().into_iter().enumerate();
    join_all(requests.map(|(i, request)| serve(router, request, i as u64 * 977, None))).await
}

fn same(report: &Report, served: &Served) {
    let asked = String::from_utf8_lossy(&served.body);
    assert_eq!(report.verdict, Verdict::Same, "{report:?} of {asked}");
    assert!(report.tokens > 0 && report.finding.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_answers_come_out_the_same_on_any_number_of_threads() {
    let (router, replayer) = (supplier(&demo()), replayer());
    // The second time, prompts come from the cache.
    let served = [all(&router).await, all(&router).await].concat();
    for (i, served) in served.iter().enumerate() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + i % 3).build().unwrap();
        same(&pool.install(|| served.judged_by(&replayer)), served);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_a_client_left_comes_out_the_same() {
    let (router, replayer) = (supplier(&demo()), replayer());
    for pieces in [2, 3, 9, 20] {
        for n in [1, 3] {
            let request = chat(json!({"stream": true, "temperature": 1.6, "n": n}));
            let served = serve(&router, request, pieces as u64, Some(pieces)).await;
            same(&served.judged_by(&replayer), &served);
        }
    }
}

#[tokio::test]
async fn a_client_that_gives_a_seed_gets_the_same_answer_from_every_relay() {
    let router = supplier(&demo());
    let mut texts = Vec::new();
    for relay in [1, 2] {
        let request = chat(json!({"seed": 11, "temperature": 1.5}));
        let served = serve(&router, request, relay, None).await;
        let answer: Value = serde_json::from_slice(&served.answer).unwrap();
        texts.push(answer["choices"].clone());
    }
    assert_eq!(texts[0], texts[1]);
}
