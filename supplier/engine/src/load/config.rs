//! Sizes and settings from the config.json that stands beside safetensors.

use super::rope::{Pairing, Rope, Scaling};
use super::shape::{CONTEXT_MAX, HEAD_MAX, HIDDEN_MAX, LAYERS_MAX, Shape, VOCABULARY_MAX};
use super::source::Source;
use super::{LoadError, bounded};
use serde_json::Value;

/// The base of rotations when a configuration names none.
const BASE_DEFAULT: f32 = 10_000.0;

struct Config<'a>(&'a Value);

impl Config<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn size(&self, name: &str, max: u64) -> Result<usize, LoadError> {
        let value = self.get(name).and_then(Value::as_u64);
        bounded(name, value.ok_or_else(|| LoadError::Missing(name.to_owned()))?, max)
    }

    fn size_or(&self, name: &str, max: u64, other: usize) -> Result<usize, LoadError> {
        if self.get(name).is_some() { self.size(name, max) } else { Ok(other) }
    }

    /// What is there but no number is none: whoever checks it refuses it.
    fn float(&self, name: &str) -> Option<f32> {
        self.get(name).map(|value| value.as_f64().map_or(f32::NAN, |value| value as f32))
    }

    fn is(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// The shape of a model that config.json tells of.
pub(crate) fn of_config(config: &Value, source: &Source) -> Result<Shape, LoadError> {
    let config = Config(config);
    let family = config.get("model_type").and_then(Value::as_str);
    let family = match family.ok_or_else(|| LoadError::Missing("model_type".to_owned()))? {
        "llama" => "llama",
        "mistral" => "mistral",
        "qwen2" => "qwen2",
        "qwen3" => "qwen3",
        other => return Err(LoadError::Family(other.to_owned())),
    };
    if let Some(act) = config.get("hidden_act").filter(|act| *act != "silu") {
        let (name, value) = ("hidden_act".to_owned(), act.to_string());
        return Err(LoadError::Unsupported { name, value });
    }
    let hidden = config.size("hidden_size", HIDDEN_MAX)?;
    let heads = config.size("num_attention_heads", HIDDEN_MAX)?;
    let head = config.size_or("head_dim", HEAD_MAX, hidden / heads)?;
    let layers = config.size("num_hidden_layers", LAYERS_MAX)?;
    let context = config.size("max_position_embeddings", CONTEXT_MAX)?;
    Shape {
        family,
        hidden,
        feed_forward: config.size("intermediate_size", HIDDEN_MAX * 8)?,
        layers,
        heads,
        kv_heads: config.size_or("num_key_value_heads", HIDDEN_MAX, heads)?,
        head,
        context,
        vocabulary: config.size("vocab_size", VOCABULARY_MAX)?,
        epsilon: config.float("rms_norm_eps").unwrap_or(1e-6),
        rope: rope(&config, head / 2, context)?,
        windows: windows(&config, family, layers),
        tied: config.is("tie_word_embeddings") || source.sizes("output.weight").is_none(),
    }
    .checked()
}

/// Mistral's layers all have the window; Qwen's only where it is switched on, from a layer on.
fn windows(config: &Config<'_>, family: &str, layers: usize) -> Vec<Option<usize>> {
    let window = config.get("sliding_window").and_then(Value::as_u64);
    let window = window.and_then(|window| usize::try_from(window).ok()).filter(|w| *w > 0);
    if let Some(Value::Array(kinds)) = config.get("layer_types") {
        let sliding = |i| kinds.get(i).is_some_and(|kind| kind == "sliding_attention");
        return (0..layers).map(|i| window.filter(|_| sliding(i))).collect();
    }
    let first = config.get("max_window_layers").and_then(Value::as_u64).unwrap_or(0);
    let slides = |i: usize| match family {
        "mistral" => true,
        "qwen2" | "qwen3" => config.is("use_sliding_window") && i as u64 >= first,
        _ => false,
    };
    (0..layers).map(|i| window.filter(|_| slides(i))).collect()
}

/// Newer tools write what concerns rotations into `rope_parameters`, older ones beside it.
fn rope(config: &Config<'_>, half: usize, context: usize) -> Result<Rope, LoadError> {
    let none = Value::Null;
    let newer = Config(config.get("rope_parameters").unwrap_or(&none));
    let older = Config(config.get("rope_scaling").unwrap_or(&none));
    let words = if newer.0.is_object() { newer } else { older };
    let base = words.float("rope_theta").or_else(|| config.float("rope_theta"));
    let number = |name: &str| {
        words.float(name).ok_or_else(|| LoadError::Missing(format!("the rotation's {name}")))
    };
    let original = || {
        let own = words.float("original_max_position_embeddings");
        own.or_else(|| config.float("original_max_position_embeddings")).unwrap_or(context as f32)
    };
    let kind = words.get("rope_type").or_else(|| words.get("type")).and_then(Value::as_str);
    let scaling = match kind {
        None | Some("default") => Scaling::None,
        Some("linear") => Scaling::Linear { factor: number("factor")? },
        Some("llama3") => Scaling::Llama3 {
            factor: number("factor")?,
            low: number("low_freq_factor")?,
            high: number("high_freq_factor")?,
            original: original(),
        },
        Some("yarn") => Scaling::Yarn {
            factor: number("factor")?,
            original: original(),
            fast: words.float("beta_fast").unwrap_or(32.0),
            slow: words.float("beta_slow").unwrap_or(1.0),
            attention: words.float("attention_factor"),
        },
        Some(other) => {
            let (name, value) = ("rope_type".to_owned(), other.to_owned());
            return Err(LoadError::Unsupported { name, value });
        }
    };
    Rope::new(base.unwrap_or(BASE_DEFAULT), half, Pairing::Halves, &scaling)
}
