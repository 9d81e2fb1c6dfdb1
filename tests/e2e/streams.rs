//! A supplier that dies while clients stream through the gateway.

use crate::network::{Network, folder};
use crate::stream::{Stream, text};
use serde_json::{Value, json};
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
    url: String,
    key: String,
    model: String,
}

impl Gateway {
    fn of(network: &Network) -> Gateway {
        let url = format!("{}/chat/completions", network.base_url());
        Gateway { url, key: network.api_key(), model: network.model() }
    }
}

/// Asks for one stream; `heard` is told of what comes.
fn stream(gateway: &Gateway, turn: u64, heard: &Sender<()>) -> End {
    let body = json!({
        "model": gateway.model, "seed": turn, "temperature": 1.3, "stream": true, "max_tokens": 120,
        "messages": [{"role": "user", "content": format!("Count to {}.", 10 + turn % 30)}],
    });
    let heard = || {
        // Only the first is waited for.
        let _unheard = heard.send(());
    };
    end(&Stream::of(&gateway.url, Some(&gateway.key), &body, heard))
}

fn end(stream: &Stream) -> End {
    let events = stream.events();
    let reason = |event: &Value| event["choices"][0]["finish_reason"].is_string();
    if events.iter().any(|event| event["error"]["message"].is_string()) {
        return End::Told { text: events.iter().map(|event| text(event).len()).sum() };
    }
    if stream.is_done() && events.iter().any(reason) {
        return End::Whole;
    }
    End::Silent { said: stream.said().to_owned() }
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
