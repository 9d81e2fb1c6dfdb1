//! A service: one exact model, and how its usage is weighed.

use crate::keys::Address;
use crate::names::{LABEL_MAX, SERVICE_ID_MAX};
use crate::units::{Denom, Digest, Price};
use crate::usage::CuWeights;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a service, which is also the model's name for clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceId(String);

/// A name that no service can have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a service: it takes 1 to {SERVICE_ID_MAX} of letters, digits and . _ - / : and begins with a letter or digit"
)]
pub struct BadServiceId(pub String);

impl ServiceId {
    /// The name `text`, if a service can have it.
    pub fn new(text: impl Into<String>) -> Result<ServiceId, BadServiceId> {
        let text = text.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
        let fits = (1..=SERVICE_ID_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(allowed);
        if fits { Ok(ServiceId(text)) } else { Err(BadServiceId(text)) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One exact model. Precision and kernel class belong to its identity: an honest box of another
/// precision differs from it as much as a cheat does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub id: ServiceId,
    /// Who listed it, and gets the source's share.
    pub source: Address,
    /// blake3 over the manifest of the weight files.
    pub model_hash: Digest,
    pub tokenizer_hash: Digest,
    pub template_hash: Digest,
    pub precision: String,
    pub kernel_class: String,
    /// Tokens of prompt and answer together, at most.
    pub context_max: u32,
    pub cu_weights: CuWeights,
    /// The price that it begins with.
    pub price_start: Price,
    pub denom: Denom,
    /// Distance at which an audit of identity convicts; 0: such audits are logged only.
    pub identity_threshold: u32,
}

/// Why a service cannot be listed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceRefused {
    #[error("{name} has {length} bytes, but at most {LABEL_MAX} are kept")]
    LongLabel { name: &'static str, length: usize },
    #[error("context_max is {0}, but must be in 1..={CONTEXT_MAX}")]
    Context(u32),
    #[error("the weights of fresh prompt tokens and of output must be at least 1")]
    Weightless,
    #[error("price_start is {0}, but must be in 1..={PRICE_START_MAX}")]
    Price(Price),
}

/// Tokens that a model's context may hold at most.
pub const CONTEXT_MAX: u32 = 1 << 24;

/// The highest price that a service may begin with: costs must stay far from overflow.
pub const PRICE_START_MAX: u64 = 1 << 40;

impl Service {
    /// Whether such a service can be listed.
    pub fn check(&self) -> Result<(), ServiceRefused> {
        for (name, label) in [("precision", &self.precision), ("kernel_class", &self.kernel_class)]
        {
            if label.len() > LABEL_MAX {
                return Err(ServiceRefused::LongLabel { name, length: label.len() });
            }
        }
        if !(1..=CONTEXT_MAX).contains(&self.context_max) {
            return Err(ServiceRefused::Context(self.context_max));
        }
        if self.cu_weights.fresh_in == 0 || self.cu_weights.out == 0 {
            return Err(ServiceRefused::Weightless);
        }
        if !(1..=PRICE_START_MAX).contains(&self.price_start.0) {
            return Err(ServiceRefused::Price(self.price_start));
        }
        Ok(())
    }
}
