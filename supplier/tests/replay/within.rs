//! Answers of a server that tells log probabilities, compared within bands.

use crate::stand::{Served, changed, completion, demo, levels, replayer, serve, supplier};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use candle_core::quantized::GgmlDType;
use daemon::Stop;
use meter::Meter;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use supplier::config::{Limits, Server};
use supplier::remote::{Parts, router};
use supplier::replay::{Report, Verdict};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// A supplier before a server that runs the model in `folder`.
async fn before(folder: &Path, stop: &Stop) -> Router {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let behind = supplier(folder);
    tokio::spawn(async move { axum::serve(listener, behind).await });
    let server = Server { url, ..Server::default() };
    let meter = Arc::new(Meter::load(&demo()).unwrap());
    let (name, limits) = ("demo".to_owned(), Limits::default());
    let parts = Parts { server, api_key: None, child: None, meter, name, limits };
    let router = router(parts, stop.clone()).unwrap();
    loop {
        let ready = Request::get("/readyz").body(Body::empty()).unwrap();
        if router.clone().oneshot(ready).await.unwrap().status() == StatusCode::OK {
            return router;
        }
        tokio::task::yield_now().await;
    }
}

/// A long text: the token that ends one is never said.
async fn long(router: &Router, seed: u64, temperature: f64) -> Served {
    let more =
        json!({"logit_bias": {"4": -100}, "temperature": temperature, "stream": seed % 2 == 1});
    serve(router, completion(more), seed, None).await
}

async fn verdicts(folder: &Path) -> Vec<Report> {
    let (stop, replayer) = (Stop::new(), replayer());
    let router = before(folder, &stop).await;
    let mut all = Vec::new();
    for (seed, temperature) in [0.0, 0.7, 1.0, 1.0].into_iter().enumerate() {
        all.push(long(&router, seed as u64, temperature).await.judged_by(&replayer));
    }
    stop.ask();
    all
}

fn all_are(verdict: Verdict, reports: &[Report]) {
    for report in reports {
        println!("{:?} {:?}", report.bands, report.finding);
        assert_eq!(report.verdict, verdict, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listed_model_is_within_the_bands() {
    all_are(Verdict::Same, &verdicts(&demo()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_bits_are_outside_of_the_bands() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), levels(4.0), GgmlDType::Q8_0);
    all_are(Verdict::Different, &verdicts(folder.path()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_quantisation_is_never_taken_for_the_listed_one() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), |_, _, _| {}, GgmlDType::Q4K);
    // Where texts of half characters come early, too little can be compared.
    let few = tempfile::tempdir().unwrap();
    changed(few.path(), levels(2.0), GgmlDType::Q8_0);
    for folder in [folder, few] {
        for report in verdicts(folder.path()).await {
            println!("{:?} {:?}", report.bands, report.finding);
            assert_ne!(report.verdict, Verdict::Same, "{report:?}");
        }
    }
}
