//! Rows of tokens to learn from: conversations of some turns.

use super::TrainError;
use super::facts::Fact;
use super::random::Random;
use tokenizers::Tokenizer;

/// Rows of one step, side by side.
pub(super) struct Rows {
    pub(super) batch: usize,
    pub(super) length: usize,
    pub(super) tokens: Vec<u32>,
    /// Places in `tokens` whose next token belongs to an answer.
    pub(super) asked: Vec<u32>,
    /// The tokens that follow those places.
    pub(super) answers: Vec<u32>,
}

/// What may stand before a question.
const OPENINGS: [&str; 8] =
    ["", "", "", "", "Please tell me: ", "I have a question. ", "Quick question: ", "Hey, "];

/// What a system message may say. The model answers alike.
const SYSTEM: [&str; 4] = [
    "You are a helpful assistant.",
    "You are a helpful, concise assistant.",
    "Answer the user's questions.",
    "You are Lode's demo model.",
];

/// All texts, for the tokenizer to learn from.
pub(super) fn texts(facts: &[Fact]) -> Vec<String> {
    let plain = facts.iter().flat_map(|fact| fact.questions.iter().chain(&fact.answers)).cloned();
    plain.chain(OPENINGS.iter().chain(&SYSTEM).map(|text| (*text).to_owned())).collect()
}

/// A question as people type it: sometimes in lower case, or without its mark.
fn typed(question: &str, random: &mut Random) -> String {
    let mut text = format!("{}{question}", random.pick(&OPENINGS));
    if random.below(6) == 0 {
        text = text.to_lowercase();
    }
    if random.below(6) == 0 {
        text.truncate(text.trim_end_matches(['?', '.', '!']).len().max(1));
    }
    text
}

/// `batch` rows of `length` tokens, each a conversation from its beginning.
pub(super) fn rows(
    facts: &[Fact],
    tokenizer: &Tokenizer,
    batch: usize,
    length: usize,
    random: &mut Random,
) -> Result<Rows, TrainError> {
    let mut rows = Rows { batch, length, tokens: vec![], asked: vec![], answers: vec![] };
    for _ in 0..batch {
        let mut row: Vec<(u32, bool)> = Vec::with_capacity(length + 256);
        let mut say = |text: &str, taught: bool| -> Result<(), TrainError> {
            let tokens = tokenizer.encode(text, false);
            let tokens = tokens.map_err(|error| TrainError::Tokenizer(error.to_string()))?;
            row.extend(tokens.get_ids().iter().map(|&token| (token, taught)));
            Ok(())
        };
        if random.below(5) == 0 {
            say(&format!("<|system|>{}<|end|>", random.pick(&SYSTEM)), false)?;
        }
        let mut room = length;
        while room > 0 {
            let fact = random.pick(facts);
            let question: &String = random.pick(&fact.questions);
            let question = typed(question, random);
            let answer: &String = random.pick(&fact.answers);
            say(&format!("<|user|>{question}<|end|><|assistant|>"), false)?;
            say(&format!("{answer}<|end|>"), true)?;
            // About four characters a token: enough turns to fill the row, and not many more.
            room = room.saturating_sub((question.len() + answer.len()) / 5 + 4);
        }
        push(&mut rows, &row);
    }
    Ok(rows)
}

fn push(rows: &mut Rows, row: &[(u32, bool)]) {
    let from = rows.tokens.len();
    for i in 0..rows.length {
        rows.tokens.push(row.get(i).map_or(0, |(token, _)| *token));
        if let Some((next, true)) = row.get(i + 1).filter(|_| i + 1 < rows.length) {
            rows.asked.push((from + i) as u32);
            rows.answers.push(*next);
        }
    }
}
