//! The load: a fixed request, again and again, over a number of connections.

use super::{MODEL, api_key};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A request of some 200 bytes for 64 words.
pub fn body(stream: bool) -> String {
    let words = "a b c d ".repeat(8);
    let options = if stream { r#","stream_options":{"include_usage":true}"# } else { "" };
    format!(
        r#"{{"model":"{MODEL}","stream":{stream}{options},"max_tokens":64,"messages":[{{"role":"user","content":"{words}"}}]}}"#
    )
}

/// Microseconds to the first byte of each answer.
pub async fn run(base: &str, stream: bool, connections: usize, total: usize) -> Vec<f64> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(tcp);
    let (body, sent) = (Bytes::from(body(stream)), Arc::new(AtomicUsize::new(0)));
    let uri: http::Uri = format!("{base}/v1/chat/completions").parse().unwrap();
    let workers = (0..connections).map(|_| {
        let (client, body, sent, uri) = (client.clone(), body.clone(), sent.clone(), uri.clone());
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while sent.fetch_add(1, Ordering::Relaxed) < total {
                let request = Request::post(uri.clone())
                    .header(header::CONTENT_TYPE, "application/json")
                    .header(header::AUTHORIZATION, format!("Bearer {}", api_key().reveal()))
                    .body(Full::new(body.clone()))
                    .unwrap();
                let start = Instant::now();
                let response = client.request(request).await.unwrap();
                assert_eq!(response.status(), 200);
                let mut body = response.into_body();
                let mut first = None;
                while let Some(frame) = body.frame().await {
                    frame.unwrap();
                    first.get_or_insert_with(|| start.elapsed());
                }
                seen.push(first.unwrap().as_secs_f64() * 1e6);
            }
            seen
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut seen = Vec::new();
    for worker in workers {
        seen.extend(worker.await.unwrap());
    }
    seen
}

/// The median and the 99th of a hundred.
pub fn quantiles(mut seen: Vec<f64>) -> (f64, f64) {
    seen.sort_by(f64::total_cmp);
    let at = |part: f64| seen[((seen.len() - 1) as f64 * part) as usize];
    (at(0.5), at(0.99))
}
