//! The one model that is served, in OpenAI's list.

use crate::refusal::Refusal;
use serde_json::{Value, json};

/// A model as it is told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card<'a> {
    pub(crate) name: &'a str,
    /// Tokens of prompt and answer together at most.
    pub(crate) context_max: u64,
}

impl Card<'_> {
    /// `GET /v1/models`
    pub(crate) fn list(self) -> Value {
        json!({"object": "list", "data": [self.json()]})
    }

    /// `GET /v1/models/{name}`
    pub(crate) fn named(self, name: &str) -> Result<Value, Refusal> {
        match name == self.name {
            true => Ok(self.json()),
            false => Err(Refusal::Model(name.to_owned())),
        }
    }

    fn json(self) -> Value {
        json!({
            "id": self.name, "object": "model", "created": 0, "owned_by": "lode",
            "max_model_len": self.context_max,
        })
    }
}
