//! A supplier's configuration.

use serde::Deserialize;
use std::path::PathBuf;

/// The configuration, with comments.
pub const TEMPLATE: &str = include_str!("config.toml");

/// What a supplier is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    pub listen: String,
    /// The folder of the model: a GGUF file, or safetensors with config.json; and tokenizer.json and
    /// tokenizer_config.json where the GGUF file has no tokenizer of its own.
    pub model: PathBuf,
    /// The name under which the model is served.
    pub name: String,
    /// Cores that compute; 0: all but one.
    #[serde(default)]
    pub threads: usize,
    #[serde(default)]
    pub limits: Limits,
    /// How a model over several boxes is run.
    #[serde(default)]
    pub pipeline: crate::pipeline::Settings,
    /// Boxes that run layers of the model; none: all of it runs here.
    #[serde(default)]
    pub stages: Vec<crate::pipeline::StageAt>,
}

/// What one supplier takes on at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Answers that are made side by side.
    pub sequences: usize,
    /// Answers that wait for their turn.
    pub queue: usize,
    /// Memory for keys and values of all answers, in MiB.
    pub cache_mib: usize,
    /// Bytes of a request.
    pub request_bytes: usize,
    /// Seconds that one answer may take, from when it is asked for.
    pub answer_s: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { sequences: 16, queue: 128, cache_mib: 2048, request_bytes: 1 << 20, answer_s: 600 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_configuration() {
        let config: Config = daemon::config::parse(TEMPLATE).unwrap();
        assert_eq!(config.limits.sequences, Limits::default().sequences);
    }
}
