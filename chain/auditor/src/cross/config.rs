//! The sizes of a BERT, as `config.json` says them.

use super::CrossError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use tokenizers::{TruncationParams, TruncationStrategy};

/// Beyond these a file is no cross-encoder.
const LAYERS_MAX: usize = 64;
const WIDTH_MAX: usize = 16_384;
const VOCABULARY_MAX: usize = 1 << 20;
const POSITIONS_MAX: usize = 8_192;

/// What `config.json` says, by its names there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    #[serde(default = "bert")]
    pub model_type: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    #[serde(default = "gelu")]
    pub hidden_act: String,
    pub max_position_embeddings: usize,
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f32,
    /// The labels; where a file names none there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id2label: Option<BTreeMap<String, String>>,
}

fn bert() -> String {
    "bert".to_owned()
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn two() -> usize {
    2
}

fn epsilon() -> f32 {
    1e-12
}

impl Config {
    /// Reads and checks a `config.json`.
    pub fn read(path: &Path) -> Result<Config, CrossError> {
        let text = std::fs::read(path)
            .map_err(|source| CrossError::Disk { path: path.to_owned(), source })?;
        let wrong = |reason: String| CrossError::Wrong { path: path.to_owned(), reason };
        let config: Config =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        config.check().map_err(wrong)?;
        Ok(config)
    }

    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.id2label.as_ref().map_or(2, BTreeMap::len)
    }

    /// How a pair that is too long is cut: the longer text first.
    pub fn truncation(&self) -> TruncationParams {
        TruncationParams {
            max_length: self.max_position_embeddings,
            strategy: TruncationStrategy::LongestFirst,
            ..Default::default()
        }
    }

    fn check(&self) -> Result<(), String> {
        for (name, value, max) in [
            ("vocab_size", self.vocab_size, VOCABULARY_MAX),
            ("hidden_size", self.hidden_size, WIDTH_MAX),
            ("num_hidden_layers", self.num_hidden_layers, LAYERS_MAX),
            ("num_attention_heads", self.num_attention_heads, self.hidden_size),
            ("intermediate_size", self.intermediate_size, WIDTH_MAX),
            ("max_position_embeddings", self.max_position_embeddings, POSITIONS_MAX),
            ("type_vocab_size", self.type_vocab_size, 2),
            ("the number of labels", self.labels(), 2),
        ] {
            if !(1..=max).contains(&value) {
                return Err(format!("{name} is {value}, but it must be in 1..={max}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
            return Err(format!("hidden_size {hidden} is no multiple of {heads} heads"));
        }
        for (name, value, expected) in
            [("model_type", &self.model_type, "bert"), ("hidden_act", &self.hidden_act, "gelu")]
        {
            if value != expected {
                return Err(format!("{name} is {value:?}, but only {expected:?} is run here"));
            }
        }
        Ok(())
    }
}
