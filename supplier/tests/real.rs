//! Before a real server: `LODE_OPENAI_URL` names one that runs the demo model's GGUF file as `demo`; without
//! it there is nothing to do.
//!
//!     python -m llama_cpp.server --model deploy/lode/models/lode-demo/model.gguf --model_alias demo --logits_all true
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use daemon::Stop;
use http_body_util::BodyExt;
use meter::{Endpoint, Meter};
use proto::evidence::{Evidence, Shown};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use supplier::config::{Limits, Server};
use supplier::remote::{Parts, router};
use supplier::replay::{Relay, Replayer, Verdict};
use tower::ServiceExt;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo")
}

async fn fetch(router: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn answers_of_a_real_server_are_those_of_the_listed_model() {
    let Ok(url) = std::env::var("LODE_OPENAI_URL") else { return };
    let server = Server { url, ..Server::default() };
    let (meter, stop) = (Arc::new(Meter::load(&demo()).unwrap()), Stop::new());
    let (name, limits) = ("demo".to_owned(), Limits::default());
    let parts = Parts { server, api_key: None, child: None, meter: meter.clone(), name, limits };
    let router = router(parts, stop.clone()).unwrap();
    while fetch(&router, get("/readyz")).await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    let model = engine::Model::load(&demo()).unwrap();
    let replayer = Replayer::new(model, meter, "demo", supplier::Defaults::default());
    for (stream, temperature) in [(false, 0.0), (true, 0.0), (false, 1.0), (true, 1.0)] {
        let body = json!({
            "model": "demo", "prompt": "The capital of", "max_tokens": 40, "stream": stream,
            "temperature": temperature, "top_p": 1, "top_k": 0, "min_p": 0, "seed": 3, "logit_bias": {"4": -100},
        });
        let body = body.to_string().into_bytes();
        let request = Request::post("/v1/completions")
            .header("x-lode-evidence", "ab")
            .body(Body::from(body.clone()))
            .unwrap();
        let (status, answer) = fetch(&router, request).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer));
        let evidence = Evidence::decode(&fetch(&router, get("/lode/evidence/ab")).await.1).unwrap();
        assert!(matches!(evidence.shown, Shown::Tops(_)), "{evidence:?}");
        let report = replayer.replay(&Relay {
            endpoint: Endpoint::Completions,
            body: &body,
            seed: 0,
            answer: &answer,
            whole: true,
            evidence: &evidence,
        });
        println!("stream {stream}, temperature {temperature}: {report:?}");
        assert_ne!(report.verdict, Verdict::Different, "{report:?}");
    }
    stop.ask();
}
