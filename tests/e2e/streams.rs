//! A supplier that dies while clients stream through the gateway.

use crate::network::{Network, folder};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

/// Clients that stream at the same time, and streams of each, one after the other.
const CLIENTS: u64 = 16;
const STREAMS: u64 = 6;

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// With a reason to end, and the mark of the end.
    Whole,
    /// With an error that the client can read, after so many bytes of text.
    Told { text: usize },
    /// In any other way.
    Silent { said: String },
}

/// What a client knows of a gateway.
struct Gateway {
    place: String,
    key: String,
    model: String,
}

impl Gateway {
    fn of(network: &Network) -> Gateway {
        let url = network.base_url();
        let place = url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
        Gateway { place: place.to_owned(), key: network.api_key(), model: network.model() }
    }
}

/// Asks for one stream; `heard` is told of what comes.
fn stream(gateway: &Gateway, turn: u64, heard: &Sender<()>) -> End {
    let Gateway { place, key, model } = gateway;
    let body = json!({
        "model": model, "seed": turn, "temperature": 1.3, "stream": true, "max_tokens": 120,
        "messages": [{"role": "user", "content": format!("Count to {}.", 10 + turn % 30)}],
    })
    .to_string();
    let mut socket = TcpStream::connect(place).unwrap();
    socket.set_read_timeout(Some(crate::network::PATIENCE)).unwrap();
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json";
    let length = body.len();
    write!(socket, "{head}\r\nHost: {place}\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = socket.read(&mut piece) {
        said.extend_from_slice(&piece[..read]);
        // Only the first is waited for.
        let _unheard = heard.send(());
    }
    end(&String::from_utf8(said).unwrap())
}

fn end(said: &str) -> End {
    let events = said.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = events.filter_map(|event| serde_json::from_str(event).ok()).collect();
    let text = |event: &Value| event["choices"][0]["delta"]["content"].as_str().map_or(0, str::len);
    let reason = |event: &Value| event["choices"][0]["finish_reason"].is_string();
    if events.iter().any(|event| event["error"]["message"].is_string()) {
        return End::Told { text: events.iter().map(text).sum() };
    }
    if said.contains("data: [DONE]") && events.iter().any(reason) {
        return End::Whole;
    }
    End::Silent { said: said.to_owned() }
}

#[test]
fn a_supplier_that_dies_breaks_no_stream_that_said_nothing_yet() {
    let home = folder();
    let network = Network::start_calm(home.path(), &[]);
    let victims = network.processes("supplier-2.toml");
    assert_eq!(victims.len(), 1);
    let (gateway, (heard, first)) = (Gateway::of(&network), channel());
    let ends: Vec<Vec<End>> = std::thread::scope(|scope| {
        let client = |i: u64| {
            let (heard, gateway) = (heard.clone(), &gateway);
            let turns = (0..STREAMS).map(move |turn| turn * CLIENTS + i);
            scope.spawn(move || turns.map(|turn| stream(gateway, turn, &heard)).collect())
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        first.recv().unwrap();
        let pid = victims[0].to_string();
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for ends in &ends {
        let told = ends.iter().filter(|end| **end != End::Whole).count();
        // Only what was under way at that one moment could break, after some text had gone out.
        assert!(told <= 1, "{ends:?}");
        assert!(
            ends.iter().all(|end| matches!(end, End::Whole | End::Told { text: 1.. })),
            "{ends:?}"
        );
    }
    network.wait_for("restarted", |_| true);
}
