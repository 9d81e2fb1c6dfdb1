//! What of a server's answer reaches the client, and what stays here: the model's name is ours, usage is
//! counted anew, and log probabilities that only we asked for become evidence.

use crate::shelf::Record;
use meter::{Delivered, Endpoint};
use proto::evidence::{Likely, Position, TOPS_MAX};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Tokens by which a server's usage may differ from a count of the text: where answers end, tokenizers
/// cut otherwise.
const USAGE_SLACK: u64 = 4;

/// How one answer passes.
pub(super) struct Passage {
    pub(super) endpoint: Endpoint,
    /// The name under which the model is served here.
    pub(super) name: Arc<str>,
    pub(super) prompt: u64,
    /// Whether the client wants log probabilities.
    pub(super) logprobs: bool,
    /// Whether the client wants the usage of a stream.
    pub(super) usage: bool,
    pub(super) record: Record,
    pub(super) delivered: Delivered,
    /// Tokens that the server says it made.
    pub(super) claimed: Option<u64>,
    pub(super) done: bool,
}

/// An answer in which nothing is to be understood.
#[derive(Debug, thiserror::Error)]
#[error("the model's server sent what is no answer: {0}")]
pub(super) struct Garbage(pub(super) String);

impl Passage {
    /// The body that the server gets: its own name for the model, the relay's seed where the client gave
    /// none, and log probabilities for evidence.
    pub(super) fn body(
        &self,
        fields: &Map<String, Value>,
        model: &str,
        seed: u64,
        tops: usize,
    ) -> Map<String, Value> {
        let mut fields = fields.clone();
        fields.insert("model".into(), model.into());
        if fields.get("seed").is_none_or(Value::is_null) {
            // Servers take seeds of 63 bits.
            fields.insert("seed".into(), (seed >> 1).into());
        }
        if fields.get("stream") == Some(&Value::Bool(true)) {
            let options = fields.entry("stream_options").or_insert_with(|| json!({}));
            options["include_usage"] = true.into();
        }
        if !self.logprobs && tops > 0 {
            match self.endpoint {
                Endpoint::Chat => {
                    fields.insert("logprobs".into(), true.into());
                    fields.insert("top_logprobs".into(), tops.into());
                }
                Endpoint::Completions => _ = fields.insert("logprobs".into(), tops.into()),
            }
        }
        fields
    }

    /// One event of a stream, as the client gets it; none where it was for us alone.
    pub(super) fn event(&mut self, data: &str) -> Result<Option<String>, Garbage> {
        if data == "[DONE]" {
            self.done = true;
            return Ok(Some("data: [DONE]\n\n".to_owned()));
        }
        let mut event = parse(data.as_bytes())?;
        self.rewrite(&mut event)?;
        let empty = event["choices"].as_array().is_none_or(Vec::is_empty);
        let silent = empty && event["error"].is_null();
        let line = format!("data: {event}\n\n");
        self.delivered.push(line.as_bytes());
        if silent && !(self.usage && event["usage"].is_object()) {
            return Ok(None);
        }
        if event["usage"].is_object() {
            event["usage"] = self.counted();
            return Ok(Some(format!("data: {event}\n\n")));
        }
        Ok(Some(line))
    }

    /// An answer that is not streamed.
    pub(super) fn whole(&mut self, bytes: &[u8]) -> Result<String, Garbage> {
        let mut answer = parse(bytes)?;
        self.rewrite(&mut answer)?;
        self.delivered.push(answer.to_string().as_bytes());
        answer["usage"] = self.counted();
        self.done = true;
        Ok(answer.to_string())
    }

    /// Whether the server's usage is what its text has; `None`: it said nothing.
    pub(super) fn usage_holds(&mut self) -> Option<bool> {
        let (claimed, out) = (self.claimed?, self.delivered.out());
        Some(claimed.abs_diff(out) <= USAGE_SLACK.max(out / 10))
    }

    fn counted(&mut self) -> Value {
        let (prompt, out) = (self.prompt, self.delivered.out());
        json!({"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out})
    }

    fn rewrite(&mut self, event: &mut Value) -> Result<(), Garbage> {
        if !event.is_object() {
            return Err(Garbage("it is no object".to_owned()));
        }
        if event.get("model").is_some() {
            event["model"] = (*self.name).into();
        }
        if let Some(claimed) = event["usage"]["completion_tokens"].as_u64() {
            self.claimed = Some(claimed);
        }
        let Some(choices) = event.get_mut("choices").and_then(Value::as_array_mut) else {
            return Ok(());
        };
        for choice in choices {
            let index = choice["index"].as_u64().unwrap_or(0);
            let told = positions(self.endpoint, &choice["logprobs"]);
            if !told.is_empty() {
                let index = usize::try_from(index).ok().filter(|index| *index < 1024);
                let index = index.ok_or_else(|| Garbage("it has too many choices".to_owned()))?;
                self.record.tell(index, told);
            }
            if !self.logprobs && choice.get("logprobs").is_some() {
                choice["logprobs"] = Value::Null;
            }
        }
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Garbage> {
    serde_json::from_slice(bytes).map_err(|error| Garbage(error.to_string()))
}

/// The positions that a choice's `logprobs` tell of; none in a shape that is not known.
fn positions(endpoint: Endpoint, logprobs: &Value) -> Vec<Position> {
    match endpoint {
        Endpoint::Chat => {
            let content = logprobs["content"].as_array();
            content.into_iter().flatten().filter_map(chat_position).collect()
        }
        Endpoint::Completions => {
            let texts = logprobs["tokens"].as_array();
            let all = texts.into_iter().flatten().enumerate();
            all.filter_map(|(i, text)| {
                let numbers = &logprobs["token_logprobs"][i];
                let said = likely(text.as_str()?.as_bytes(), numbers)?;
                let top = logprobs["top_logprobs"][i].as_object();
                let top = top.into_iter().flatten().take(TOPS_MAX);
                let top = top.filter_map(|(text, number)| likely(text.as_bytes(), number));
                Some(Position { said, top: top.collect() })
            })
            .collect()
        }
    }
}

fn chat_position(entry: &Value) -> Option<Position> {
    let top = entry["top_logprobs"].as_array().into_iter().flatten().take(TOPS_MAX);
    Some(Position { said: chat_likely(entry)?, top: top.filter_map(chat_likely).collect() })
}

fn chat_likely(entry: &Value) -> Option<Likely> {
    let bytes = entry["bytes"].as_array().map(|bytes| {
        bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect::<Vec<_>>()
    });
    let text = bytes.or_else(|| Some(entry["token"].as_str()?.as_bytes().to_vec()))?;
    likely(&text, &entry["logprob"])
}

fn likely(text: &[u8], logprob: &Value) -> Option<Likely> {
    let micro = logprob.as_f64().filter(|number| number.is_finite())? * 1e6;
    Some(Likely { text: text.to_vec(), micro: micro.clamp(-1e12, 1e12) as i64 })
}
