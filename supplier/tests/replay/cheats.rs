//! Suppliers that run something else than the listed model.

use crate::stand::{Served, changed, chat, completion, demo, levels, replayer, serve, supplier};
use candle_core::quantized::GgmlDType;
use engine::leaders;
use meter::Meter;
use proto::evidence::{Chosen, Evidence, Roll, Shown};
use serde_json::{Value, json};
use std::path::Path;
use supplier::replay::{Finding, Replayer, Verdict};

/// Some relays of the model in `folder`.
async fn relays(folder: &Path) -> Vec<Served> {
    let router = supplier(folder);
    let mut served = Vec::new();
    for seed in 0..4 {
        let temperature = [0.0, 0.7, 1.0, 1.5][seed];
        let question = chat(json!({"temperature": temperature, "max_tokens": 40}));
        served.push(serve(&router, question, seed as u64, None).await);
        let text = completion(json!({"temperature": temperature, "stream": true}));
        served.push(serve(&router, text, seed as u64, None).await);
    }
    served
}

async fn all_are_found(folder: &Path) {
    let replayer = replayer();
    for served in relays(folder).await {
        let report = served.judged_by(&replayer);
        assert_eq!(report.verdict, Verdict::Different, "{report:?}");
    }
}

#[tokio::test]
async fn another_quantisation_is_found() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), |_, _, _| {}, GgmlDType::Q4K);
    all_are_found(folder.path()).await;
}

#[tokio::test]
async fn fewer_bits_are_found() {
    for count in [4.0, 2.0] {
        let folder = tempfile::tempdir().unwrap();
        changed(folder.path(), levels(count), GgmlDType::Q8_0);
        all_are_found(folder.path()).await;
    }
}

#[tokio::test]
async fn a_little_noise_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let noise = |_: &str, values: &mut Vec<f32>, _: usize| {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= 1.0 + 0.02 * ((i * 2_654_435_761 % 1_000) as f32 / 500.0 - 1.0);
        }
    };
    changed(folder.path(), noise, GgmlDType::Q8_0);
    all_are_found(folder.path()).await;
}

#[tokio::test]
async fn a_dropped_layer_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let drop = |name: &str, values: &mut Vec<f32>, _: usize| {
        if name.starts_with("blk.2.") && (name.contains("attn_output") || name.contains("ffn_down"))
        {
            values.fill(0.0);
        }
    };
    changed(folder.path(), drop, GgmlDType::Q8_0);
    all_are_found(folder.path()).await;
}

#[tokio::test]
async fn another_model_is_found() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), |_, values, _| values.reverse(), GgmlDType::Q8_0);
    all_are_found(folder.path()).await;
}

#[tokio::test]
async fn a_changed_prompt_seed_or_text_is_found() {
    let (router, replayer) = (supplier(&demo()), replayer());
    let request = chat(json!({"temperature": 2, "max_tokens": 40}));
    let honest = serve(&router, request.clone(), 5, None).await;
    assert_eq!(honest.judged_by(&replayer).verdict, Verdict::Same);
    // The supplier answered another question, to which it had an answer already.
    let mut other = request.1.clone();
    other["messages"][0]["content"] = "What is the capital of Italy?".into();
    let prompt = Served { body: other.to_string().into_bytes(), ..honest.clone() };
    let seed = Served { seed: 6, ..honest.clone() };
    let answer = String::from_utf8(honest.answer.clone()).unwrap();
    let mut said: Value = serde_json::from_str(&answer).unwrap();
    said["choices"][0]["message"]["content"] = "Buy my coins.".into();
    let text = Served { answer: said.to_string().into_bytes(), ..honest.clone() };
    for served in [prompt, seed, text] {
        let report = served.judged_by(&replayer);
        assert_eq!(report.verdict, Verdict::Different, "{report:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stops_early_or_goes_on_is_found() {
    let (router, replayer) = (supplier(&demo()), replayer());
    let honest = serve(&router, chat(json!({"temperature": 1.2, "max_tokens": 40})), 5, None).await;
    let Shown::Trace(traces) = &honest.evidence.shown else { panic!("{:?}", honest.evidence) };
    let mut short = traces[0].clone();
    short.tokens.truncate(16.min(short.tokens.len() - 1));
    short.marks.truncate(short.tokens.len().div_ceil(16));
    let evidence = Evidence { shown: Shown::Trace(vec![short]), ..honest.evidence.clone() };
    let report = Served { evidence, ..honest.clone() }.judged_by(&replayer);
    assert_eq!(report.verdict, Verdict::Different, "{report:?}");
}

/// The tokens of a cheap model's answer, with marks as the real model's logits make them.
fn prefilled(replayer_of: &Path, cheap: &Served) -> Evidence {
    let (model, meter) = (engine::Model::load(replayer_of).unwrap(), Meter::load(&demo()).unwrap());
    let prompt = meter.read(cheap.endpoint, &cheap.body).unwrap().prompts.remove(0);
    let Shown::Trace(traces) = &cheap.evidence.shown else { panic!("{:?}", cheap.evidence) };
    let tokens = &traces[0].tokens;
    let mut cache = model.cache(1);
    let slot = cache.take().unwrap();
    let read: Vec<u32> = prompt.iter().chain(tokens).copied().collect();
    let logits = model.follow(&mut cache, slot, &read).unwrap();
    let mut roll = Roll::default();
    for (token, logits) in tokens.iter().zip(&logits[prompt.len() - 1..]) {
        let logit = logits[*token as usize].to_bits();
        roll.push(&Chosen { token: *token, logit, leaders: leaders(logits) });
    }
    Evidence { class: cheap.evidence.class.clone(), shown: Shown::Trace(vec![roll.trace()]) }
}

#[tokio::test]
async fn a_cheap_models_text_read_by_the_real_one_afterwards_is_found() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), levels(2.0), GgmlDType::Q8_0);
    let (cheap, replayer): (_, Replayer) = (supplier(folder.path()), replayer());
    for seed in 0..4 {
        // Where both models say the same there is nothing to find.
        let request = completion(json!({"temperature": 1.5, "prompt": "Tell"}));
        let served = serve(&cheap, request, seed, None).await;
        let evidence = prefilled(&demo(), &served);
        let report = Served { evidence, ..served }.judged_by(&replayer);
        assert_eq!(report.verdict, Verdict::Different, "{report:?}");
        assert!(matches!(
            report.finding,
            Some(Finding::Token { .. } | Finding::Stops { .. } | Finding::GoesOn { .. })
        ));
    }
}
