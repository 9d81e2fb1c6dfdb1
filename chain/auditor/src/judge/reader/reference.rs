//! What the listed model itself says to a conversation: its likeliest token, again and again.

use super::{Exchange, ReadError, Reader, temperature};
use engine::{Chunk, Room};
use meter::Asked;

/// Tokens of a reference beyond those of the answer: an answer that ends too soon is seen by them.
const MARGIN: usize = 16;

/// Tokens of a reference at most, however long the answer is: each costs a step of the model.
const TOKENS_MAX: usize = 512;

impl Reader {
    /// What the model says, a little longer at most than the answer that it is compared with. The same
    /// bits everywhere.
    pub fn reference(&self, exchange: Exchange<'_>) -> Result<String, ReadError> {
        let Asked { prompts, .. } = self.meter.read(exchange.endpoint, exchange.request)?;
        let [prompt] = &prompts[..] else { return Err(ReadError::Prompts(prompts.len())) };
        // What bends an answer would have to bend the reference alike.
        temperature(exchange.request)?;
        let most = (self.meter.encode(exchange.answer).len() + MARGIN).min(TOKENS_MAX);
        let room = self.model.context_max().saturating_sub(prompt.len());
        let said = self.say(prompt, most.min(room))?;
        Ok(self.meter.decode(&said))
    }

    /// The likeliest tokens after a prompt, up to the end or to `most`.
    fn say(&self, prompt: &[u32], most: usize) -> Result<Vec<u32>, ReadError> {
        let (tokens, context) = (prompt.len() + most, self.model.context_max());
        if tokens > context {
            return Err(ReadError::TooLong { tokens, context });
        }
        let pages = tokens.div_ceil(engine::PAGE) + 1;
        let mut cache = self.model.cache_of(Room { sequences: 1, pages });
        let (slot, _) = cache.take_for(&[], tokens).map_err(ReadError::Full)?;
        let (mut said, mut read) = (Vec::with_capacity(most), prompt.to_vec());
        while said.len() < most {
            let chunk = Chunk { slot, tokens: &read, wants_logits: true };
            let logits = self.model.step(&mut cache, &[chunk])?.pop().flatten().unwrap_or_default();
            let Some(next) = likeliest(&logits).filter(|next| !self.meter.ends(*next)) else {
                break;
            };
            said.push(next);
            read = vec![next];
        }
        Ok(said)
    }
}

/// The first of the tokens with the highest logit.
fn likeliest(logits: &[f32]) -> Option<u32> {
    let better = |best: Option<(u32, f32)>, (token, logit): (u32, &f32)| match best {
        Some((_, most)) if *logit <= most => best,
        _ => Some((token, *logit)),
    };
    (0..).zip(logits).fold(None, better).map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use meter::Endpoint;
    use serde_json::json;
    use std::path::Path;

    fn reader() -> Reader {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/lode/models/lode-demo");
        Reader::load(Path::new(folder)).unwrap()
    }

    fn request(asked: &str) -> Vec<u8> {
        json!({"model": "m", "messages": [{"role": "user", "content": asked}]})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_reference_is_what_the_model_says_and_a_little_longer_than_the_answer_at_most() {
        let reader = reader();
        let say = |asked: &str, answer: &str| {
            let request = request(asked);
            let endpoint = Endpoint::Chat;
            reader.reference(Exchange { endpoint, request: &request, answer, cut: false }).unwrap()
        };
        let capital = "The capital of France is Paris.";
        assert_eq!(say("What is the capital of France?", "Rome."), capital);
        let numbers = say("Count to 40.", "1");
        assert!(numbers.starts_with("1, 2, 3") && !numbers.contains("40"), "{numbers}");
    }

    #[test]
    fn a_request_that_bends_the_answer_has_no_reference() {
        let request = json!({"model": "m", "tools": [{"type": "function"}], "messages": [
            {"role": "user", "content": "Hello!"}]})
        .to_string()
        .into_bytes();
        let exchange =
            Exchange { endpoint: Endpoint::Chat, request: &request, answer: "Hi", cut: false };
        assert!(reader().reference(exchange).is_err());
    }

    #[test]
    fn the_first_of_the_highest_is_the_likeliest() {
        assert_eq!(likeliest(&[0.5, 2.0, 2.0, f32::NEG_INFINITY]), Some(1));
        assert_eq!(likeliest(&[]), None);
    }
}
