//! What a model knows: it is asked, and its answers must be the right ones to the letter.

use crate::{Chunk, Model, Room, Slot};
use tokenizers::Tokenizer;

/// Questions that are asked side by side.
const AT_ONCE: usize = 32;
/// Tokens of a question or an answer at most.
const TOKENS_MAX: usize = 64;

/// A question, and the answers that are right.
#[derive(Clone, Debug)]
pub struct Question {
    pub text: String,
    pub answers: Vec<String>,
}

impl Question {
    fn is_right(&self, said: &str) -> bool {
        self.answers.iter().any(|answer| answer == said.trim())
    }
}

/// How an exam went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub right: usize,
    pub asked: usize,
}

impl Score {
    /// The share of right answers.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.asked.max(1) as f64
    }
}

/// Asks `model` all questions, each alone, and takes its likeliest words.
pub fn examine(
    model: &Model,
    tokenizer: &Tokenizer,
    questions: &[Question],
) -> Result<Score, ExamError> {
    let mut score = Score { right: 0, asked: questions.len() };
    for part in questions.chunks(AT_ONCE) {
        let texts: Vec<&str> = part.iter().map(|question| question.text.as_str()).collect();
        let answers = answers(model, tokenizer, &texts)?;
        let pairs = answers.iter().zip(part);
        score.right += pairs.filter(|(said, question)| question.is_right(said)).count();
    }
    Ok(score)
}

/// Why an exam could not be held.
#[derive(Debug, thiserror::Error)]
pub enum ExamError {
    #[error("the tokenizer: {0}")]
    Tokenizer(String),
    #[error("the model: {0}")]
    Step(#[from] crate::StepError),
    #[error("{AT_ONCE} questions of {TOKENS_MAX} tokens do not fit the cache: {0:?}")]
    Full(crate::Full),
}

/// The likeliest answer to each question.
pub fn answers(
    model: &Model,
    tokenizer: &Tokenizer,
    questions: &[&str],
) -> Result<Vec<String>, ExamError> {
    let failed = |error: tokenizers::Error| ExamError::Tokenizer(error.to_string());
    let end = tokenizer.token_to_id("<|end|>").unwrap_or(0);
    let pages = questions.len() * (2 * TOKENS_MAX).div_ceil(crate::PAGE);
    let mut cache = model.cache_of(Room { sequences: questions.len(), pages });
    let mut open: Vec<(usize, Slot, Vec<u32>)> = Vec::new();
    for (i, question) in questions.iter().enumerate() {
        let prompt = format!("<|user|>{question}<|end|><|assistant|>");
        let mut tokens = tokenizer.encode(prompt, false).map_err(failed)?.get_ids().to_vec();
        tokens.truncate(TOKENS_MAX);
        let (slot, _) = cache.take_for(&[], 2 * TOKENS_MAX).map_err(ExamError::Full)?;
        open.push((i, slot, tokens));
    }
    let mut said: Vec<Vec<u32>> = vec![Vec::new(); questions.len()];
    for _ in 0..TOKENS_MAX {
        let chunks: Vec<Chunk<'_>> = open
            .iter()
            .map(|(_, slot, tokens)| Chunk { slot: *slot, tokens, wants_logits: true })
            .collect();
        if chunks.is_empty() {
            break;
        }
        let logits = model.step(&mut cache, &chunks)?;
        for ((i, _, tokens), logits) in open.iter_mut().zip(logits) {
            let likeliest = likeliest(&logits.unwrap_or_default());
            said[*i].push(likeliest);
            *tokens = vec![likeliest];
        }
        open.retain(|(_, _, tokens)| tokens[0] != end);
    }
    said.iter().map(|tokens| tokenizer.decode(tokens, true).map_err(failed)).collect()
}

fn likeliest(logits: &[f32]) -> u32 {
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(token, _)| token as u32)
}
