//! The shapes of answers, as OpenAI's clients know them.

use crate::author::Finish;
use crate::tools::Call;
use crate::worker::{Piece, Token, Told};
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

    /// An event with calls of tools.
    pub(crate) fn calls(&self, index: usize, calls: &[Call]) -> String {
        let delta = json!({"tool_calls": self.tool_calls(index, calls, true)});
        let choice =
            json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": null});
        self.event(vec![choice])
    }

    fn tool_calls(&self, index: usize, calls: &[Call], stream: bool) -> Vec<Value> {
        let call = |(i, call): (usize, &Call)| {
            let function = json!({"name": call.name, "arguments": call.arguments});
            let id = format!("call_{}_{index}_{i}", self.id);
            let mut call = json!({"id": id, "type": "function", "function": function});
            if stream {
                call["index"] = i.into();
            }
            call
        };
        calls.iter().enumerate().map(call).collect()
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
    pub(crate) fn choice(&self, index: usize, made: &Made, wanted: bool) -> Value {
        let logprobs = if wanted { self.logprobs(&made.told) } else { Value::Null };
        let finish = made.finish.map(Finish::name);
        let mut choice = json!({"index": index, "logprobs": logprobs, "finish_reason": finish});
        match self.endpoint {
            Endpoint::Chat => {
                let mut message =
                    json!({"role": "assistant", "content": made.text, "refusal": null});
                if !made.calls.is_empty() {
                    message["content"] = Value::Null;
                    message["tool_calls"] = self.tool_calls(index, &made.calls, false).into();
                }
                choice["message"] = message;
            }
            Endpoint::Completions => choice["text"] = made.text.as_str().into(),
        }
        choice
    }

    fn logprobs(&self, told: &[Told]) -> Value {
        match self.endpoint {
            Endpoint::Chat => {
                let one = |token: &Token| json!({"token": token.text, "logprob": token.logprob, "bytes": token.bytes});
                let entry = |told: &Told| {
                    let mut entry = one(&told.token);
                    entry["top_logprobs"] = told.top.iter().map(one).collect();
                    entry
                };
                json!({"content": told.iter().map(entry).collect::<Vec<_>>(), "refusal": null})
            }
            Endpoint::Completions => completion_logprobs(told),
        }
    }
}

/// The older shape: lists side by side, and where in the text each token begins.
fn completion_logprobs(told: &[Told]) -> Value {
    let mut offset = 0;
    let mut offsets = Vec::with_capacity(told.len());
    for told in told {
        offsets.push(offset);
        offset += told.token.text.chars().count();
    }
    let top = |told: &Told| {
        let pairs = told.top.iter().map(|token| (token.text.clone(), token.logprob.into()));
        Value::Object(pairs.collect())
    };
    json!({
        "tokens": told.iter().map(|told| told.token.text.as_str()).collect::<Vec<_>>(),
        "token_logprobs": told.iter().map(|told| told.token.logprob).collect::<Vec<_>>(),
        "top_logprobs": told.iter().map(top).collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}

/// What became of one choice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) told: Vec<Told>,
    pub(crate) finish: Option<Finish>,
}

impl Made {
    /// Takes the next piece of it.
    pub(crate) fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Text { text, logprobs } => {
                self.text.push_str(&text);
                self.told.extend(logprobs);
            }
            Piece::Calls(calls) => self.calls = calls,
            Piece::End(finish) => self.finish = Some(finish),
            Piece::Failed(_) | Piece::Late(_) => {}
        }
    }

    /// The text that is counted: what reached the client.
    pub(crate) fn counted(&self) -> String {
        let calls = self.calls.iter().flat_map(|call| [call.name.as_str(), &call.arguments]);
        std::iter::once(self.text.as_str()).chain(calls).collect()
    }
}
