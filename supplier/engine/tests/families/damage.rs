//! Whatever files hold, the answer is a model or an error.

use super::build::{self, Format, Spec};
use engine::{Kind, Model};
use proptest::prelude::*;
use serde_json::json;
use std::path::Path;

/// A model that may be damaged further: small, so that reading it often is quick.
fn written(format: Format) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec { layers: 1, vocabulary: 32, ..Spec::all()[3].clone() };
    build::write(&spec, format, folder.path());
    folder
}

fn load(folder: &Path) -> Result<Model, String> {
    Model::load(folder).map_err(|error| error.to_string())
}

#[test]
fn files_that_end_early_are_errors() {
    for (format, name) in [
        (Format::Gguf(Kind::Q4_K), "model.gguf"),
        (Format::Safetensors(Kind::BF16), "model.safetensors"),
        (Format::Safetensors(Kind::BF16), "config.json"),
    ] {
        let folder = written(format);
        let path = folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..40).map(|i| whole.len() * i / 40) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(load(folder.path()).is_err(), "{name} cut at {cut}");
        }
    }
}

#[test]
fn settings_beyond_all_reason_are_errors_that_name_them() {
    let folder = written(Format::Safetensors(Kind::F16));
    let path = folder.path().join("config.json");
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (name, value, said) in [
        ("model_type", json!("gpt2"), "gpt2"),
        ("hidden_size", json!(0), "hidden_size is 0"),
        ("hidden_size", json!(1u64 << 60), "hidden_size"),
        ("num_hidden_layers", json!(-3), "num_hidden_layers"),
        ("num_hidden_layers", json!(2), "blk.1"),
        ("num_key_value_heads", json!(3), "key-value heads"),
        ("head_dim", json!(63), "head is 63"),
        ("vocab_size", json!(33), "token_embd.weight has the shape [32, 256]"),
        ("rms_norm_eps", json!(-1), "epsilon"),
        ("rope_theta", json!(0), "base"),
        ("rope_theta", json!("much"), "base is NaN"),
        ("rope_scaling", json!({"rope_type": "odd"}), "odd"),
        ("rope_scaling", json!({"rope_type": "linear", "factor": 0}), "speed"),
        ("rope_scaling", json!({"rope_type": "llama3"}), "factor"),
        ("hidden_act", json!("gelu"), "gelu"),
        ("max_position_embeddings", json!(null), "max_position_embeddings"),
    ] {
        let mut config = config.clone();
        config[name] = value.clone();
        std::fs::write(&path, config.to_string()).unwrap();
        let error = load(folder.path()).err().unwrap();
        assert!(error.contains(said), "{name}: {value}: {error}");
    }
}

#[test]
fn tensors_that_no_family_has_are_errors() {
    let folder = written(Format::Safetensors(Kind::F32));
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes[8..])
        .replace("self_attn.v_proj.bias", "self_attn.v_gate.bias");
    let mut changed = bytes[..8].to_vec();
    let head = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    changed.extend(&text.as_bytes()[..head]);
    changed.extend(&bytes[8 + head..]);
    std::fs::write(&path, changed).unwrap();
    assert!(load(folder.path()).is_err_and(|error| error.contains("v_gate")));
    assert!(load(Path::new("/nowhere")).is_err());
    assert!(load(tempfile::tempdir().unwrap().path()).is_err_and(|e| e.contains("config.json")));
}

/// Changes the head of the file `name`, where its lengths are, many times; each time it is loaded.
fn changed(format: Format, name: &str) {
    let folder = written(format);
    let path = folder.path().join(name);
    let whole = std::fs::read(&path).unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    let change = (0usize..3_000, prop::collection::vec(any::<u8>(), 1..9));
    let tried = proptest::test_runner::TestRunner::new(config).run(&change, |(at, new)| {
        let mut bytes = whole.clone();
        bytes[at..at + new.len()].copy_from_slice(&new);
        std::fs::write(&path, &bytes).unwrap();
        let _model_or_error = load(folder.path());
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn changed_bytes_never_make_it_panic() {
    changed(Format::Gguf(Kind::Q8_0), "model.gguf");
    changed(Format::Safetensors(Kind::BF16), "model.safetensors");
}
