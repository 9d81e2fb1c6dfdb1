//! A supplier's server that does what the prompt says.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::{StreamExt, stream};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What was asked of it, and how many answers are under way.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) url: String,
    pub(crate) asked: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    pub(crate) open: watch::Sender<usize>,
    /// What endless answers wait for, for each of their pieces.
    pub(crate) go: watch::Sender<usize>,
}

struct Open(watch::Sender<usize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

impl Backend {
    pub(crate) async fn start() -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, go) = (watch::Sender::new(0), watch::Sender::new(0));
        let backend = Backend { url, asked: Arc::default(), open, go };
        let serving = backend.clone();
        let answer = post(move |headers: HeaderMap, body: Bytes| {
            let backend = serving.clone();
            async move { backend.answer(headers, body) }
        });
        let router = Router::new()
            .route("/lode/evidence/{tag}", get(async |Path(tag): Path<String>| evidence(&tag)))
            .route("/v1/completions", answer.clone())
            .route("/v1/chat/completions", answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        backend
    }

    fn answer(&self, headers: HeaderMap, body: Bytes) -> Response {
        let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
        self.asked.lock().unwrap().push((headers, body));
        let prompt = asked["prompt"].as_str().unwrap().to_owned();
        let (word, number) = prompt.split_once(' ').unwrap_or((&prompt, "0"));
        let number: usize = number.parse().unwrap();
        match word {
            // So many tokens, in pieces of five.
            "say" => {
                let mut pieces = vec![Bytes::from_static(b"xxxxx"); number / 5];
                pieces.push(Bytes::from(format!("{}.", "x".repeat(number % 5))));
                stream_of(stream::iter(pieces))
            }
            "fail" => {
                (StatusCode::from_u16(number as u16).unwrap(), "{\"error\":1}").into_response()
            }
            // So many tokens, with a promise of evidence.
            "show" => {
                let mut said = stream_of(stream::iter([Bytes::from("x".repeat(number) + ".")]));
                let value = http::HeaderValue::from_static("1");
                said.headers_mut().insert(proto::names::EVIDENCE_HEADER, value);
                said
            }
            "garbage" => stream_of(stream::iter([Bytes::from_static(b"?xx.")])),
            // So many tokens, and when it is let go the connection breaks off.
            "break" => {
                let mut go = self.go.subscribe();
                let broken = async move {
                    let _let_go = go.wait_for(|go| *go > 0).await;
                    Err("broken")
                };
                let said = stream::iter([Ok(Bytes::from("x".repeat(number)))]);
                Response::new(Body::from_stream(said.chain(stream::once(broken))))
            }
            "zip" => ([("content-encoding", "gzip")], "xxx.").into_response(),
            // So many tokens, and then nothing more.
            "stall" => {
                stream_of(stream::iter([Bytes::from("x".repeat(number))]).chain(stream::pending()))
            }
            // Pieces of five tokens for ever, as they are let go.
            "endless" => self.endless(),
            other => panic!("{other:?} is not understood"),
        }
    }

    fn endless(&self) -> Response {
        self.open.send_modify(|open| *open += 1);
        let open = Open(self.open.clone());
        let pieces =
            stream::unfold((0, self.go.subscribe(), open), |(given, mut go, open)| async move {
                go.wait_for(|go| *go > given).await.ok()?;
                Some((Bytes::from_static(b"xxxxx"), (given + 1, go, open)))
            });
        stream_of(pieces)
    }
}

/// Evidence for relays whose number is even.
pub(crate) fn evidence(tag: &str) -> Response {
    let even = tag.as_bytes().last().is_some_and(|digit| digit.is_multiple_of(2));
    let shown = proto::evidence::Shown::None;
    let evidence = proto::evidence::Evidence { class: tag[..8].to_owned(), shown };
    match even {
        true => evidence.encode().into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

fn stream_of(pieces: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    let pieces = pieces.map(Ok::<_, Infallible>);
    ([("content-type", "text/event-stream")], Body::from_stream(pieces)).into_response()
}
