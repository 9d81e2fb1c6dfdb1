//! Counts tokens as the service's listing says, whatever the supplier's server says of itself.

use proto::{Cu, Digest, Usage};
use proto::usage::CuWeights;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a client can ask of a supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Chat,
    Completions,
}

impl Endpoint {
    /// Its path, here and at the supplier.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/v1/chat/completions",
            Endpoint::Completions => "/v1/completions",
        }
    }
}

/// What a request may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Tokens of the prompt after its template.
    pub prompt: u64,
    /// Tokens of the answer at most.
    pub out_max: u64,
}

/// A request that cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadBody(pub String);

/// How an answer ended, by what it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is whole.
    Whole,
    /// It could go on.
    Open,
    /// It is no answer of an OpenAI-compatible server, or says that it failed.
    Garbage,
}

/// The tokenizer and template of one model.
pub trait Counter: Send + Sync + 'static {
    /// What a request may use at most, and a count of its answer.
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), BadBody>;
}

/// A count of one answer as it flows by.
pub trait Count: Send {
    /// Takes the next bytes, cut anywhere.
    fn push(&mut self, bytes: &[u8]);

    /// Tokens of the text that was delivered so far.
    fn out(&mut self) -> u64;

    /// How it would have ended if nothing more came.
    fn ending(&mut self) -> Ending;
}

/// The models that a supplier can count for, by the digests of tokenizer and template.
pub type Counters = BTreeMap<(Digest, Digest), Arc<dyn Counter>>;

impl Need {
    /// What the answer weighs at most; the most that can be counted where that is too much.
    pub fn weight(&self, weights: CuWeights) -> Cu {
        let usage = Usage { fresh_in: self.prompt, cached_in: 0, out: self.out_max };
        weights.weigh(usage).unwrap_or(Cu(u64::MAX))
    }
}
