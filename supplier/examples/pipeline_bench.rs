//! One model over several boxes on this machine:
//! `pipeline_bench [BOXES [HOP_MS [ANSWERS [TOKENS [GROUPS [SPECULATION [TEXT [KILL]]]]]]]]`.
//!
//! Each box is one thread with its share of a Llama of random weights (Q8_0); a proxy holds what
//! passes from box to box for HOP_MS. SPECULATION is how many tokens are guessed ahead. With TEXT at 0
//! answers never repeat themselves; at 1 they are JSON lists, whose keys come again, cut into tokens as
//! it happens; at 2 they say the same again and again. Prints tokens a second, how much of the closed
//! form's optimum that is, what guesses came to, and, with KILL at 1, how long nothing was said when a
//! box was killed half way.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../engine/tests/families/build.rs"]
mod build;
mod wire;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use build::{Format, Spec};
use daemon::Stop;
use engine::{Kind, Outline};
use futures::StreamExt;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use supplier::link::{Keys, LinkKey, PeerKey};
use supplier::pipeline::{Pipeline, Settings, StageAt};
use supplier::plan::{Place, Problem};
use supplier::{Defaults, Parts, config::Limits, stage};
use tokio::net::TcpListener;

const LAYERS: usize = 12;

fn argument(at: usize, usual: usize) -> usize {
    std::env::args().nth(at).map_or(usual, |text| text.parse().unwrap())
}

fn main() {
    // Each box has one core.
    engine::limit_threads(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(bench());
    runtime.shutdown_background();
}

async fn bench() {
    let (boxes, hop) = (argument(1, 2), Duration::from_millis(argument(2, 0) as u64));
    let (answers, tokens) = (argument(3, 8), argument(4, 60));
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    let curve = stage::curve(folder.path(), u64::MAX).unwrap();
    let ends = stage::ends(folder.path()).unwrap();
    let (router, stops) = crew(folder.path(), boxes, hop, argument(5, 0), &curve).await;
    run(&router, answers, 4).await;
    let guesses = figures(&router, "speculated").await;
    let (took, _) = run(&router, answers, tokens).await;
    let measured = (answers * (tokens - 1)) as f64 / took.as_secs_f64();
    let (groups, most) = optimum((&curve, &ends), boxes, hop, answers);
    println!(
        "boxes {boxes}, hop {hop:?}, {answers} answers: {measured:.1} tokens/s; closed form {most:.1} with {groups} groups; {:.0} %",
        100.0 * measured / most
    );
    for (before, after) in guesses.iter().zip(figures(&router, "speculated").await) {
        println!("{} in {} before", after, before.rsplit(' ').next().unwrap_or_default());
    }
    for line in figures(&router, "_sum").await {
        println!("{line}");
    }
    if boxes > 1 && argument(8, 0) > 0 {
        let half = took / 2;
        let last = stops.last().unwrap().clone();
        let killed = tokio::spawn(async move {
            tokio::time::sleep(half).await;
            last.ask();
        });
        let (_, silent) = run(&router, answers, tokens).await;
        killed.await.unwrap();
        println!("a box was killed half way: nothing was said for {silent:?}, no answer was lost");
        figures(&router, "reread_total ").await.iter().for_each(|line| println!("{line}"));
    }
}

/// The figures whose lines have this in them.
async fn figures(router: &Router, what: &str) -> Vec<String> {
    let metrics = Request::get("/metrics").body(Body::empty()).unwrap();
    let metrics = tower::ServiceExt::oneshot(router.clone(), metrics).await.unwrap();
    let text = axum::body::to_bytes(metrics.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let lines = text.lines().filter(|line| line.contains(what) && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

fn model(folder: &Path) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo");
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(demo.join(name), folder.join(name)).unwrap();
    }
    let vocabulary = Outline::read(&demo).unwrap().vocabulary;
    let spec = Spec {
        hidden: 768,
        feed_forward: 2048,
        layers: LAYERS,
        heads: 12,
        kv_heads: 12,
        head: 64,
        vocabulary,
        ..Spec::all()[0].clone()
    };
    build::write(&spec, Format::Gguf(Kind::Q8_0), folder);
}

/// What the formula says is best, where every box has as many layers.
fn optimum(
    (curve, ends): (&[(u32, u32)], &[(u32, u32)]),
    boxes: usize,
    hop: Duration,
    answers: usize,
) -> (usize, f64) {
    let share = |i: usize| LAYERS / boxes + usize::from(i < LAYERS % boxes);
    let place = |i: usize| Place {
        name: String::new(),
        curve: curve.to_vec(),
        most: LAYERS,
        ends: if i == 0 { ends.to_vec() } else { Vec::new() },
    };
    let hops = vec![vec![hop.as_micros() as f64; boxes]; boxes];
    let places = (0..boxes).map(place).collect();
    let problem = Problem { layers: LAYERS, places, hops, answers, shard: true };
    let stages: Vec<(usize, usize)> = (0..boxes).map(|i| (i, share(i))).collect();
    let of = |groups: usize| (groups, answers as f64 * 1e6 / problem.cycle(&stages, groups));
    let groups = if boxes == 1 { 1 } else { answers.min(12) };
    (1..=groups).map(of).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

async fn crew(
    folder: &Path,
    boxes: usize,
    hop: Duration,
    groups: usize,
    curve: &[(u32, u32)],
) -> (Router, Vec<Stop>) {
    let key = folder.join("link.key");
    let head = LinkKey::open(&key).unwrap().public();
    let (mut at, mut stops) = (Vec::new(), Vec::new());
    // One box more than is needed stands by for the last.
    for i in 1..boxes + usize::from(boxes > 1) {
        let i = i.min(boxes - 1);
        let from = |i: usize| i * (LAYERS / boxes) + i.min(LAYERS % boxes);
        let (key, address, stop) = run_stage(folder, head, hop, curve).await;
        let layers = format!("{}..{}", from(i), from(i + 1)).parse().unwrap();
        at.push(StageAt { address, key: key.to_string(), layers: Some(layers) });
        stops.push(stop);
    }
    stops.truncate(boxes.max(2) - 1);
    let settings = Settings { key, groups, ..Settings::default() };
    let speculation = argument(6, 0);
    let limits = Limits { sequences: 64, cache_mib: 4096, speculation, ..Limits::default() };
    let (meter, name) = (Arc::new(meter::Meter::load(folder).unwrap()), "bench".to_owned());
    let parts = |model| Parts { model, meter, name, defaults: Defaults::default(), limits };
    if at.is_empty() {
        let model = engine::Model::load(folder).unwrap();
        return (supplier::router(parts(model), Stop::new()).unwrap(), stops);
    }
    let pipeline = Pipeline::new(settings, &at, folder, 1 << 34).unwrap();
    let parts = parts(pipeline.ends().unwrap());
    (supplier::front(Some(pipeline), parts, Stop::new()).unwrap().router, stops)
}

async fn run_stage(
    folder: &Path,
    head: PeerKey,
    hop: Duration,
    curve: &[(u32, u32)],
) -> (PeerKey, String, Stop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = slow.local_addr().unwrap().to_string();
    wire::slow(slow, listener.local_addr().unwrap(), hop);
    let (key, stop) = (LinkKey::new().unwrap(), Stop::new());
    let parts = stage::Parts {
        model: folder.to_owned(),
        outline: Outline::read(folder).unwrap(),
        keys: Keys::new(&key).unwrap(),
        heads: vec![head],
        fixed: None,
        weights_bytes: 1 << 34,
        cache_bytes: 1 << 32,
        curve: curve.to_vec(),
        admin: None,
    };
    tokio::spawn(stage::serve(parts, listener, stop.clone()));
    (key.public(), address, stop)
}

/// A list that is longer than any answer.
fn list() -> serde_json::Value {
    let item = json!({
        "type": "object",
        "properties": {
            "city": { "enum": ["Paris", "Rome", "Madrid", "Berlin"] },
            "capital": { "type": "boolean" },
            "country": { "enum": ["France", "Italy", "Spain", "Germany"] },
        },
        "required": ["city", "capital", "country"],
        "additionalProperties": false,
    });
    let schema = json!({ "type": "array", "items": item, "minItems": 100, "maxItems": 200 });
    json!({ "type": "json_schema", "json_schema": { "name": "cities", "schema": schema } })
}

/// Streams answers side by side; the time from the first text to the last, and the longest silence.
async fn run(router: &Router, answers: usize, tokens: usize) -> (Duration, Duration) {
    let one = |i: usize| {
        let mut body = json!({
            "model": "bench", "prompt": format!("number {i}"), "max_tokens": tokens, "stream": true,
            "temperature": 1, "seed": i, "logit_bias": {"0": -100, "1": -100, "2": -100, "3": -100, "4": -100},
        });
        match argument(7, 0) {
            0 => {}
            1 => body["response_format"] = list(),
            _ => body["frequency_penalty"] = (-2).into(),
        }
        let request = Request::post("/v1/completions").body(Body::from(body.to_string())).unwrap();
        async move {
            let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
            let mut stream = response.into_body().into_data_stream();
            let (mut times, mut end) = (Vec::new(), Vec::new());
            while let Some(Ok(bytes)) = stream.next().await {
                times.push(Instant::now());
                end = bytes.to_vec();
            }
            assert!(end.ends_with(b"[DONE]\n\n"), "{}", String::from_utf8_lossy(&end));
            times
        }
    };
    let times: Vec<Vec<Instant>> = futures::future::join_all((0..answers).map(one)).await;
    let mut all: Vec<Instant> = times.concat();
    all.sort();
    let silent = all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    (*all.last().unwrap() - all[0], silent)
}
