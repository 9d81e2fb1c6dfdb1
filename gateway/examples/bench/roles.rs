//! The processes: a supplier with its relay miner, a thin proxy, a gateway.

use super::chain::FakeChain;
use super::{OPERATOR, api_key, gateway_key, now, supplier_key};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gateway::account::KeyTerms;
use gateway::books::Books;
use gateway::config::{Limits, Settings};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use meter::{Endpoint, Meter};
use proto::names::{RECEIPT_TRAILER, RELAY_HEADER};
use proto::relay::{Envelope, Receipt, Signable, Status};
use proto::session::Seat;
use proto::supplier::PayoutShare;
use proto::transcript::commit;
use proto::wire::Wire;
use proto::{Cu, Digest, Ppm, Usage};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Runs a role on a runtime with two threads, until the process's standard input ends.
fn serve(role: impl Future<Output = ()>) {
    let stop = daemon::Stop::new();
    stop.on_end_of_input();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            () = role => {}
            () = stop.asked() => {}
        }
    });
    std::process::exit(0);
}

async fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    listener
}

struct Supplier {
    prompt: u64,
    whole: Bytes,
    pieces: Vec<Bytes>,
}

/// Answers 64 words at once, and signs for them as a relay miner does.
pub fn supplier(folder: &Path) {
    let meter = Meter::load(&folder.join("model")).unwrap();
    let asked = meter.read(Endpoint::Chat, super::load::body(false).as_bytes()).unwrap();
    let prompt = asked.prompt_tokens();
    let usage = format!(
        r#""usage":{{"prompt_tokens":{prompt},"completion_tokens":64,"total_tokens":{}}}"#,
        prompt + 64
    );
    let word = |i: usize| format!("w{i} ");
    let words: String = (0..64).map(word).collect();
    let head = r#"{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"words""#;
    let whole = format!(
        r#"{head},"choices":[{{"index":0,"message":{{"role":"assistant","content":"{words}"}},"finish_reason":"stop"}}],{usage}}}"#
    );
    let delta = |delta: String| {
        Bytes::from(format!("data: {head},\"choices\":[{{\"index\":0,{delta}}}]}}\n\n"))
    };
    let mut pieces = vec![delta(r#""delta":{"role":"assistant","content":""}"#.into())];
    pieces.extend((0..64).map(|i| delta(format!(r#""delta":{{"content":"{}"}}"#, word(i)))));
    pieces.push(delta(r#""delta":{},"finish_reason":"stop""#.into()));
    pieces.push(Bytes::from(format!("data: {head},\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n")));
    let state = Arc::new(Supplier { prompt, whole: whole.into(), pieces });
    let router = Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/lode/ack", post(async || http::StatusCode::NO_CONTENT))
        .with_state(state);
    serve(async {
        daemon::serve(router, listen().await, daemon::Stop::new()).await;
    });
}

async fn complete(
    State(supplier): State<Arc<Supplier>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let stream = body.windows(13).any(|window| window == b"\"stream\":true");
    let pieces = if stream { supplier.pieces.clone() } else { vec![supplier.whole.clone()] };
    let trailer = headers.get(RELAY_HEADER).map(|relay| {
        let envelope = Envelope::decode(&BASE64.decode(relay).unwrap()).unwrap();
        let request = envelope.request.body;
        let whole = commit(&pieces.concat());
        let receipt = Receipt {
            session_id: request.session_id,
            relay_id: request.relay_id,
            request_digest: request.request_digest,
            response_root: whole.root,
            chunk_count: whole.chunk_count,
            usage: Usage { fresh_in: supplier.prompt, cached_in: 0, out: 64 },
            cu: Cu(supplier.prompt + 64 * 4),
            status: Status::Completed,
            started_at: now(),
            first_token_at: now(),
            finished_at: now(),
            evidence_root: Digest::default(),
        };
        BASE64.encode(receipt.sign(&supplier_key()).encode())
    });
    let frames = pieces.into_iter().map(Frame::data).chain(trailer.map(|trailer| {
        let value = HeaderValue::try_from(trailer).unwrap();
        Frame::trailers(HeaderMap::from_iter([(RECEIPT_TRAILER.parse().unwrap(), value)]))
    }));
    let frames: Vec<_> = frames.collect();
    let body = StreamBody::new(futures::stream::unfold(frames.into_iter(), async |mut frames| {
        let frame = frames.next()?;
        // Each piece is written by itself, as from a model.
        tokio::task::yield_now().await;
        Some((Ok::<_, std::convert::Infallible>(frame), frames))
    }));
    let kind = if stream { "text/event-stream" } else { "application/json" };
    Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .header(header::TRAILER, RECEIPT_TRAILER)
        .body(Body::new(body))
        .unwrap()
}

/// The floor: axum in, hyper out, nothing in between.
pub fn thin(upstream: &str) {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(512).build(tcp);
    let uri: http::Uri = format!("{upstream}/v1/chat/completions").parse().unwrap();
    let pass = async move |State((client, uri)): State<(Client<_, Full<Bytes>>, http::Uri)>,
                           body: Bytes| {
        let request = Request::post(uri).header(header::CONTENT_TYPE, "application/json");
        let response = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
        response.map(Body::new)
    };
    let router = Router::new().route("/v1/chat/completions", post(pass)).with_state((client, uri));
    serve(async {
        daemon::serve(router, listen().await, daemon::Stop::new()).await;
    });
}

/// A gateway with its books on disk, and a chain that stands still.
pub fn gateway(folder: &Path, supplier: &str) {
    let (model, books) = (folder.join("model"), folder.join("books.db"));
    let supplier = supplier.to_owned();
    serve(async move {
        let chain = Arc::new(FakeChain::new(&model));
        chain.change(|state| state.escrow = proto::Amount(u128::from(u64::MAX)));
        chain.change(|state| state.stake = proto::Amount(u128::from(u64::MAX)));
        chain.seat(Seat {
            operator: OPERATOR,
            relay_key: supplier_key().public(),
            endpoint: supplier,
            payouts: vec![PayoutShare { to: OPERATOR, share: Ppm::ONE }],
        });
        let books = Books::open(&books).await.unwrap();
        let terms = KeyTerms { name: "bench".into(), ..KeyTerms::default() };
        let (key, _) = books.create_key(terms, &[9; 32], now()).await.unwrap();
        assert_eq!(key, api_key());
        let parts = gateway::Parts {
            settings: Settings { limits: Limits::default(), ..Settings::default() },
            chain,
            relay_key: gateway_key(),
            books,
            counters: gateway::count::Metered::load(&[model]).unwrap(),
            clock: Arc::new(now),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let ready = format!("{base}/readyz");
            while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            println!("{base}");
        });
        gateway::serve(parts, listener, daemon::Stop::new()).await.unwrap();
    });
}
