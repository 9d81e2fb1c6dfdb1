//! What an owner does with a running supplier: look, drain, set limits; and a server that it starts itself.
#![allow(clippy::unwrap_used)]

use daemon::Stop;
use futures::StreamExt;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use supplier::admin::{self, Owner};
use supplier::config::{Limits, Program, Server};
use supplier::remote::{self, Child};
use supplier::{Defaults, Parts, ServeError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo")
}

struct Running {
    url: String,
    admin: String,
    /// What a reload reads; 0: nothing can be read.
    sequences: Arc<AtomicUsize>,
    task: JoinHandle<Result<(), ServeError>>,
    client: reqwest::Client,
}

impl Running {
    async fn start() -> Running {
        let free = || TcpListener::bind("127.0.0.1:0");
        let (listener, asked) = (free().await.unwrap(), free().await.unwrap());
        let url_of = |l: &TcpListener| format!("http://{}", l.local_addr().unwrap());
        let (url, admin) = (url_of(&listener), url_of(&asked));
        let sequences = Arc::new(AtomicUsize::new(0));
        let read = sequences.clone();
        let reload = move || match read.load(Ordering::Relaxed) {
            0 => Err("the configuration is wrong".to_owned()),
            sequences => Ok(Limits { sequences, queue: 0, ..Limits::default() }),
        };
        let owner = Owner {
            listener: Some(asked),
            reload: Arc::new(reload),
            miner: None,
            drain: Duration::from_secs(60),
        };
        let stop = Stop::new();
        let parts = Parts {
            model: engine::Model::load(&demo()).unwrap(),
            meter: Arc::new(meter::Meter::load(&demo()).unwrap()),
            name: "demo".to_owned(),
            defaults: Defaults::default(),
            limits: Limits::default(),
        };
        let front = supplier::front(None, parts, stop.clone()).unwrap();
        let task = tokio::spawn(admin::serve(front, owner, listener, stop));
        Running { url, admin, sequences, task, client: reqwest::Client::new() }
    }

    async fn ask(&self, more: Value) -> reqwest::Response {
        let mut body = json!({"model": "demo", "prompt": "Tell", "max_tokens": 300, "logit_bias": {"4": -100}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let url = format!("{}/v1/completions", self.url);
        self.client.post(url).json(&body).send().await.unwrap()
    }

    async fn post(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.admin);
        self.client.post(url).send().await.unwrap().status().as_u16()
    }

    async fn status(&self) -> Value {
        let url = format!("{}/status", self.admin);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let running = Running::start().await;
    let mut stream = running.ask(json!({"stream": true})).await.bytes_stream();
    let mut text = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert_eq!(running.post("/drain").await, 202);
    while let Some(piece) = stream.next().await {
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    running.task.await.unwrap().unwrap();
    let refused = running.client.post(format!("{}/v1/completions", running.url)).send().await;
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_read_again_and_hold_at_once() {
    let running = Running::start().await;
    assert_eq!(running.status().await["limits"]["queue"], 128);
    assert_eq!(running.post("/reload").await, 400);
    assert_eq!(running.status().await["limits"]["queue"], 128, "wrong limits change nothing");
    running.sequences.store(2, Ordering::Relaxed);
    assert_eq!(running.post("/reload").await, 200);
    let status = running.status().await;
    assert_eq!(status["limits"], json!({"sequences": 2, "queue": 0}));
    assert_eq!(running.ask(json!({"n": 3})).await.status(), 429);
    assert_eq!(running.ask(json!({"n": 2, "max_tokens": 4})).await.status(), 200);
    assert_eq!(running.status().await["requests"], 1);
    assert_eq!(running.post("/drain").await, 202);
    running.task.await.unwrap().unwrap();
}

/// A supplier whose server is the shell script `text`, which gets the path of a file to write to.
fn child(folder: &Path, text: &str, stop: &Stop) -> PathBuf {
    let (bin, said) = (folder.join("server"), folder.join("said"));
    std::fs::write(
        &bin,
        format!("#!/bin/sh\n{}\n", text.replace("FILE", &said.display().to_string())),
    )
    .unwrap();
    std::fs::set_permissions(&bin, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = Program {
        bin,
        weights: Some("w".into()),
        served: None,
        devices: vec![0],
        isq: None,
        max_num_seqs: Some(4),
        kv_fraction: None,
        port: 1,
        args: vec!["--extra".into()],
        start_s: 600,
    };
    let parts = remote::Parts {
        server: Server { url: "http://127.0.0.1:1".into(), ..Server::default() },
        api_key: None,
        // The guard of `lode` runs a program until its standard input ends; so does `cat` below.
        child: Some(Child::new(program, 1, ("/usr/bin/env".into(), Vec::new()))),
        meter: Arc::new(meter::Meter::load(&demo()).unwrap()),
        name: "demo".to_owned(),
        limits: Limits::default(),
    };
    let _routes = remote::router(parts, stop.clone()).unwrap();
    said
}

async fn until(said: &Path, enough: impl Fn(&str) -> bool) -> String {
    loop {
        let text = std::fs::read_to_string(said).unwrap_or_default();
        if enough(&text) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_that_ends_is_started_again() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let said = child(folder.path(), "echo \"$@\" >> FILE", &stop);
    let text = until(&said, |text| text.lines().count() >= 2).await;
    let arguments = "--server --port 1 --w w --d 0 --max-num-seqs 4 --extra";
    assert!(text.lines().all(|line| line == arguments), "{text}");
    stop.ask();
}

#[tokio::test]
async fn a_server_goes_with_its_supplier() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let said =
        child(folder.path(), "echo began >> FILE; cat > /dev/null; echo ended >> FILE", &stop);
    until(&said, |text| text == "began\n").await;
    stop.ask();
    until(&said, |text| text == "began\nended\n").await;
}
