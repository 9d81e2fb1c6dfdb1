//! A supplier whose relays are judged by a replayer of the listed model.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content};
use candle_core::quantized::{GgmlDType, QTensor};
use daemon::Stop;
use http_body_util::BodyExt;
use meter::{Endpoint, Meter};
use proto::evidence::Evidence;
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use supplier::config::Limits;
use supplier::replay::{Relay, Replayer, Report};
use supplier::{Defaults, Parts, router};
use tower::ServiceExt;

pub(crate) fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo")
}

pub(crate) fn supplier(folder: &Path) -> Router {
    let parts = Parts {
        model: engine::Model::load(folder).unwrap(),
        meter: Arc::new(Meter::load(&demo()).unwrap()),
        name: "demo".to_owned(),
        defaults: Defaults::default(),
        limits: Limits { sequences: 8, ..Limits::default() },
    };
    router(parts, Stop::new()).unwrap()
}

pub(crate) fn replayer() -> Replayer {
    let model = engine::Model::load(&demo()).unwrap();
    let meter = Arc::new(Meter::load(&demo()).unwrap());
    Replayer::new(model, meter, "demo", Defaults::default())
}

/// A relay that was served.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Vec<u8>,
    pub(crate) seed: u64,
    pub(crate) answer: Vec<u8>,
    pub(crate) whole: bool,
    pub(crate) evidence: Evidence,
}

impl Served {
    pub(crate) fn judged_by(&self, replayer: &Replayer) -> Report {
        replayer.replay(&Relay {
            endpoint: self.endpoint,
            body: &self.body,
            seed: self.seed,
            answer: &self.answer,
            whole: self.whole,
            evidence: &self.evidence,
        })
    }
}

pub(crate) fn chat(more: Value) -> (Endpoint, Value) {
    let mut body = json!({
        "model": "demo", "max_tokens": 48,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (Endpoint::Chat, body)
}

pub(crate) fn completion(more: Value) -> (Endpoint, Value) {
    let mut body = json!({"model": "demo", "max_tokens": 48, "prompt": "The capital of"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (Endpoint::Completions, body)
}

/// Serves a relay; with `pieces`, the client leaves after so many of them.
pub(crate) async fn serve(
    router: &Router,
    (endpoint, body): (Endpoint, Value),
    seed: u64,
    pieces: Option<usize>,
) -> Served {
    let path = match endpoint {
        Endpoint::Chat => "/v1/chat/completions",
        Endpoint::Completions => "/v1/completions",
    };
    let (body, tag) = (body.to_string().into_bytes(), format!("{seed:064x}"));
    let request = Request::post(path)
        .header(SEED_HEADER, format!("{seed:016x}"))
        .header(EVIDENCE_HEADER, &tag)
        .body(Body::from(body.clone()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
    assert_eq!(response.headers()[EVIDENCE_HEADER], tag.as_str());
    let (mut stream, mut answer) = (response.into_body(), Vec::new());
    for _ in 0..pieces.unwrap_or(usize::MAX) {
        let Some(frame) = stream.frame().await else { break };
        answer.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    drop(stream);
    let evidence = Request::get(format!("{EVIDENCE_PATH}{tag}")).body(Body::empty()).unwrap();
    let evidence = router.clone().oneshot(evidence).await.unwrap().into_body().collect().await;
    let evidence = Evidence::decode(&evidence.unwrap().to_bytes()).unwrap();
    Served { endpoint, body, seed, answer, whole: pieces.is_none(), evidence }
}

/// The demo model's weights as a file holds them, each matrix changed.
pub(crate) fn changed(folder: &Path, change: impl Fn(&str, &mut Vec<f32>, usize), to: GgmlDType) {
    let mut file = File::open(demo().join("model.gguf")).unwrap();
    let content = Content::read(&mut file).unwrap();
    let mut tensors = Vec::new();
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(&mut file, name, &Device::Cpu).unwrap();
        let (shape, kind) = (tensor.shape().clone(), tensor.dtype());
        let mut weights = tensor.dequantize(&Device::Cpu).unwrap();
        if shape.rank() == 2 {
            let columns = shape.dims()[1];
            let mut values = weights.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            change(name, &mut values, columns);
            weights = candle_core::Tensor::from_vec(values, &shape, &Device::Cpu).unwrap();
        }
        let kind = if shape.rank() == 2 { to } else { kind };
        tensors.push((name.clone(), QTensor::quantize(&weights, kind).unwrap()));
    }
    let metadata: Vec<_> = content.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut out = File::create(folder.join("model.gguf")).unwrap();
    gguf_file::write(&mut out, &metadata, &tensors).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(demo().join(name), folder.join(name)).unwrap();
    }
}

/// Rounds rows to so many levels on each side of zero, as few-bit weights are.
pub(crate) fn levels(count: f32) -> impl Fn(&str, &mut Vec<f32>, usize) {
    move |_, values, _| {
        for group in values.chunks_mut(32) {
            let most = group.iter().fold(0f32, |most, value| most.max(value.abs()));
            let step = (most / count).max(f32::MIN_POSITIVE);
            group.iter_mut().for_each(|value| *value = (*value / step).round() * step);
        }
    }
}
