//! Counts tokens as the service's listing says, whatever the supplier's server says of itself.

use meter::{Delivered, LoadError, Meter};
use proto::usage::CuWeights;
use proto::{Cu, Digest, Usage};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use meter::{Ending, Endpoint};

/// What a request may use at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub model: String,
    /// Tokens of the prompt after its template.
    pub prompt: u64,
    /// Tokens of the answer at most.
    pub out_max: u64,
}

/// A request that cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadBody(pub String);

/// The tokenizer and template of one model.
pub trait Counter: Send + Sync + 'static {
    /// What a request may use at most, and a count of its answer.
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), BadBody>;
}

/// A count of one answer as it flows by.
pub trait Count: Send {
    /// Takes the next bytes, cut anywhere.
    fn push(&mut self, bytes: &[u8]);

    /// Tokens of the text that was delivered so far. It takes as long as that text is.
    fn out(&mut self) -> u64;

    /// How it would have ended if nothing more came.
    fn ending(&mut self) -> Ending;
}

/// The models that a supplier can count for, by the digests of tokenizer and template.
pub type Counters = BTreeMap<(Digest, Digest), Arc<dyn Counter>>;

/// Reads the tokenizer and template of each folder.
pub fn load(folders: &[PathBuf]) -> Result<Counters, LoadError> {
    let mut counters = Counters::new();
    for folder in folders {
        let meter = Meter::load(folder)?;
        let listed = (meter.tokenizer_hash(), meter.template_hash());
        tracing::info!(folder = %folder.display(), tokenizer = %listed.0, template = %listed.1, "model is counted");
        counters.insert(listed, Arc::new(Arc::new(meter)));
    }
    Ok(counters)
}

/// The path of an endpoint, here and at the supplier.
pub const fn path_of(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Chat => "/v1/chat/completions",
        Endpoint::Completions => "/v1/completions",
    }
}

impl Counter for Arc<Meter> {
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), BadBody> {
        let asked = self.read(endpoint, body).map_err(|bad| BadBody(bad.to_string()))?;
        let (prompt, out_max) = (asked.prompt_tokens(), asked.out_max());
        let delivered = Delivered::new(self.clone(), asked.stream);
        Ok((Need { model: asked.model, prompt, out_max }, Box::new(delivered)))
    }
}

impl Count for Delivered {
    fn push(&mut self, bytes: &[u8]) {
        Delivered::push(self, bytes);
    }

    fn out(&mut self) -> u64 {
        Delivered::out(self)
    }

    fn ending(&mut self) -> Ending {
        Delivered::ending(self)
    }
}

impl Need {
    /// What the answer weighs at most; the most that can be counted where that is too much.
    pub fn weight(&self, weights: CuWeights) -> Cu {
        let usage = Usage { fresh_in: self.prompt, cached_in: 0, out: self.out_max };
        weights.weigh(usage).unwrap_or(Cu(u64::MAX))
    }
}
