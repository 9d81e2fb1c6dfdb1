//! Loads an OpenAI-compatible server: `load URL MODEL [CLIENTS] [SECONDS] [TOKEN [WORDS]]`. Each client sends
//! one stream after the other, prompts and answers of mixed lengths, and all of them are told of together.
//! TOKEN is never said: the one that ends answers, so that they get as long as was asked for. With WORDS one
//! more client sends prompts of so many words, one after the other, and is told of alone.

use futures::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What one answer was like.
#[derive(Default)]
struct Seen {
    first: Option<Duration>,
    between: Vec<Duration>,
    tokens: u64,
    failed: bool,
}

/// Answers of so many tokens at most, in turns.
const LENGTHS: [u64; 4] = [16, 64, 128, 256];

/// Words of prompts, in turns.
const PROMPTS: [usize; 5] = [4, 32, 8, 128, 16];

/// What is asked for at a turn.
fn usual(model: &str, banned: Option<&String>, turn: usize) -> Value {
    let prompt = "the capital of France is ".repeat(PROMPTS[turn % PROMPTS.len()] / 4);
    let mut body = json!({
        "model": model, "prompt": prompt, "stream": true, "temperature": 1, "seed": turn,
        "max_tokens": LENGTHS[turn % LENGTHS.len()], "stream_options": {"include_usage": true},
    });
    if let Some(token) = banned {
        body["logit_bias"] = json!({ token: -100 });
    }
    body
}

/// A prompt of so many words that begins otherwise at each turn.
fn long(model: &str, words: usize, turn: usize) -> Value {
    let prompt = format!("{turn} ") + &"the capital of France is ".repeat(words / 5);
    json!({ "model": model, "prompt": prompt, "stream": true, "max_tokens": 8, "temperature": 1 })
}

async fn one(client: &reqwest::Client, url: &str, body: Value) -> Seen {
    let (began, mut seen, mut last) = (Instant::now(), Seen::default(), Instant::now());
    let sent = client.post(format!("{url}/v1/completions")).json(&body).send().await;
    let Ok(answer) = sent.and_then(reqwest::Response::error_for_status) else {
        return Seen { failed: true, ..seen };
    };
    let (mut pieces, mut rest) = (answer.bytes_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return Seen { failed: true, ..seen } };
        rest.extend_from_slice(&piece);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let Ok(event) = serde_json::from_slice::<Value>(data) else { continue };
            let text = event["choices"][0]["text"].as_str().unwrap_or_default();
            if !text.is_empty() {
                match seen.first {
                    None => seen.first = Some(began.elapsed()),
                    Some(_) => seen.between.push(last.elapsed()),
                }
                last = Instant::now();
                seen.tokens += 1;
            }
            if let Some(tokens) = event["usage"]["completion_tokens"].as_u64() {
                seen.tokens = tokens;
            }
        }
    }
    seen
}

fn at(sorted: &[Duration], part: f64) -> String {
    let place = (sorted.len() as f64 * part) as usize;
    let value = sorted.get(place.min(sorted.len().saturating_sub(1))).copied();
    format!("{:.1} ms", value.unwrap_or_default().as_secs_f64() * 1e3)
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(url), Some(model)) = (args.first().cloned(), args.get(1).cloned()) else {
        eprintln!("load URL MODEL [CLIENTS] [SECONDS] [TOKEN [WORDS]]");
        return;
    };
    let number = |at: usize, or: usize| args.get(at).and_then(|n| n.parse().ok()).unwrap_or(or);
    let (clients, seconds) = (number(2, 32), number(3, 30));
    let client = reqwest::Client::new();
    let began = Instant::now();
    let work: Vec<_> = (0..clients)
        .map(|i| {
            let (client, url, model) = (client.clone(), url.clone(), model.clone());
            let banned = args.get(4).cloned();
            tokio::spawn(async move {
                let (mut all, mut turn) = (Vec::new(), i);
                while began.elapsed() < Duration::from_secs(seconds as u64) {
                    all.push(one(&client, &url, usual(&model, banned.as_ref(), turn)).await);
                    turn += clients;
                }
                all
            })
        })
        .collect();
    let words = number(5, 0);
    let beside = async {
        let mut seen = Vec::new();
        while words > 0 && began.elapsed() < Duration::from_secs(seconds as u64) {
            seen.push(one(&client, &url, long(&model, words, seen.len())).await);
        }
        seen
    };
    let (all, beside) = futures::join!(futures::future::join_all(work), beside);
    let all: Vec<Seen> = all.into_iter().flatten().flatten().collect();
    let took = began.elapsed().as_secs_f64();
    let tokens: u64 = all.iter().map(|seen| seen.tokens).sum();
    let failed = all.iter().filter(|seen| seen.failed).count();
    let mut first: Vec<Duration> = all.iter().filter_map(|seen| seen.first).collect();
    let mut between: Vec<Duration> = all.iter().flat_map(|seen| seen.between.clone()).collect();
    first.sort_unstable();
    between.sort_unstable();
    println!("{clients} clients, {:.0} s: {} answers, {failed} failed", took, all.len());
    println!("{:.0} tokens/s", tokens as f64 / took);
    println!("first text: p50 {}, p95 {}", at(&first, 0.5), at(&first, 0.95));
    let [half, most, all] = [0.5, 0.95, 1.0].map(|part| at(&between, part));
    println!("between texts: p50 {half}, p95 {most}, at most {all}");
    if words > 0 {
        let mut first: Vec<Duration> = beside.iter().filter_map(|seen| seen.first).collect();
        first.sort_unstable();
        let (half, failed) = (at(&first, 0.5), beside.iter().filter(|seen| seen.failed).count());
        let count = beside.len();
        println!(
            "beside them {count} prompts of {words} words, {failed} failed: first text p50 {half}"
        );
    }
}
