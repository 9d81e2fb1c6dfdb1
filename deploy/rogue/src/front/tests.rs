use super::*;
use std::path::Path;
use supplier::{Defaults, Parts};

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lode/models/lode-demo")
}

/// A cheating server before an honest one.
async fn rogue(cheat: Cheat) -> String {
    let parts = Parts {
        model: Model::load(&demo()).unwrap(),
        meter: Arc::new(Meter::load(&demo()).unwrap()),
        name: "demo".to_owned(),
        defaults: Defaults::default(),
        limits: supplier::config::Limits::default(),
    };
    let honest = supplier::router(parts, daemon::Stop::new()).unwrap();
    let config =
        Config { listen: String::new(), upstream: serve(honest).await, cheat, model: demo() };
    serve(router(&config).unwrap()).await
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(daemon::serve(router, listener, daemon::Stop::new()));
    url
}

async fn asked(url: &str, stream: bool) -> reqwest::Response {
    let body = json!({
        "model": "demo", "temperature": 0, "max_tokens": 24, "stream": stream,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    });
    let request = reqwest::Client::new().post(format!("{url}/v1/chat/completions"));
    let request = request.header(EVIDENCE_HEADER, "ab").header(SEED_HEADER, "0000000000000001");
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer
}

async fn shown(url: &str) -> reqwest::Response {
    reqwest::get(format!("{url}{EVIDENCE_PATH}ab")).await.unwrap()
}

#[tokio::test]
async fn an_answer_goes_out_changed_whole_and_as_a_stream() {
    let url = rogue(Cheat::Canned).await;
    let whole: Value = asked(&url, false).await.json().await.unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], crate::text::CANNED);
    let stream = asked(&url, true).await;
    assert_eq!(stream.headers()[CONTENT_TYPE], "text/event-stream");
    let text = stream.text().await.unwrap();
    assert!(text.contains(crate::text::CANNED) && text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn a_silent_server_promises_no_evidence() {
    let answer = asked(&rogue(Cheat::Silent).await, false).await;
    assert!(!answer.headers().contains_key(EVIDENCE_HEADER));
}

#[tokio::test]
async fn what_the_listed_model_said_itself_has_the_same_evidence_when_it_is_read_again() {
    let (honest, prefilled) = (rogue(Cheat::Truncated).await, rogue(Cheat::Prefilled).await);
    let mut evidence = Vec::new();
    for url in [honest, prefilled] {
        asked(&url, false).await;
        evidence.push(shown(&url).await.bytes().await.unwrap());
    }
    assert_eq!(evidence[0], evidence[1]);
    assert!(Evidence::decode(&evidence[0]).is_ok());
}
