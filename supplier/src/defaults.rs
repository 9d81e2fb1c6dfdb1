//! How a model is sampled when a request does not say: its makers' own advice.

use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file beside a model in which Hugging Face's libraries keep that advice.
const FILE: &str = "generation_config.json";

/// What holds where a request says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct Defaults {
    pub temperature: f32,
    pub top_p: f32,
    pub top_k: usize,
    pub repetition_penalty: f32,
}

impl Default for Defaults {
    /// OpenAI's.
    fn default() -> Defaults {
        Defaults { temperature: 1.0, top_p: 1.0, top_k: 0, repetition_penalty: 1.0 }
    }
}

/// Why a model's advice cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum DefaultsError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} is wrong: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
}

impl Defaults {
    /// Reads `generation_config.json` of a model's folder; without that file, OpenAI's defaults hold.
    pub fn load(folder: &Path) -> Result<Defaults, DefaultsError> {
        let path = folder.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Defaults::default()),
            Err(source) => return Err(DefaultsError::Disk { path, source }),
        };
        let wrong = |reason: String| DefaultsError::Wrong { path: path.clone(), reason };
        let read: Defaults =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let fits = (0.0..=2.0).contains(&read.temperature)
            && (0.0..=1.0).contains(&read.top_p)
            && read.repetition_penalty > 0.0
            && read.repetition_penalty <= 2.0;
        match fits {
            true => Ok(read),
            false => Err(wrong(format!("{read:?} is out of range"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Defaults, DefaultsError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        Defaults::load(folder.path())
    }

    #[test]
    fn what_a_model_does_not_say_is_as_with_openai() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Defaults::load(folder.path()).unwrap(), Defaults::default());
        let cool = read(r#"{"temperature": 0.2, "do_sample": true, "eos_token_id": [1, 2]}"#);
        assert_eq!(cool.unwrap(), Defaults { temperature: 0.2, ..Defaults::default() });
    }

    #[test]
    fn advice_that_cannot_be_followed_is_refused() {
        for text in [r#"{"temperature": -1}"#, r#"{"top_p": 2}"#, r#"{"top_k": "many"}"#, "["] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
