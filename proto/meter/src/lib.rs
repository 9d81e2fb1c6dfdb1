//! Counts what a relay used, with the tokenizer and the chat template that a service lists.
//!
//! Supplier, relay miner and gateway each count for themselves, and get the same numbers: prompt
//! tokens are those of the prompt after its template, output tokens those of the delivered text,
//! cut into tokens anew. How a backend happened to cut its own output does not matter, so anybody
//! who has the text can count again.

mod delivered;
mod files;
pub mod gguf;
mod pieces;
mod quotes;
mod request;
mod template;
mod vocabulary;

pub use delivered::{Delivered, Ending};
pub use request::{Asked, BadRequest, STOP_MAX};
pub use template::TemplateRefused;
pub use vocabulary::VocabularyError;

use files::Files;
use pieces::Pieces;
use proto::Digest;
use quotes::{CUT, Quotes};
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
    #[error("the tokenizer of {} cannot be used: {source}", path.display())]
    Vocabulary { path: PathBuf, source: VocabularyError },
}

/// The tokenizer and template of one model.
pub struct Meter {
    tokenizer: Tokenizer,
    template: Template,
    eos: Option<u32>,
    ends: Vec<u32>,
    pieces: Pieces,
    quotes: Quotes,
    context_max: u32,
    tokenizer_hash: Digest,
    template_hash: Digest,
}

impl Meter {
    /// Reads the tokenizer and the template of a model's folder: `tokenizer.json` and
    /// `tokenizer_config.json`, or what its GGUF file holds.
    pub fn load(folder: &Path) -> Result<Meter, LoadError> {
        let files = Files::read(folder)?;
        let path = files.path;
        let wrong = |reason: String| LoadError::Wrong { path: path.clone(), reason };
        let tokenizer =
            Tokenizer::from_bytes(&files.tokenizer).map_err(|error| wrong(error.to_string()))?;
        let text = files.template;
        let token = |text: &String| tokenizer.token_to_id(text);
        let eos = files.eos.as_ref().and_then(token);
        let ends = files.ends.into_iter().chain(eos).collect();
        let tokenizer_hash = Digest(*blake3::hash(&files.tokenizer).as_bytes());
        let template_hash = Digest(*blake3::hash(text.as_bytes()).as_bytes());
        let template = Template::new(text, files.bos, files.eos)
            .map_err(|refused| wrong(refused.to_string()))?;
        let (pieces, context_max) = (Pieces::of(&tokenizer), files.context);
        let quotes = Quotes::of(&tokenizer);
        Ok(Meter {
            tokenizer,
            template,
            eos,
            ends,
            pieces,
            quotes,
            context_max,
            tokenizer_hash,
            template_hash,
        })
    }

    /// blake3 of `tokenizer.json`, or of the one that says what a GGUF file says.
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

    /// Whether a token ends an answer: some models have one for a turn and another for a text.
    pub fn ends(&self, token: u32) -> bool {
        self.ends.contains(&token)
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
        let is_text = |token: &&u32| {
            let text = self.tokenizer.id_to_token(**token);
            text.is_some_and(|text| !self.tokenizer.get_added_vocabulary().is_special_token(&text))
        };
        let tokens: Vec<u32> = tokens.iter().filter(is_text).copied().collect();
        self.text_of(&tokens)
    }

    /// The text of tokens that there are. Some decoders break where there is none at all.
    fn text_of(&self, tokens: &[u32]) -> String {
        if tokens.iter().all(|token| self.tokenizer.id_to_token(*token).is_none()) {
            return String::new();
        }
        // Only a decoder that the tokenizer itself names wrongly fails, and then for every text.
        self.tokenizer.decode(tokens, false).unwrap_or_default()
    }

    /// The text of one token, in bytes where it is a part of a character.
    pub fn token_text(&self, token: u32) -> String {
        self.text_of(&[token])
    }

    /// Tokens of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The bytes that a token stands for, also where they are no text alone; `None` for tokens that
    /// are no text at all.
    pub fn token_bytes(&self, token: u32) -> Option<Vec<u8>> {
        let text = self.tokenizer.id_to_token(token)?;
        match self.tokenizer.get_added_vocabulary().get_added_tokens_decoder().get(&token) {
            Some(added) if added.special => None,
            Some(_) => Some(text.into_bytes()),
            None => Some(self.pieces.bytes(&text)),
        }
    }

    /// Reads a request and counts what it may use.
    pub fn read(&self, endpoint: Endpoint, body: &[u8]) -> Result<Asked, BadRequest> {
        request::read(self, endpoint, body)
    }

    /// The tokens of a conversation that was rendered with its clients' words cut.
    fn tokens_of_chat(&self, rendered: &str) -> Vec<u32> {
        let parts = rendered.split(CUT).filter(|part| !part.is_empty());
        parts.flat_map(|part| self.tokens(part, false)).collect()
    }

    fn tokens(&self, text: &str, add_special: bool) -> Vec<u32> {
        // A tokenizer that loaded cuts every text: its alphabet or its unknown token covers it.
        let encoded = self.tokenizer.encode_fast(text, add_special);
        encoded.map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }
}
