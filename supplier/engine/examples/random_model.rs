//! Writes a model of random weights to measure with: `random_model FOLDER [TOKENIZER]`.
//!
//! It is a Llama at F16 of 125 million weights; llama.cpp's `llama-quantize` makes other types of it. With the
//! folder of a byte-level `tokenizer.json` and its `tokenizer_config.json` the file holds that tokenizer, so that
//! whole servers run it, and has as many tokens: 90 million weights with the demo model's.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/families/build.rs"]
mod build;

use build::{Said, Spec};
use candle_core::quantized::gguf_file::Value;
use engine::Kind;
use serde_json::Value as Json;
use std::path::Path;

/// Types of tokens in a GGUF file.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

fn main() {
    let argument = |at: usize| std::env::args().nth(at);
    let folder = argument(1).unwrap();
    let spec = Spec {
        hidden: 768,
        feed_forward: 2048,
        layers: 12,
        heads: 12,
        kv_heads: 12,
        head: 64,
        vocabulary: 32_000,
        context: 4096,
        tied: false,
        ..Spec::all()[0].clone()
    };
    std::fs::create_dir_all(&folder).unwrap();
    let (vocabulary, said) = argument(2).map_or_else(
        || (spec.vocabulary, vec![text("model", "no_vocab")]),
        |from| tokenizer(Path::new(&from)),
    );
    build::gguf(&Spec { vocabulary, ..spec }, Kind::F16, &said, Path::new(&folder));
}

fn text(name: &str, value: &str) -> (String, Value) {
    (format!("tokenizer.ggml.{name}"), Value::String(value.to_owned()))
}

/// How many tokens there are, and what a GGUF file says of them.
fn tokenizer(folder: &Path) -> (usize, Said) {
    let read = |name: &str| -> Json {
        serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let (tokenizer, config) = (read("tokenizer.json"), read("tokenizer_config.json"));
    let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
    let mut tokens = vec![Value::String(String::new()); vocabulary.len()];
    for (token, id) in vocabulary {
        tokens[id.as_u64().unwrap() as usize] = Value::String(token.clone());
    }
    let mut kinds = vec![Value::I32(NORMAL); tokens.len()];
    let mut end = 0;
    for added in tokenizer["added_tokens"].as_array().unwrap() {
        let id = added["id"].as_u64().unwrap();
        kinds[id as usize] = Value::I32(CONTROL);
        if added["content"] == config["eos_token"] {
            end = id as u32;
        }
    }
    let merge = |pair: &Json| {
        let pair = [0, 1].map(|side| pair[side].as_str().unwrap());
        Value::String(pair.join(" "))
    };
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter().map(merge).collect();
    let count = tokens.len();
    let list = |name: &str, values| (format!("tokenizer.ggml.{name}"), Value::Array(values));
    let said = vec![
        text("model", "gpt2"),
        text("pre", "gpt-2"),
        list("tokens", tokens),
        list("token_type", kinds),
        list("merges", merges),
        ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(end)),
        ("tokenizer.ggml.add_bos_token".to_owned(), Value::Bool(false)),
        (
            "tokenizer.chat_template".to_owned(),
            Value::String(config["chat_template"].as_str().unwrap().to_owned()),
        ),
    ];
    (count, said)
}
