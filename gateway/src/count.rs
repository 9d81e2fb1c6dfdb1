//! Counts tokens as the service's listing says, so that what a supplier bills can be checked.

use crate::openai::{Endpoint, Refusal};
pub(crate) use meter::Ending;
use meter::{Delivered, Meter};
use proto::usage::CuWeights;
use proto::{Cu, Digest, Usage};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a request may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Tokens of the prompt after its template.
    pub prompt: u64,
    /// Tokens of the answer at most.
    pub out_max: u64,
}

impl Need {
    /// What the answer weighs at most; `None` where that is more than can be counted.
    pub fn weight(&self, weights: CuWeights) -> Option<Cu> {
        let usage = Usage { fresh_in: self.prompt, cached_in: 0, out: self.out_max };
        weights.weigh(usage).ok()
    }
}

/// The tokenizer and template of one model.
pub trait Counter: Send + Sync + 'static {
    /// What a request may use at most, and a count of its answer. A request that cannot be served
    /// is refused.
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), Refusal>;
}

/// A count of one answer as it flows by.
pub trait Count: Send {
    /// Takes the next bytes, cut anywhere.
    fn push(&mut self, bytes: &[u8]);

    /// Tokens of the text that was delivered so far.
    fn out(&mut self) -> u64;

    /// Whether it says anything yet.
    fn has_begun(&mut self) -> bool;

    /// How it would have ended if nothing more came.
    fn ending(&mut self) -> Ending;
}

/// The models that a gateway can count for, by the digests of tokenizer and template.
pub type Counters = BTreeMap<(Digest, Digest), Arc<dyn Counter>>;

/// The [`meter`] of one model.
pub struct Metered(Arc<Meter>);

impl Metered {
    /// The models in `folders`, each with its tokenizer and template.
    pub fn load(folders: &[std::path::PathBuf]) -> Result<Counters, meter::LoadError> {
        let mut counters = Counters::new();
        for folder in folders {
            let meter = Meter::load(folder)?;
            let key = (meter.tokenizer_hash(), meter.template_hash());
            counters.insert(key, Arc::new(Metered(Arc::new(meter))));
        }
        Ok(counters)
    }
}

impl Counter for Metered {
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), Refusal> {
        let endpoint = match endpoint {
            Endpoint::Chat => meter::Endpoint::Chat,
            Endpoint::Text => meter::Endpoint::Completions,
        };
        let asked = self.0.read(endpoint, body).map_err(|bad| Refusal::Invalid {
            reason: bad.message,
            param: bad.param,
            code: bad.code,
        })?;
        let need = Need { prompt: asked.prompt_tokens(), out_max: asked.out_max() };
        Ok((need, Box::new(Delivered::new(self.0.clone(), asked.stream))))
    }
}

impl Count for Delivered {
    fn push(&mut self, bytes: &[u8]) {
        Delivered::push(self, bytes);
    }

    fn out(&mut self) -> u64 {
        Delivered::out(self)
    }

    fn has_begun(&mut self) -> bool {
        Delivered::has_begun(self)
    }

    fn ending(&mut self) -> Ending {
        Delivered::ending(self)
    }
}
