//! The cross-encoder: a small BERT that reads a question and an answer together.
//!
//! Files are those of Hugging Face's `BertForSequenceClassification`: `config.json`,
//! `tokenizer.json` and `model.safetensors`, so that a cross-encoder from elsewhere loads as well.
//! One label is read through a sigmoid, of two the second one is the share of good.
//!
//! It computes in single precision. On another kind of processor a share may differ in its last
//! bits, and so a mark by one where it lies between two.

mod config;
mod network;

pub mod train;
mod weights;

pub use config::Config;

use crate::Mark;
use engine::train::tape::Tape;
use network::{Network, Texts};
use std::path::{Path, PathBuf};
use tokenizers::Tokenizer;

/// Pairs that are read in one pass.
const AT_ONCE: usize = 32;

/// The longest of a question and of an answer that is looked at, in bytes: far more than what the
/// tokens of any such model hold.
const TEXT_MAX: usize = 64 << 10;

/// A loaded cross-encoder.
pub struct CrossEncoder {
    network: Network,
    tokenizer: Tokenizer,
}

/// Why there is no cross-encoder, or no mark.
#[derive(Debug, thiserror::Error)]
pub enum CrossError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} is not as expected: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
    #[error("the tensor {name} is missing")]
    NoTensor { name: String },
    #[error("the tensor {name} has the shape {got:?}, but {expected:?} fits the model")]
    Shape { name: String, got: Vec<usize>, expected: [usize; 2] },
    #[error("the tensor {name} is of the type {dtype}; F32, F16 and BF16 are read here")]
    Kind { name: String, dtype: String },
    #[error("the text cannot be cut into tokens: {0}")]
    Tokens(String),
    #[error("the tokenizer gives the token {token}, but the model knows {vocabulary}")]
    Stranger { token: u32, vocabulary: usize },
}

impl CrossEncoder {
    /// Loads the model in a folder.
    pub fn load(folder: &Path) -> Result<CrossEncoder, CrossError> {
        let config = Config::read(&folder.join("config.json"))?;
        let network = weights::read(&folder.join("model.safetensors"), &config)?;
        let path = folder.join("tokenizer.json");
        let wrong = |error: tokenizers::Error| CrossError::Wrong {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mut tokenizer = Tokenizer::from_file(&path).map_err(wrong)?;
        tokenizer.with_padding(None).with_truncation(Some(config.truncation())).map_err(wrong)?;
        Ok(CrossEncoder { network, tokenizer })
    }

    /// How well each answer fits its question.
    pub fn marks(&self, pairs: &[(&str, &str)]) -> Result<Vec<Mark>, CrossError> {
        let mut tape = Tape::default();
        let mut marks = Vec::with_capacity(pairs.len());
        for part in pairs.chunks(AT_ONCE) {
            let mut texts = Texts::default();
            for (question, answer) in part {
                let pair = (start(question), start(answer));
                let encoded = self.tokenizer.encode(pair, true);
                let encoded = encoded.map_err(|error| CrossError::Tokens(error.to_string()))?;
                texts.push(encoded.get_ids(), encoded.get_type_ids());
            }
            let vocabulary = self.network.config.vocab_size;
            if let Some(&token) = texts.tokens.iter().find(|token| **token as usize >= vocabulary) {
                return Err(CrossError::Stranger { token, vocabulary });
            }
            tape.clear();
            let logits = self.network.classify(&mut tape, &texts);
            let rows = tape.value(logits).chunks_exact(self.network.config.labels());
            marks.extend(rows.map(|row| Mark::of_share(share(row))));
        }
        Ok(marks)
    }

    /// How well one answer fits its question.
    pub fn mark(&self, question: &str, answer: &str) -> Result<Mark, CrossError> {
        Ok(self.marks(&[(question, answer)])?.into_iter().next().unwrap_or_default())
    }
}

/// The share of good that logits mean.
fn share(logits: &[f32]) -> f64 {
    let margin = match logits {
        [one] => *one,
        [bad, good, ..] => good - bad,
        [] => f32::NEG_INFINITY,
    };
    1.0 / (1.0 + libm::exp(f64::from(-margin)))
}

fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

#[cfg(test)]
mod tests;
