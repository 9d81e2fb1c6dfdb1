//! The shapes of answers, as OpenAI's clients know them.

use crate::worker::{Finish, Told};
use meter::Endpoint;
use serde_json::{Value, json};

/// What all parts of one answer share.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) endpoint: Endpoint,
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
}

/// Tokens of prompts and of delivered texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) prompt: u64,
    pub(crate) out: u64,
}

impl Used {
    fn json(self) -> Value {
        let Used { prompt, out } = self;
        json!({"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out})
    }
}

impl Frame {
    fn object(&self, stream: bool) -> &'static str {
        match (self.endpoint, stream) {
            (Endpoint::Chat, true) => "chat.completion.chunk",
            (Endpoint::Chat, false) => "chat.completion",
            (Endpoint::Completions, _) => "text_completion",
        }
    }

    fn around(&self, stream: bool, choices: Vec<Value>) -> Value {
        json!({
            "id": self.id,
            "object": self.object(stream),
            "created": self.created,
            "model": self.model,
            "system_fingerprint": concat!("lode-", env!("CARGO_PKG_VERSION")),
            "choices": choices,
        })
    }

    fn event(&self, choices: Vec<Value>) -> String {
        format!("data: {}\n\n", self.around(true, choices))
    }

    /// The first event of a choice of a chat.
    pub(crate) fn begins(&self, index: usize) -> Option<String> {
        let delta = json!({"role": "assistant", "content": ""});
        let choice =
            json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": null});
        (self.endpoint == Endpoint::Chat).then(|| self.event(vec![choice]))
    }

    /// An event with more text.
    pub(crate) fn more(&self, index: usize, text: &str, told: &[Told], wanted: bool) -> String {
        let logprobs = if wanted { self.logprobs(told) } else { Value::Null };
        let mut choice = json!({"index": index, "logprobs": logprobs, "finish_reason": null});
        match self.endpoint {
            Endpoint::Chat => choice["delta"] = json!({"content": text}),
            Endpoint::Completions => choice["text"] = text.into(),
        }
        self.event(vec![choice])
    }

    /// The event that ends a choice.
    pub(crate) fn ends(&self, index: usize, finish: Finish) -> String {
        let mut choice = json!({"index": index, "logprobs": null, "finish_reason": finish.name()});
        match self.endpoint {
            Endpoint::Chat => choice["delta"] = json!({}),
            Endpoint::Completions => choice["text"] = "".into(),
        }
        self.event(vec![choice])
    }

    /// The event that tells the usage of a stream.
    pub(crate) fn usage(&self, used: Used) -> String {
        let mut event = self.around(true, Vec::new());
        event["usage"] = used.json();
        format!("data: {event}\n\n")
    }

    /// An answer that is not streamed.
    pub(crate) fn whole(&self, choices: Vec<Value>, used: Used) -> Value {
        let mut answer = self.around(false, choices);
        answer["usage"] = used.json();
        answer
    }

    /// One choice of an answer that is not streamed.
    pub(crate) fn choice(
        &self,
        index: usize,
        text: &str,
        told: Option<&[Told]>,
        finish: Finish,
    ) -> Value {
        let logprobs = told.map_or(Value::Null, |told| self.logprobs(told));
        let mut choice =
            json!({"index": index, "logprobs": logprobs, "finish_reason": finish.name()});
        match self.endpoint {
            Endpoint::Chat => {
                choice["message"] = json!({"role": "assistant", "content": text, "refusal": null});
            }
            Endpoint::Completions => choice["text"] = text.into(),
        }
        choice
    }

    fn logprobs(&self, told: &[Told]) -> Value {
        match self.endpoint {
            Endpoint::Chat => {
                let one = |text: &str, logprob: f32| json!({"token": text, "logprob": logprob, "bytes": text.as_bytes()});
                let entry = |told: &Told| {
                    let mut entry = one(&told.text, told.logprob);
                    entry["top_logprobs"] =
                        told.top.iter().map(|(text, logprob)| one(text, *logprob)).collect();
                    entry
                };
                json!({"content": told.iter().map(entry).collect::<Vec<_>>(), "refusal": null})
            }
            Endpoint::Completions => json!({
                "tokens": told.iter().map(|told| told.text.as_str()).collect::<Vec<_>>(),
                "token_logprobs": told.iter().map(|told| told.logprob).collect::<Vec<_>>(),
                "top_logprobs": told
                    .iter()
                    .map(|told| Value::Object(told.top.iter().map(|(t, l)| (t.clone(), (*l).into())).collect()))
                    .collect::<Vec<_>>(),
            }),
        }
    }
}
