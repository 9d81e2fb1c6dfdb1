//! Sizes and settings from a GGUF file's own words.

use super::rope::{Pairing, Rope, Scaling};
use super::shape::{CONTEXT_MAX, HEAD_MAX, HIDDEN_MAX, LAYERS_MAX, Shape, VOCABULARY_MAX};
use super::source::Source;
use super::{LoadError, bounded};
use meter::gguf::Value;
use std::collections::BTreeMap;

/// The base of rotations when a file names none.
const BASE_DEFAULT: f32 = 10_000.0;

/// What a file says, under its family's name.
struct Words<'a> {
    family: &'static str,
    values: &'a BTreeMap<String, Value>,
}

impl Words<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(&format!("{}.{name}", self.family))
    }

    fn size(&self, name: &str, max: u64) -> Result<usize, LoadError> {
        let full = format!("{}.{name}", self.family);
        let value = self.get(name).ok_or_else(|| LoadError::Missing(full.clone()))?;
        bounded(&full, one(value).ok_or_else(|| LoadError::Form { name: full.clone() })?, max)
    }

    fn size_or(&self, name: &str, max: u64, other: usize) -> Result<usize, LoadError> {
        if self.get(name).is_some() { self.size(name, max) } else { Ok(other) }
    }

    fn float(&self, name: &str) -> Option<f32> {
        self.get(name).and_then(Value::float).map(|value| value as f32)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::text)
    }
}

/// A number, or one for each layer where all are the same.
fn one(value: &Value) -> Option<u64> {
    let Some(list) = value.list() else { return value.number() };
    let first = list.first()?.number()?;
    list.iter().all(|other| other.number() == Some(first)).then_some(first)
}

/// The shape of a model that `values` tell of.
pub(crate) fn of_metadata(
    values: &BTreeMap<String, Value>,
    source: &Source,
) -> Result<Shape, LoadError> {
    let family = values.get("general.architecture").and_then(Value::text);
    let family = family.ok_or_else(|| LoadError::Missing("general.architecture".to_owned()))?;
    let (family, pairing) = match family {
        "llama" => ("llama", Pairing::Neighbours),
        "qwen2" => ("qwen2", Pairing::Halves),
        "qwen3" => ("qwen3", Pairing::Halves),
        other => return Err(LoadError::Family(other.to_owned())),
    };
    let words = Words { family, values };
    if let Some(experts) = words.get("expert_count").and_then(Value::number).filter(|n| *n > 0) {
        let (name, value) = (format!("{family}.expert_count"), experts.to_string());
        return Err(LoadError::Unsupported { name, value });
    }
    let heads = words.size("attention.head_count", HIDDEN_MAX)?;
    let hidden = words.size("embedding_length", HIDDEN_MAX)?;
    let rotated = words.size_or("rope.dimension_count", HEAD_MAX, hidden / heads)?;
    let head = words.size_or("attention.key_length", HEAD_MAX, rotated)?;
    let value_head = words.size_or("attention.value_length", HEAD_MAX, head)?;
    if rotated != head || value_head != head {
        let value = format!("{rotated}, with keys of {head} and values of {value_head}");
        let name = format!("{family}.rope.dimension_count");
        return Err(LoadError::Unsupported { name, value });
    }
    let layers = words.size("block_count", LAYERS_MAX)?;
    let window = words.get("attention.sliding_window").and_then(Value::number);
    let window = window.and_then(|window| usize::try_from(window).ok()).filter(|w| *w > 0);
    let rope = rope(&words, head / 2, pairing, source)?;
    let vocabulary = source.sizes("token_embd.weight").and_then(|sizes| sizes.first());
    let vocabulary =
        vocabulary.ok_or_else(|| LoadError::NoTensor { name: "token_embd.weight".to_owned() })?;
    Shape {
        family,
        hidden,
        feed_forward: words.size("feed_forward_length", HIDDEN_MAX * 8)?,
        layers,
        heads,
        kv_heads: words.size_or("attention.head_count_kv", HIDDEN_MAX, heads)?,
        head,
        context: words.size("context_length", CONTEXT_MAX)?,
        vocabulary: bounded("the vocabulary", *vocabulary as u64, VOCABULARY_MAX)?,
        epsilon: words.float("attention.layer_norm_rms_epsilon").unwrap_or(1e-5),
        rope,
        windows: vec![window; layers],
        tied: source.sizes("output.weight").is_none(),
    }
    .checked()
}

fn rope(
    words: &Words<'_>,
    half: usize,
    pairing: Pairing,
    source: &Source,
) -> Result<Rope, LoadError> {
    let base = words.float("rope.freq_base").unwrap_or(BASE_DEFAULT);
    let factor = words.float("rope.scaling.factor").unwrap_or(1.0);
    let original = words.get("rope.scaling.original_context_length").and_then(Value::number);
    let scaling = match words.text("rope.scaling.type") {
        None | Some("none") => Scaling::None,
        Some("linear") => Scaling::Linear { factor },
        Some("yarn") => Scaling::Yarn {
            factor,
            original: original.ok_or_else(|| {
                LoadError::Missing(format!("{}.rope.scaling.original_context_length", words.family))
            })? as f32,
            fast: words.float("rope.scaling.yarn_beta_fast").unwrap_or(32.0),
            slow: words.float("rope.scaling.yarn_beta_slow").unwrap_or(1.0),
            attention: words.float("rope.scaling.attn_factor"),
        },
        Some(other) => {
            let name = format!("{}.rope.scaling.type", words.family);
            return Err(LoadError::Unsupported { name, value: other.to_owned() });
        }
    };
    let mut rope = Rope::new(base, half, pairing, &scaling)?;
    if source.sizes("rope_freqs.weight").is_some() {
        rope.divide(&super::weights::vector(source, "rope_freqs.weight", half)?)?;
    }
    Ok(rope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(value: Value) -> Result<usize, String> {
        let values = BTreeMap::from([("llama.block_count".to_owned(), value)]);
        let words = Words { family: "llama", values: &values };
        words.size("block_count", LAYERS_MAX).map_err(|error| error.to_string())
    }

    #[test]
    fn a_size_is_a_number_or_the_same_number_for_each_layer() {
        let list =
            |numbers: &[i64]| Value::List(numbers.iter().map(|n| Value::Signed(*n)).collect());
        assert_eq!(layers(Value::Signed(7)), Ok(7));
        assert_eq!(layers(list(&[7, 7])), Ok(7));
        for odd in [list(&[7, 8]), list(&[]), Value::Text("7".to_owned()), Value::Signed(-7)] {
            let told = layers(odd).unwrap_err();
            assert!(told.contains("llama.block_count in a form that is not read"), "{told}");
        }
        assert!(layers(Value::Unsigned(0)).unwrap_err().contains("must be in 1..="));
    }
}
