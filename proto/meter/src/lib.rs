//! Counts what a relay used, with the tokenizer and the chat template that a service lists.
//!
//! Supplier, relay miner and gateway each count for themselves, and get the same numbers: prompt
//! tokens are those of the prompt after its template, output tokens those of the delivered text,
//! cut into tokens anew. How a backend happened to cut its own output does not matter, so anybody
//! who has the text can count again.

mod delivered;
pub mod gguf;
mod request;
mod template;

pub use delivered::{Delivered, Ending};
pub use request::{Asked, BadRequest, STOP_MAX};
pub use template::TemplateRefused;

use proto::Digest;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use template::Template;
use tokenizers::Tokenizer;

/// What a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
}

/// Why a model's tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} is not as expected: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
    #[error("{} holds no chat template", .0.display())]
    NoTemplate(PathBuf),
}

/// Tokens of a context when the configuration names none, or a number that is none.
const CONTEXT_DEFAULT: u32 = 4096;

/// Contexts beyond this are how some configurations say that they know none.
const CONTEXT_MAX: f64 = 16_777_216.0;

/// `tokenizer_config.json`, as far as it matters here.
#[derive(Deserialize)]
struct Config {
    chat_template: Option<String>,
    model_max_length: Option<f64>,
    bos_token: Option<Special>,
    eos_token: Option<Special>,
}

/// A special token: its text, or an object with it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Special {
    Text(String),
    Object { content: String },
}

impl Special {
    fn into_text(self) -> String {
        match self {
            Special::Text(text) | Special::Object { content: text } => text,
        }
    }
}

/// The tokenizer and template of one model.
pub struct Meter {
    tokenizer: Tokenizer,
    template: Template,
    eos: Option<u32>,
    context_max: u32,
    tokenizer_hash: Digest,
    template_hash: Digest,
}

impl Meter {
    /// Reads `tokenizer.json` and `tokenizer_config.json` of a model's folder.
    pub fn load(folder: &Path) -> Result<Meter, LoadError> {
        let read = |name: &str| {
            let path = folder.join(name);
            let bytes = std::fs::read(&path)
                .map_err(|source| LoadError::Disk { path: path.clone(), source })?;
            Ok::<_, LoadError>((path, bytes))
        };
        let (path, bytes) = read("tokenizer.json")?;
        let wrong = |reason: String| LoadError::Wrong { path: path.clone(), reason };
        let tokenizer = Tokenizer::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))?;
        let tokenizer_hash = Digest(*blake3::hash(&bytes).as_bytes());
        let (path, bytes) = read("tokenizer_config.json")?;
        let wrong = |reason: String| LoadError::Wrong { path: path.clone(), reason };
        let config: Config =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let text = config.chat_template.ok_or_else(|| LoadError::NoTemplate(path.clone()))?;
        let eos_text = config.eos_token.map(Special::into_text);
        let eos = eos_text.as_ref().and_then(|text| tokenizer.token_to_id(text));
        let context = config.model_max_length.filter(|n| (1.0..=CONTEXT_MAX).contains(n));
        let template_hash = Digest(*blake3::hash(text.as_bytes()).as_bytes());
        let bos_text = config.bos_token.map(Special::into_text);
        let template = Template::new(text, bos_text, eos_text)
            .map_err(|refused| wrong(refused.to_string()))?;
        let context_max = context.map_or(CONTEXT_DEFAULT, |n| n as u32);
        Ok(Meter { tokenizer, template, eos, context_max, tokenizer_hash, template_hash })
    }

    /// blake3 of `tokenizer.json`.
    pub fn tokenizer_hash(&self) -> Digest {
        self.tokenizer_hash
    }

    /// blake3 of the chat template's text.
    pub fn template_hash(&self) -> Digest {
        self.template_hash
    }

    /// Tokens of prompt and answer together, at most.
    pub fn context_max(&self) -> u32 {
        self.context_max
    }

    /// The token that ends an answer.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// The tokens of a text as an answer holds it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.tokens(text, false)
    }

    /// How many tokens a text of an answer has.
    pub fn count(&self, text: &str) -> u64 {
        self.encode(text).len() as u64
    }

    /// The text of tokens.
    pub fn decode(&self, tokens: &[u32]) -> String {
        // Only a decoder that the tokenizer itself names wrongly fails, and then for every text.
        self.tokenizer.decode(tokens, true).unwrap_or_default()
    }

    /// The text of one token, in bytes where it is a part of a character.
    pub fn token_text(&self, token: u32) -> String {
        self.tokenizer.decode(&[token], false).unwrap_or_default()
    }

    /// Reads a request and counts what it may use.
    pub fn read(&self, endpoint: Endpoint, body: &[u8]) -> Result<Asked, BadRequest> {
        request::read(self, endpoint, body)
    }

    fn tokens(&self, text: &str, add_special: bool) -> Vec<u32> {
        // A tokenizer that loaded cuts every text: its alphabet or its unknown token covers it.
        let encoded = self.tokenizer.encode_fast(text, add_special);
        encoded.map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }
}
