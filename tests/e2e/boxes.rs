//! One model over three boxes, each a process of its own, by the commands of docs/supplier.md.

use crate::network::{LODE, eventually, folder};
use crate::stream::{Stream, text};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Clients that stream at the same time.
const CLIENTS: u64 = 16;

/// A process that is killed with the test.
struct Box_(Child);

impl Drop for Box_ {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn run(arguments: &[&str]) -> Box_ {
    let mut command = Command::new(LODE);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    Box_(command.spawn().unwrap())
}

fn model() -> String {
    format!("{}/models/lode-demo", env!("CARGO_MANIFEST_DIR"))
}

fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn key(path: &Path) -> String {
    let output = Command::new(LODE).args(["supplier", "key", "--key"]).arg(path).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a client reads of a stream until it ends, as it comes.
fn stream(at: SocketAddr, seed: u64, heard: impl FnMut()) -> Option<String> {
    let body = json!({
        "model": "demo", "seed": seed, "temperature": 1.3, "stream": true, "max_tokens": 60,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    });
    let url = format!("http://{at}/v1/chat/completions");
    let stream = Stream::of(&url, None, &body, heard);
    stream.is_done().then(|| stream.events().iter().map(text).collect())
}

/// What all clients read, and `harm` once the first of them has read something.
fn streams(at: SocketAddr, harm: impl FnOnce()) -> Vec<Option<String>> {
    let (first, heard) = std::sync::mpsc::channel();
    let client = |seed| {
        let first = first.clone();
        std::thread::spawn(move || {
            stream(at, seed, || {
                // Only the first word counts; nobody listens to the others.
                let _unheard = first.send(());
            })
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    heard.recv().unwrap();
    harm();
    clients.into_iter().map(|client| client.join().unwrap()).collect()
}

fn head(home: &Path, name: &str, more: &str) -> (Box_, SocketAddr) {
    let (at, path) = (free(), home.join(format!("{name}.toml")));
    let config =
        format!("listen = \"{at}\"\nmodel = \"{}\"\nname = \"demo\"\nthreads = 1\n{more}", model());
    std::fs::write(&path, config).unwrap();
    let process = run(&["supplier", "start", "--config", path.to_str().unwrap()]);
    eventually("the head", || stream(at, 0, || {}));
    (process, at)
}

#[test]
fn a_box_that_is_killed_in_the_middle_changes_no_byte() {
    let home = folder();
    let head_key = key(&home.path().join("link.key"));
    let (mut boxes, mut stages) = (Vec::new(), String::new());
    for (i, layers) in ["1..5", "5..8", "1..5"].into_iter().enumerate() {
        let (at, file) = (free().to_string(), home.path().join(format!("{i}.key")));
        let named = key(&file);
        stages +=
            &format!("[[stages]]\naddress = \"{at}\"\nkey = \"{named}\"\nlayers = \"{layers}\"\n");
        let file = file.to_str().unwrap();
        let model = model();
        boxes.push(run(&[
            "supplier",
            "stage",
            "--listen",
            &at,
            "--model",
            &model,
            "--key",
            file,
            "--head",
            &head_key,
            "--threads",
            "1",
            "--cache-mib",
            "64",
        ]));
    }
    let (_one, alone) = head(home.path(), "alone", "");
    let expected = streams(alone, || {});
    let (_head, at) = head(home.path(), "head", &format!("[pipeline]\nlayers = 1\n{stages}"));
    assert_eq!(streams(at, || {}), expected);
    // Killed, not asked: the standby takes over.
    let killed = streams(at, || boxes[0].0.kill().unwrap());
    assert_eq!(killed, expected);
    // Neither is left that runs these layers: the last box takes them.
    let killed = streams(at, || boxes[2].0.kill().unwrap());
    assert_eq!(killed, expected);
}
