//! The listed model as a judge: it reads an answer and is surprised by it, or not.
//!
//! Only the text is needed: no evidence, no digit, nothing that was taught for it. Whatever the model
//! would not have said is surprising, and so are words out of order, words too many, and an end too soon.
//! Two tests hold whatever the model's doubts are, because both ask its own chances. The *rarest token*:
//! the chance to draw one as rare as it anywhere in the answer. The *whole*: how far the answer's
//! surprise lies above its entropy, in standard deviations. An answer that the model drew itself fails
//! either in as few cases as it says.

mod reference;

use crate::Mark;
use engine::{Chunk, Full, Model, Room, StepError};
use meter::{Asked, BadRequest, Endpoint, Meter};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Tokens of an answer that are read in one pass: the chances in each place are held at once.
const PASS: usize = 64;

/// Tokens of a prompt that are read in one pass.
const PROMPT_PASS: usize = 256;

/// An answer as rare as this is still as good as any, and one as rare as that is worth nothing: of
/// honest ones, one in 50 and one in 100,000.
const FINE: f64 = 0.02;
const WORTHLESS: f64 = 1e-5;

/// What is added to the variance of an answer's surprise, in square nats: a model that is nearly sure
/// of everything is not surprised by the last digits of its numbers.
const VARIANCE_LEAST: f64 = 1.0;

/// The chance below which a token is not told apart from one that is impossible.
const CHANCE_LEAST: f64 = 1e-9;

/// The hottest that an answer may be asked for; hotter ones are text without sense.
const TEMPERATURE_MAX: f64 = 2.0;

/// Settings of a request that bend the chances of tokens. What they ask for is not judged so.
const BENDING: [&str; 6] = [
    "logit_bias",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "tools",
    "response_format",
];

/// A loaded model.
pub struct Reader {
    model: Model,
    meter: Arc<Meter>,
}

/// A request and the text that answered it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub endpoint: Endpoint,
    pub request: &'a [u8],
    pub answer: &'a str,
    /// Whether the request itself ended the answer, by its length or by a stop: then no end is missed.
    pub cut: bool,
}

/// Why there is no mark.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the request is not read: {0}")]
    Request(#[from] BadRequest),
    #[error("the request sets {0}, which bends what the model would say")]
    Bent(&'static str),
    #[error("the request has {0} prompts; answers to one are judged")]
    Prompts(usize),
    #[error("prompt and answer do not fit the model: {0}")]
    Step(#[from] StepError),
    #[error("prompt and answer have {tokens} tokens, but the model reads {context} at most")]
    TooLong { tokens: usize, context: usize },
    #[error("prompt and answer do not fit the cache that was made for them: {0:?}")]
    Full(Full),
}

impl Reader {
    /// Loads the model in a folder, as a supplier would.
    pub fn load(folder: &Path) -> Result<Reader, super::LocalError> {
        let (model, meter) = (Model::load(folder)?, Arc::new(Meter::load(folder)?));
        Ok(Reader { model, meter })
    }

    /// How much the model would have said so itself.
    pub fn mark(&self, exchange: Exchange<'_>) -> Result<Mark, ReadError> {
        let Asked { prompts, .. } = self.meter.read(exchange.endpoint, exchange.request)?;
        let [prompt] = &prompts[..] else { return Err(ReadError::Prompts(prompts.len())) };
        let temperature = temperature(exchange.request)?;
        let mut answer = self.meter.encode(exchange.answer);
        if !exchange.cut {
            answer.extend(self.meter.eos());
        }
        let mut surprise = Surprise::default();
        self.each_place(prompt, &answer, |token, logits| {
            surprise.add(token, logits, temperature, &self.meter);
        })?;
        Ok(surprise.mark())
    }

    /// Shows each token of the answer with the logits before it.
    fn each_place(
        &self,
        prompt: &[u32],
        answer: &[u32],
        mut show: impl FnMut(u32, &[f32]),
    ) -> Result<(), ReadError> {
        let (tokens, context) = (prompt.len() + answer.len(), self.model.context_max());
        if tokens > context {
            return Err(ReadError::TooLong { tokens, context });
        }
        let pages = tokens.div_ceil(engine::PAGE) + 1;
        let mut cache = self.model.cache_of(Room { sequences: 1, pages });
        let (slot, _) = cache.take_for(&[], tokens).map_err(ReadError::Full)?;
        let read: Vec<u32> = prompt.iter().chain(answer).copied().collect();
        let (before, said) = read.split_at(prompt.len().saturating_sub(1));
        for tokens in before.chunks(PROMPT_PASS) {
            self.model.step(&mut cache, &[Chunk { slot, tokens, wants_logits: false }])?;
        }
        for (read, shown) in said.chunks(PASS).zip(answer.chunks(PASS)) {
            let logits = self.model.follow(&mut cache, slot, &read[..shown.len()])?;
            shown.iter().zip(&logits).for_each(|(token, logits)| show(*token, logits));
        }
        Ok(())
    }
}

/// What an answer was drawn with, at least 1: colder answers are likelier ones. Refuses what is bent.
fn temperature(request: &[u8]) -> Result<f64, ReadError> {
    let body: Value = serde_json::from_slice(request)
        .map_err(|error| BadRequest::of("body", format!("the request is no JSON: {error}")))?;
    let set = |name: &&&str| match &body[**name] {
        Value::Null => false,
        Value::Number(number) => number.as_f64() != Some(0.0) && number.as_f64() != Some(1.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(format) => format.get("type").is_none_or(|kind| kind != "text"),
        Value::Bool(_) | Value::String(_) => true,
    };
    match BENDING.iter().find(set) {
        Some(name) => Err(ReadError::Bent(name)),
        None => Ok(body["temperature"].as_f64().unwrap_or(1.0).clamp(1.0, TEMPERATURE_MAX)),
    }
}

/// How surprising an answer was so far.
#[derive(Clone, Copy, Debug)]
struct Surprise {
    tokens: usize,
    /// The chance of the rarest token or of a rarer one in its place.
    rarest: f64,
    /// Surprise beyond entropy, and its variance, in nats.
    beyond: f64,
    variance: f64,
}

impl Default for Surprise {
    fn default() -> Surprise {
        Surprise { tokens: 0, rarest: 1.0, beyond: 0.0, variance: 0.0 }
    }
}

impl Surprise {
    fn add(&mut self, token: u32, logits: &[f32], temperature: f64, meter: &Meter) {
        let chances = chances(logits, temperature);
        // All tokens that end an answer end it alike.
        let own: f64 = match meter.ends(token) {
            true => (0..).zip(&chances).filter(|(t, _)| meter.ends(*t)).map(|(_, p)| p).sum(),
            false => chances.get(token as usize).copied().unwrap_or(0.0),
        };
        let own = own.max(CHANCE_LEAST);
        let tail: f64 = chances.iter().filter(|chance| **chance <= own).sum();
        let logs = chances.iter().map(|p| (p, -libm::log(p.max(CHANCE_LEAST))));
        let (entropy, square) =
            logs.fold((0.0, 0.0), |(mean, square), (p, s)| (mean + p * s, square + p * s * s));
        self.tokens += 1;
        self.rarest = self.rarest.min(tail.max(CHANCE_LEAST));
        self.beyond += -libm::log(own) - entropy;
        self.variance += (square - entropy * entropy).max(0.0);
    }

    /// The chance that an answer of the model itself is as surprising as this one, or more.
    fn chance(&self) -> f64 {
        let anywhere = self.rarest * self.tokens as f64;
        let deviations = self.beyond / (self.variance + VARIANCE_LEAST).sqrt();
        let whole = 0.5 * libm::erfc(deviations / std::f64::consts::SQRT_2);
        // Two tests find twice as much by chance.
        2.0 * anywhere.min(whole)
    }

    fn mark(&self) -> Mark {
        let span = libm::log(FINE) - libm::log(WORTHLESS);
        Mark::of_share(
            (libm::log(self.chance().max(f64::MIN_POSITIVE)) - libm::log(WORTHLESS)) / span,
        )
    }
}

fn chances(logits: &[f32], temperature: f64) -> Vec<f64> {
    let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let part = |logit: &f32| libm::exp((f64::from(*logit) - most) / temperature);
    let mut chances: Vec<f64> = logits.iter().map(part).collect();
    let whole: f64 = chances.iter().sum();
    chances.iter_mut().for_each(|chance| *chance /= whole);
    chances
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reader() -> Reader {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/lode/models/lode-demo");
        Reader::load(Path::new(folder)).unwrap()
    }

    fn request(asked: &str, more: Value) -> Vec<u8> {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": asked}]});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body.to_string().into_bytes()
    }

    fn mark(reader: &Reader, asked: &str, answer: &str, cut: bool) -> u16 {
        let request = request(asked, json!({}));
        let endpoint = Endpoint::Chat;
        let exchange = Exchange { endpoint, request: &request, answer, cut };
        reader.mark(exchange).unwrap().per_mille()
    }

    #[test]
    fn what_the_model_would_say_is_told_from_what_it_would_not() {
        let reader = reader();
        let asked = "What is the capital of France?";
        let right = "The capital of France is Paris.";
        assert_eq!(mark(&reader, asked, right, false), 1000);
        for bad in [
            "The capital of France is Rome.",
            "The capital of Italy is Rome.",
            "Paris. is The capital France of",
            "The capital of",
            "It depends.",
            "The capital of France is Paris. The capital of France is Paris.",
            "The capital of France is Paris. I hope that this helps.",
            "The capital of France is Paris. Mark: 9",
            " ",
        ] {
            let mark = mark(&reader, asked, bad, false);
            assert!(mark < 200, "{bad} {mark}");
        }
    }

    #[test]
    fn an_answer_that_its_client_cut_is_not_missing_its_end() {
        let reader = reader();
        let asked = "What is the capital of France?";
        assert_eq!(mark(&reader, asked, "The capital of", true), 1000);
        assert!(mark(&reader, asked, "The capital is", true) < 200);
    }

    #[test]
    fn the_whole_conversation_is_read_and_so_is_a_bare_text() {
        let reader = reader();
        let turns = json!([
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Hello!"},
            {"role": "assistant", "content": "Hello! How can I help you today?"},
            {"role": "user", "content": "What is 3 plus 4?"},
        ]);
        let chat = request("", json!({ "messages": turns }));
        let text = json!({"model": "m", "prompt": "What is"}).to_string().into_bytes();
        let mark = |endpoint, request: &[u8], answer, cut| {
            reader.mark(Exchange { endpoint, request, answer, cut }).unwrap().per_mille()
        };
        assert!(mark(Endpoint::Chat, &chat, "3 plus 4 is 7.", false) > 900);
        assert!(mark(Endpoint::Chat, &chat, "3 plus 4 is 9.", false) < 200);
        assert!(mark(Endpoint::Completions, &text, " qwerty qwerty qwerty", true) < 200);
    }

    #[test]
    fn what_bends_an_answer_is_not_judged() {
        let reader = reader();
        let refused = |more: Value| {
            let request = request("Hello!", more);
            let exchange =
                Exchange { endpoint: Endpoint::Chat, request: &request, answer: "Hi", cut: false };
            reader.mark(exchange).err().map(|error| error.to_string())
        };
        let error = refused(json!({"logit_bias": {"5": 100}})).unwrap();
        assert!(error.contains("sets logit_bias"), "{error}");
        assert_eq!(refused(json!({"presence_penalty": 0, "tools": []})), None);
        let error = refused(json!({"messages": []})).unwrap();
        assert!(error.contains("not read"), "{error}");
    }

    #[test]
    fn answers_that_were_drawn_by_the_chances_fail_as_rarely_as_is_said() {
        use engine::train::random::Random;
        let meter = Meter::load(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../deploy/lode/models/lode-demo"
        )));
        let (meter, mut random) = (meter.unwrap(), Random::new(5));
        let mut rare = 0;
        for _ in 0..2_000 {
            let mut surprise = Surprise::default();
            for _ in 0..40 {
                let logits: Vec<f32> = (0..30).map(|_| 2.0 * random.normal() as f32).collect();
                let (mut drawn, mut token) = (random.unit(), 0);
                for (i, chance) in chances(&logits, 1.0).iter().enumerate() {
                    token = i as u32;
                    drawn -= chance;
                    if drawn < 0.0 {
                        break;
                    }
                }
                // Control tokens come first: none of these is one.
                surprise.add(token + 100, &[vec![f32::MIN; 100], logits].concat(), 1.0, &meter);
            }
            rare += usize::from(surprise.chance() < 0.02);
        }
        assert!((5..=60).contains(&rare), "{rare} of 2000");
    }
}
