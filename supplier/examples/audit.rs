//! What it costs to make answers again, beside making them: `audit FOLDER [ANSWERS] [TOKENS]`.

use axum::body::Body;
use axum::http::Request;
use daemon::Stop;
use http_body_util::BodyExt;
use meter::{Endpoint, Meter};
use proto::evidence::Evidence;
use serde_json::json;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use supplier::config::Limits;
use supplier::replay::{Relay, Replayer};
use supplier::{Defaults, Parts, router};
use tower::ServiceExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(args.first().ok_or("audit FOLDER [ANSWERS] [TOKENS]")?);
    let number = |at: usize, or: u64| args.get(at).and_then(|n| n.parse().ok()).unwrap_or(or);
    let (answers, tokens) = (number(1, 8), number(2, 128));
    let meter = Arc::new(Meter::load(folder)?);
    let (defaults, limits) = (Defaults::default(), Limits::default());
    let (model, name) = (engine::Model::load(folder)?, "model".to_owned());
    let router =
        router(Parts { model, meter: meter.clone(), name, defaults, limits }, Stop::new())?;
    let replayer = Replayer::new(engine::Model::load(folder)?, meter, "model", defaults);
    let (mut made, mut again, mut count, mut bytes) = (Duration::ZERO, Duration::ZERO, 0, 0);
    for seed in 0..answers {
        let body = json!({
            "model": "model", "prompt": "Tell me", "max_tokens": tokens, "temperature": 2, "seed": seed,
        });
        let body = body.to_string().into_bytes();
        let began = Instant::now();
        let request = Request::post("/v1/completions").header("x-lode-evidence", "ab");
        let response = router.clone().oneshot(request.body(Body::from(body.clone()))?).await?;
        let answer = response.into_body().collect().await?.to_bytes();
        made += began.elapsed();
        let request = Request::get("/lode/evidence/ab").body(Body::empty())?;
        let evidence = router.clone().oneshot(request).await?.into_body().collect().await?;
        let evidence = evidence.to_bytes();
        bytes += evidence.len();
        let (endpoint, evidence) = (Endpoint::Completions, &Evidence::decode(&evidence)?);
        let began = Instant::now();
        let relay = Relay { endpoint, body: &body, seed, answer: &answer, whole: true, evidence };
        let report = replayer.replay(&relay);
        again += began.elapsed();
        count += report.tokens;
        if let Some(finding) = report.finding {
            return Err(finding.to_string().into());
        }
    }
    let each = |took: Duration| took.as_secs_f64() * 1e6 / count.max(1) as f64;
    println!(
        "{count} tokens: {:.0} us to make one, {:.0} us to make it again",
        each(made),
        each(again)
    );
    println!("{:.1} bytes of evidence a token", bytes as f64 / count.max(1) as f64);
    Ok(())
}
