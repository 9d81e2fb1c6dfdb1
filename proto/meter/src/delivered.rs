//! The text of an answer, found in its bytes as they flow by.

use crate::Meter;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of one event, or of an answer that is not streamed, at most. What is longer is garbage.
const EVENT_MAX: usize = 16 << 20;

/// Choices of one answer at most.
const CHOICES_MAX: usize = 1024;

/// How an answer ended, by what it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is whole.
    Whole,
    /// It could go on.
    Open,
    /// It is no answer, or says that it failed.
    Garbage,
}

/// What was delivered of one answer, streamed or not.
pub struct Delivered {
    meter: Arc<Meter>,
    stream: bool,
    /// The beginning of an event, or of the answer.
    rest: Vec<u8>,
    /// The text of each choice.
    texts: BTreeMap<u64, String>,
    /// Output tokens, and how much text they were counted over.
    counted: (u64, usize),
    done: bool,
    finished: bool,
    garbage: bool,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    text: Option<String>,
    delta: Option<Words>,
    message: Option<Words>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    content: Option<String>,
    reasoning_content: Option<String>,
    /// The same under the name that newer servers give it.
    reasoning: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

impl Delivered {
    /// An answer of which nothing came yet.
    pub fn new(meter: Arc<Meter>, stream: bool) -> Delivered {
        Delivered {
            meter,
            stream,
            rest: Vec::new(),
            texts: BTreeMap::new(),
            counted: (0, 0),
            done: false,
            finished: false,
            garbage: false,
        }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.garbage {
            return;
        }
        if self.rest.len() + bytes.len() > EVENT_MAX {
            self.garbage = true;
            self.rest = Vec::new();
            return;
        }
        // Only what is new can hold the end of a line.
        let mut from = self.rest.len();
        self.rest.extend_from_slice(bytes);
        if !self.stream {
            return;
        }
        let mut start = 0;
        while let Some(end) = self.rest[from..].iter().position(|byte| *byte == b'\n') {
            let line = start..from + end;
            start = line.end + 1;
            from = start;
            let line = self.rest[line].to_vec();
            self.line(&line);
        }
        self.rest.drain(..start);
    }

    /// Tokens of the text that came so far, cut anew.
    pub fn out(&mut self) -> u64 {
        if !self.stream {
            self.whole();
        }
        let length = self.texts.values().map(String::len).sum();
        if self.counted.1 != length {
            let count = self.texts.values().map(|text| self.meter.count(text)).sum();
            self.counted = (count, length);
        }
        self.counted.0
    }

    /// The text of each choice that came so far: words, then calls, as they are counted.
    pub fn texts(&mut self) -> &BTreeMap<u64, String> {
        if !self.stream {
            self.whole();
        }
        &self.texts
    }

    /// Whether it says anything yet: a text, an end, an error. The role that opens a chat's stream says
    /// nothing.
    pub fn has_begun(&mut self) -> bool {
        self.ending() != Ending::Open || self.texts.values().any(|text| !text.is_empty())
    }

    /// How it would have ended if nothing more came.
    pub fn ending(&mut self) -> Ending {
        if !self.stream {
            self.whole();
        }
        if self.garbage {
            Ending::Garbage
        } else if self.done || self.finished {
            Ending::Whole
        } else {
            Ending::Open
        }
    }

    /// One line of a stream (WHATWG server-sent events, with one `data` field for each event).
    fn line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(data) = line.strip_prefix(b"data:") else { return };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            self.done = true;
        } else if !data.is_empty() {
            self.event(data);
        }
    }

    /// An answer that is not streamed, once it is all there.
    fn whole(&mut self) {
        if self.finished || self.garbage || self.rest.is_empty() {
            return;
        }
        // JSON that does not end yet is no answer yet.
        if serde_json::from_slice::<serde::de::IgnoredAny>(&self.rest)
            .is_err_and(|error| error.is_eof())
        {
            return;
        }
        let bytes = std::mem::take(&mut self.rest);
        self.event(&bytes);
        self.finished = true;
    }

    fn event(&mut self, data: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Event>(data) else {
            self.garbage = true;
            return;
        };
        if event.error.is_some_and(|error| !error.is_null()) {
            self.garbage = true;
        }
        for choice in event.choices {
            if self.texts.len() >= CHOICES_MAX && !self.texts.contains_key(&choice.index) {
                self.garbage = true;
                return;
            }
            let text = self.texts.entry(choice.index).or_default();
            text.push_str(choice.text.as_deref().unwrap_or_default());
            for words in [choice.delta, choice.message].into_iter().flatten() {
                say(words, text);
            }
            // A stream that was finished is whole also without the last line.
            if choice.finish_reason.is_some() {
                self.finished = true;
            }
        }
    }
}

fn say(words: Words, text: &mut String) {
    let reasoning = words.reasoning_content.or(words.reasoning);
    for part in [reasoning, words.content, words.refusal].into_iter().flatten() {
        text.push_str(&part);
    }
    for call in words.tool_calls.into_iter().flatten() {
        let function = call.function.unwrap_or(Function { name: None, arguments: None });
        text.push_str(function.name.as_deref().unwrap_or_default());
        text.push_str(function.arguments.as_deref().unwrap_or_default());
    }
}
