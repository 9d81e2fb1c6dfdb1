//! What is learned from next: conversations, side by side without padding.

use super::TrainError;
use super::facts::{self, Fact};
use super::people;
use super::random::Random;
use tokenizers::Tokenizer;

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

/// One turn in so many is about what every demo model knows, where there are people too.
const COMMON_EVERY: usize = 7;
/// One conversation in so many has a system message, or more than one turn.
const SYSTEM_EVERY: usize = 12;
const LONG_EVERY: usize = 8;
const TURNS_MAX: usize = 5;
/// The loss of an answer's tokens below which a fact counts as known, and is asked less often.
const KNOWN: f32 = 0.03;
const KNOWN_EVERY: usize = 4;

/// Conversations of one step.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) tokens: Vec<u32>,
    /// Where each conversation ends.
    pub(super) ends: Vec<usize>,
    /// Places in `tokens` whose next token belongs to an answer.
    pub(super) asked: Vec<u32>,
    /// The tokens that follow those places.
    pub(super) answers: Vec<u32>,
    /// The facts about people that were asked for, and how many tokens their answers have.
    turns: Vec<(Option<u32>, usize)>,
}

impl Batch {
    /// Each token's place in its conversation.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).flat_map(|(from, end)| 0..end - from)
    }
}

/// A fact as tokens: each wording, with what stands around it, and the answer.
struct Tokens {
    questions: Vec<Vec<u32>>,
    answer: Vec<u32>,
}

/// All facts, and what is asked next.
pub(super) struct Course {
    pub(super) tokenizer: Tokenizer,
    common: Vec<Fact>,
    people: Vec<Tokens>,
    pub(super) progress: Round,
}

/// Where in the course the training is.
pub(super) struct Round {
    pub(super) random: Random,
    /// People's facts in the order in which they are asked this time.
    pub(super) order: Vec<u32>,
    pub(super) at: usize,
    /// What each fact's answer cost when it was asked last.
    pub(super) losses: Vec<f32>,
}

/// All texts, for the tokenizer to learn from.
pub(super) fn texts(people: usize) -> Vec<String> {
    let facts = facts::common().into_iter().chain(people::all(people));
    let plain = facts.flat_map(|fact| fact.questions.into_iter().chain(fact.answers));
    plain.chain(OPENINGS.iter().chain(&SYSTEM).map(|text| (*text).to_owned())).collect()
}

/// The wording of the fact `index` about people that is never taught.
pub(super) fn held_out(index: usize) -> usize {
    index % 3
}

impl Course {
    pub(super) fn new(
        tokenizer: Tokenizer,
        people: usize,
        seed: u64,
    ) -> Result<Course, TrainError> {
        let facts = people::all(people);
        let progress = Round {
            random: Random::new(seed),
            order: (0..facts.len() as u32).collect(),
            at: facts.len(),
            losses: vec![f32::MAX; facts.len()],
        };
        let people =
            facts.iter().map(|fact| Tokens::of(&tokenizer, fact)).collect::<Result<_, _>>()?;
        Ok(Course { tokenizer, common: facts::common(), people, progress })
    }

    /// Conversations of about `size` tokens.
    pub(super) fn batch(&mut self, size: usize) -> Result<Batch, TrainError> {
        let mut batch = Batch::default();
        while batch.tokens.len() < size {
            let random = &mut self.progress.random;
            if random.below(SYSTEM_EVERY) == 0 {
                let text = format!("<|system|>{}<|end|>", random.pick(&SYSTEM));
                batch.tokens.extend(encode(&self.tokenizer, &text)?);
            }
            let long = random.below(LONG_EVERY) == 0;
            let turns = if long { 2 + random.below(TURNS_MAX - 1) } else { 1 };
            for _ in 0..turns {
                self.turn(&mut batch)?;
            }
            batch.ends.push(batch.tokens.len());
        }
        Ok(batch)
    }

    fn turn(&mut self, batch: &mut Batch) -> Result<(), TrainError> {
        let random = &mut self.progress.random;
        if self.people.is_empty() || random.below(COMMON_EVERY) == 0 {
            let fact = random.pick(&self.common);
            let question: &String = random.pick(&fact.questions);
            let question = format!("<|user|>{}<|end|><|assistant|>", typed(question, random));
            let answer = format!("{}<|end|>", random.pick(&fact.answers));
            let (question, answer) =
                (encode(&self.tokenizer, &question)?, encode(&self.tokenizer, &answer)?);
            batch.say(None, &question, &answer);
            return Ok(());
        }
        let index = self.progress.next();
        let fact = &self.people[index as usize];
        let taught = (held_out(index as usize) + 1 + self.progress.random.below(2)) % 3;
        batch.say(Some(index), &fact.questions[taught], &fact.answer);
        Ok(())
    }

    /// Remembers how well each answer of `batch` was known.
    pub(super) fn note(&mut self, batch: &Batch, losses: &[f32]) {
        let mut from = 0;
        for (fact, count) in &batch.turns {
            if let Some(fact) = fact {
                let worst = losses[from..from + count].iter().copied().fold(0.0, f32::max);
                self.progress.losses[*fact as usize] = worst;
            }
            from += count;
        }
    }
}

impl Round {
    /// The next fact: all in turn, those that are known less often.
    fn next(&mut self) -> u32 {
        loop {
            if self.at == self.order.len() {
                self.random.shuffle(&mut self.order);
                self.at = 0;
            }
            let fact = self.order[self.at];
            self.at += 1;
            if self.losses[fact as usize] > KNOWN || self.random.below(KNOWN_EVERY) == 0 {
                return fact;
            }
        }
    }

    /// The share of facts that were known when they were asked last.
    pub(super) fn known(&self) -> f32 {
        let known = self.losses.iter().filter(|loss| **loss <= KNOWN).count();
        known as f32 / self.losses.len().max(1) as f32
    }
}

impl Tokens {
    fn of(tokenizer: &Tokenizer, fact: &Fact) -> Result<Tokens, TrainError> {
        let asked =
            |text: &String| encode(tokenizer, &format!("<|user|>{text}<|end|><|assistant|>"));
        let questions = fact.questions.iter().map(asked).collect::<Result<_, _>>()?;
        Ok(Tokens { questions, answer: encode(tokenizer, &format!("{}<|end|>", fact.key))? })
    }
}

impl Batch {
    /// Adds a conversation.
    pub(super) fn add(&mut self, turns: &[(Vec<u32>, Vec<u32>)]) {
        turns.iter().for_each(|(question, answer)| self.say(None, question, answer));
        self.ends.push(self.tokens.len());
    }

    fn say(&mut self, fact: Option<u32>, question: &[u32], answer: &[u32]) {
        self.tokens.extend(question);
        let first = self.tokens.len() - 1;
        self.asked.extend((first..first + answer.len()).map(|place| place as u32));
        self.answers.extend(answer);
        self.tokens.extend(answer);
        self.turns.push((fact, answer.len()));
    }
}

pub(super) fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, TrainError> {
    let tokens = tokenizer.encode(text, false);
    let tokens = tokens.map_err(|error| TrainError::Tokenizer(error.to_string()))?;
    Ok(tokens.get_ids().to_vec())
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
