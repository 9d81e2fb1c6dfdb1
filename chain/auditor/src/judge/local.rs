//! A judge on the built-in engine: its logits have the same bits everywhere, and so has its mark.

use super::{DIGITS, Judge, JudgeError, Prompt};
use async_trait::async_trait;
use engine::{Chunk, Model, Room, StepError};
use meter::Meter;
use std::path::Path;
use std::sync::Arc;

/// A loaded model.
pub struct Local(Arc<Loaded>);

struct Loaded {
    model: Model,
    meter: Meter,
    digits: [u32; DIGITS],
}

/// Why a model cannot judge.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error(transparent)]
    Load(#[from] engine::LoadError),
    #[error(transparent)]
    Tokenizer(#[from] meter::LoadError),
    #[error("the judge's tokenizer has no single token for the digit {0}: choose another model")]
    Digit(usize),
    #[error("the case does not fit the judge: {0}")]
    Prompt(#[from] meter::BadRequest),
    #[error("the case does not fit the judge: {0}")]
    Step(#[from] StepError),
    #[error("the judge ended before it gave a mark: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl Local {
    /// Loads the model in a folder, as a supplier would.
    pub fn load(folder: &Path) -> Result<Local, LocalError> {
        let (model, meter) = (Model::load(folder)?, Meter::load(folder)?);
        let mut digits = [0; DIGITS];
        for (digit, token) in digits.iter_mut().enumerate() {
            let tokens = meter.encode(&digit.to_string());
            *token =
                *tokens.last().filter(|_| tokens.len() == 1).ok_or(LocalError::Digit(digit))?;
        }
        Ok(Local(Arc::new(Loaded { model, meter, digits })))
    }
}

#[async_trait]
impl Judge for Local {
    async fn chances(&self, prompt: &Prompt) -> Result<[f64; DIGITS], JudgeError> {
        let (loaded, prompt) = (self.0.clone(), prompt.clone());
        let chances = tokio::task::spawn_blocking(move || loaded.chances(&prompt)).await;
        Ok(chances.map_err(LocalError::Ended)??)
    }
}

impl Loaded {
    fn chances(&self, prompt: &Prompt) -> Result<[f64; DIGITS], LocalError> {
        let tokens = self.tokens(prompt)?;
        let pages = tokens.len().div_ceil(engine::PAGE) + 1;
        let mut cache = self.model.cache_of(Room { sequences: 1, pages });
        let (slot, _) = cache.take_for(&[], tokens.len()).expect("the cache was made for it");
        let chunk = Chunk { slot, tokens: &tokens, wants_logits: true };
        let logits = self.model.step(&mut cache, &[chunk])?.pop().flatten().unwrap_or_default();
        Ok(self.digits(&logits))
    }

    /// The tokens of a prompt in the judge's own template.
    fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, LocalError> {
        let body = serde_json::json!({
            "model": "judge",
            "max_tokens": 1,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
        });
        let asked = self.meter.read(meter::Endpoint::Chat, body.to_string().as_bytes())?;
        Ok(asked.prompts.concat())
    }

    /// The chances of the digits, of all tokens.
    fn digits(&self, logits: &[f32]) -> [f64; DIGITS] {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let part = |logit: &f32| libm::exp(f64::from(logit - most));
        let whole: f64 = logits.iter().map(part).sum();
        self.digits.map(|token| logits.get(token as usize).map_or(0.0, part) / whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Case;

    #[tokio::test]
    async fn the_engine_gives_the_same_chances_again() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
        let judge = Local::load(&folder).unwrap();
        // The demo model's context is short, and it can't judge: what is shown is that it is asked.
        let prompt = Case { model: "m", asked: "Hello", answer: "Hi", reference: None }.prompt();
        let prompt = Prompt { system: "Reply with a digit.".to_owned(), ..prompt };
        let chances = judge.chances(&prompt).await.unwrap();
        assert_eq!(
            chances.map(f64::to_bits),
            judge.chances(&prompt).await.unwrap().map(f64::to_bits)
        );
        let share: f64 = chances.iter().sum();
        assert!(share > 0.0 && share < 1.0, "{chances:?}");
    }

    #[tokio::test]
    async fn a_case_that_does_not_fit_the_context_is_refused() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
        let judge = Local::load(&folder).unwrap();
        let answer = "word ".repeat(3_000);
        let prompt = Case { model: "m", asked: "Hello", answer: &answer, reference: None }.prompt();
        let refused = judge.chances(&prompt).await.unwrap_err().to_string();
        assert!(refused.contains("does not fit"), "{refused}");
    }

    #[tokio::test]
    async fn a_case_has_the_same_chances_read_alone_in_parts_or_beside_another() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
        let judge = Local::load(&folder).unwrap();
        let reference = Some("Hello! How can I help you today?");
        let prompt = Case { model: "m", asked: "Hello", answer: "Hi", reference }.prompt();
        let alone = judge.chances(&prompt).await.unwrap();
        let loaded = &judge.0;
        let (one, other) = (loaded.tokens(&prompt).unwrap(), loaded.meter.encode("Another text."));
        let (first, last) = one.split_at(one.len() / 2);
        let mut cache = loaded.model.cache_of(Room { sequences: 2, pages: 64 });
        let slots = [&one, &other].map(|read| cache.take_for(&[], read.len()).unwrap().0);
        let mut logits = Vec::new();
        for (tokens, beside) in [(first, &other[..1]), (last, &other[1..])] {
            let chunks = [(slots[0], tokens), (slots[1], beside)].map(|(slot, tokens)| Chunk {
                slot,
                tokens,
                wants_logits: true,
            });
            logits = loaded.model.step(&mut cache, &chunks).unwrap().swap_remove(0).unwrap();
        }
        assert_eq!(loaded.digits(&logits).map(f64::to_bits), alone.map(f64::to_bits));
    }
}
