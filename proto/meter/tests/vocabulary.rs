//! A GGUF file's tokenizer counts as the tokenizer.json of the same model does.
#![allow(clippy::unwrap_used)]

use meter::{Endpoint, Meter};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes the head of a GGUF file with these values.
fn gguf(values: &[(&str, Value)]) -> Vec<u8> {
    fn text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    fn kind(value: &Value) -> u32 {
        match value {
            Value::String(_) => 8,
            Value::Bool(_) => 7,
            Value::Array(_) => 9,
            Value::Number(number) if number.is_f64() => 6,
            _ => 4,
        }
    }
    fn put(bytes: &mut Vec<u8>, value: &Value) {
        match value {
            Value::String(string) => text(bytes, string),
            Value::Bool(is) => bytes.push(u8::from(*is)),
            Value::Array(items) => {
                bytes.extend(kind(&items[0]).to_le_bytes());
                bytes.extend((items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| put(bytes, item));
            }
            other if other.is_f64() => bytes.extend((other.as_f64().unwrap() as f32).to_le_bytes()),
            other => bytes.extend((other.as_u64().unwrap() as u32).to_le_bytes()),
        }
    }
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes.extend((values.len() as u64).to_le_bytes());
    for (name, value) in values {
        text(&mut bytes, name);
        bytes.extend(kind(value).to_le_bytes());
        put(&mut bytes, value);
    }
    bytes
}

fn load(values: &[(&str, Value)]) -> Result<Meter, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("any.gguf"), gguf(values)).unwrap();
    Meter::load(folder.path()).map_err(|error| error.to_string())
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo")
}

/// The demo model's tokenizer as a GGUF file would hold it.
fn byte_level() -> Vec<(&'static str, Value)> {
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(demo().join(name)).unwrap()).unwrap()
    };
    let (tokenizer, config) = (read("tokenizer.json"), read("tokenizer_config.json"));
    let mut tokens: Vec<(u64, String)> = tokenizer["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(text, id)| (id.as_u64().unwrap(), text.clone()))
        .collect();
    tokens.sort();
    let kinds: Vec<u64> = tokens.iter().map(|(id, _)| if *id < 5 { 3 } else { 1 }).collect();
    let tokens: Vec<String> = tokens.into_iter().map(|(_, text)| text).collect();
    let merge =
        |pair: &Value| format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    let merges = tokenizer["model"]["merges"].as_array().unwrap();
    let merges: Vec<String> = merges.iter().map(merge).collect();
    vec![
        ("general.architecture", json!("llama")),
        ("llama.context_length", json!(512)),
        ("tokenizer.ggml.model", json!("gpt2")),
        ("tokenizer.ggml.pre", json!("gpt-2")),
        ("tokenizer.ggml.tokens", json!(tokens)),
        ("tokenizer.ggml.token_type", json!(kinds)),
        ("tokenizer.ggml.merges", json!(merges)),
        ("tokenizer.ggml.eos_token_id", json!(4)),
        ("tokenizer.ggml.eot_token_id", json!(3)),
        ("tokenizer.chat_template", config["chat_template"].clone()),
    ]
}

/// A vocabulary of pieces with scores: bytes, letters and a few words.
fn pieces() -> Vec<(&'static str, Value)> {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    let mut kinds = vec![2, 3, 3];
    for byte in 0..=255u8 {
        tokens.push(format!("<0x{byte:02X}>"));
        kinds.push(6);
    }
    let words =
        ["\u{2581}", "t", "h", "e", "c", "a", "\u{2581}t", "he", "\u{2581}the", "\u{2581}c", "at"];
    let words = words.into_iter().chain(["\u{2581}cat"]);
    tokens.extend(words.map(str::to_owned));
    kinds.resize(tokens.len(), 1);
    let scores: Vec<f64> = (0..tokens.len()).map(|i| -(i as f64) - 0.5).collect();
    vec![
        ("general.architecture", json!("llama")),
        ("tokenizer.ggml.model", json!("llama")),
        ("tokenizer.ggml.tokens", json!(tokens)),
        ("tokenizer.ggml.scores", json!(scores)),
        ("tokenizer.ggml.token_type", json!(kinds)),
        ("tokenizer.ggml.bos_token_id", json!(1)),
        ("tokenizer.ggml.eos_token_id", json!(2)),
        (
            "tokenizer.chat_template",
            json!("{{ bos_token }}{{ messages[0].content }}{{ tools|tojson }}"),
        ),
    ]
}

#[test]
fn the_demo_models_vocabulary_counts_alike_in_both_forms() {
    let (ours, theirs) = (load(&byte_level()).unwrap(), Meter::load(&demo()).unwrap());
    assert_eq!((ours.eos(), ours.context_max()), (theirs.eos(), theirs.context_max()));
    assert!(ours.ends(3) && ours.ends(4) && !ours.ends(5) && !theirs.ends(3));
    assert_eq!(ours.template_hash(), theirs.template_hash());
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "What is 2 + 3?"}]});
    let read = |meter: &Meter| meter.read(Endpoint::Chat, body.to_string().as_bytes()).unwrap();
    assert_eq!(read(&ours).prompts, read(&theirs).prompts);
}

#[test]
fn pieces_are_merged_by_their_scores_and_bytes_stand_in_for_what_is_in_none() {
    let meter = load(&pieces()).unwrap();
    let texts = |text: &str| -> Vec<String> {
        meter.encode(text).into_iter().map(|token| meter.token_text(token)).collect()
    };
    assert_eq!(texts("the cat").len(), 2);
    for text in ["the cat", "the  caé", "日本", " the", ""] {
        assert_eq!(meter.decode(&meter.encode(text)), text, "{:?}", texts(text));
    }
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "the"}], "tools": [{"a": "<x>"}]});
    let asked = meter.read(Endpoint::Chat, body.to_string().as_bytes()).unwrap();
    assert_eq!(asked.prompts[0][0], 1, "the template begins with <s>");
    assert!(meter.decode(&asked.prompts[0]).ends_with(r#"the[{"a": "<x>"}]"#));
}

#[test]
fn bytes_of_tokens_add_up_to_the_text() {
    for (values, prefix) in [(byte_level(), ""), (pieces(), " ")] {
        let meter = load(&values).unwrap();
        let text = "the café 日\n";
        let bytes: Vec<u8> =
            meter.encode(text).into_iter().flat_map(|t| meter.token_bytes(t).unwrap()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("{prefix}{text}"));
        assert_eq!(meter.token_bytes(1), None, "a control token is no text");
    }
}

#[test]
fn what_a_file_lacks_is_named() {
    for (name, value, said) in [
        ("tokenizer.ggml.model", json!("bert"), "bert"),
        ("tokenizer.ggml.pre", json!("odd"), "odd"),
        ("tokenizer.ggml.eos_token_id", json!(9_999_999), "9999999"),
        ("tokenizer.ggml.merges", json!(["ab"]), "ab"),
        ("tokenizer.ggml.token_type", json!([1]), "1 entries"),
        ("tokenizer.chat_template", json!(true), "no chat template"),
        ("tokenizer.ggml.tokens", json!("none"), "tokenizer.ggml.tokens"),
    ] {
        let mut values = byte_level();
        values.iter_mut().filter(|(n, _)| *n == name).for_each(|(_, v)| *v = value.clone());
        let error = load(&values).err().unwrap();
        assert!(error.contains(said), "{name}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_text_is_cut_alike_and_comes_back(text in "[a-zA-Z0-9 .,'\\n\\täé日🦀<|>]{0,60}") {
        thread_local! {
            static METERS: (Meter, Meter) =
                (load(&byte_level()).unwrap(), Meter::load(&demo()).unwrap());
        }
        METERS.with(|(ours, theirs)| {
            assert_eq!(ours.encode(&text), theirs.encode(&text));
            assert_eq!(ours.decode(&ours.encode(&text)), text);
        });
    }
}
