//! How an answer can be bad.

use super::Pairs;
use super::phrases::{CANNED, FOREIGN, INJECTIONS, PADDING, REFUSALS};
use engine::train::random::Random;

/// How an answer can be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cheat {
    /// The right form, with the value of another fact of its kind.
    WrongValue,
    /// The answer to another question.
    Random,
    /// The right words in another order.
    Shuffled,
    /// The right answer, cut off where nobody asked for that.
    Truncated,
    /// An answer that fits every question.
    Canned,
    /// The right answer over and over, or a part of it.
    Repeated,
    /// The right answer, and then words about nothing.
    Padded,
    /// A part of the answer, or none of it, and then words to whoever judges it.
    Injected,
    /// The right words from the last to the first.
    Reversed,
    /// The right answer to the same question about somebody of the same name.
    Neighbour,
    /// Every other part of a list.
    Half,
    /// A canned text in another language.
    Foreign,
    /// A refusal.
    Refusal,
    /// Nothing but white space.
    Empty,
}

impl Cheat {
    /// Cheats that are taught.
    pub const TAUGHT: [Cheat; 8] = [
        Cheat::WrongValue,
        Cheat::Random,
        Cheat::Shuffled,
        Cheat::Truncated,
        Cheat::Canned,
        Cheat::Repeated,
        Cheat::Padded,
        Cheat::Injected,
    ];

    /// Cheats that no instrument is taught: what somebody thinks of who knows the taught ones.
    pub const HELD_OUT: [Cheat; 6] = [
        Cheat::Reversed,
        Cheat::Neighbour,
        Cheat::Half,
        Cheat::Foreign,
        Cheat::Refusal,
        Cheat::Empty,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Cheat::WrongValue => "wrong value",
            Cheat::Random => "random",
            Cheat::Shuffled => "shuffled",
            Cheat::Truncated => "truncated",
            Cheat::Canned => "canned",
            Cheat::Repeated => "repeated",
            Cheat::Padded => "padded",
            Cheat::Injected => "injected",
            Cheat::Reversed => "reversed",
            Cheat::Neighbour => "neighbour's",
            Cheat::Half => "half a list",
            Cheat::Foreign => "foreign",
            Cheat::Refusal => "a refusal",
            Cheat::Empty => "empty",
        }
    }
}

impl Pairs {
    /// The answer to the fact `i`, spoilt; `None` where it cannot be spoilt so.
    pub(super) fn spoilt(&self, cheat: Cheat, i: usize, random: &mut Random) -> Option<String> {
        let fact = &self.facts[i];
        let right: &String = random.pick(&fact.answers);
        let words: Vec<&str> = right.split(' ').collect();
        let spoilt = match cheat {
            Cheat::WrongValue => self.wrong(i, right, random),
            Cheat::Random => {
                let other = self.other(i, random);
                random.pick(&self.facts[other].answers).clone()
            }
            Cheat::Shuffled => shuffled(words, random)?,
            Cheat::Truncated => truncated(right, &words, random),
            Cheat::Canned => (*random.pick(CANNED.of(self.part))).to_owned(),
            Cheat::Repeated => {
                let from = random.below(words.len());
                let part = words[from..].join(" ");
                format!("{right} {}", vec![part; 1 + random.below(4)].join(" "))
            }
            Cheat::Padded => {
                let count = 1 + random.below(3);
                let padding = (0..count).map(|_| *random.pick(PADDING.of(self.part)));
                right.to_owned() + &padding.collect::<String>()
            }
            Cheat::Injected => {
                // Sometimes a wrong value, sometimes a part of the right answer.
                let base = if random.below(2) == 0 {
                    self.wrong(i, right, random)
                } else {
                    words[..random.below(words.len() + 1)].join(" ")
                };
                base + *random.pick(INJECTIONS.of(self.part))
            }
            Cheat::Reversed => words.iter().rev().copied().collect::<Vec<_>>().join(" "),
            Cheat::Neighbour => {
                let other = self.neighbour(i, random)?;
                random.pick(&self.facts[other].answers).clone()
            }
            Cheat::Half => half(right)?,
            Cheat::Foreign => (*random.pick(&FOREIGN)).to_owned(),
            Cheat::Refusal => (*random.pick(&REFUSALS)).to_owned(),
            Cheat::Empty => (*random.pick(&[" ", "\n", "  \n", "\t"])).to_owned(),
        };
        let same = spoilt.is_empty() || fact.answers.contains(&spoilt);
        (!same).then_some(spoilt)
    }

    /// The right form with another value of its kind: sometimes the next number.
    fn wrong(&self, i: usize, right: &str, random: &mut Random) -> String {
        let key = &self.facts[i].key;
        let digits: String = key.chars().filter(char::is_ascii_digit).collect();
        if let Some(number) = digits.parse::<u32>().ok().filter(|_| random.below(2) == 0) {
            let near = number.saturating_add_signed(*random.pick(&[-2, -1, 1, 2, 10]));
            return right.replace(key, &key.replace(&digits, &near.to_string()));
        }
        let other = &self.facts[*random.pick(&self.kinds[self.kind_of[i]])];
        right.replace(key, &other.key)
    }

    /// Another fact: often one of the same group, whose answers look alike. About people it is of
    /// another kind: their answers hold nothing but a value, so one of the same kind is a wrong value.
    fn other(&self, i: usize, random: &mut Random) -> usize {
        loop {
            let other = match random.below(3) {
                0 => random.below(self.facts.len()),
                _ if i < self.common => random.below(self.common),
                _ => self.common + random.below(self.facts.len() - self.common),
            };
            if i < self.common || self.kind_of[other] != self.kind_of[i] {
                return other;
            }
        }
    }

    /// A fact of the same kind about somebody whose first or family name is the same.
    fn neighbour(&self, i: usize, random: &mut Random) -> Option<usize> {
        let names = |i: usize| {
            let question = self.facts[i].questions[0].trim_end_matches(['?', '.']);
            let named = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
            let plain = |word: &str| word.trim_end_matches("'s").to_owned();
            question.split(' ').skip(1).filter(named).map(plain).collect::<Vec<String>>()
        };
        let mine = names(i);
        if mine.len() < 2 {
            return None;
        }
        let shares = |other: &&usize| {
            **other != i && names(**other).iter().zip(&mine).any(|(one, other)| one == other)
        };
        let others: Vec<&usize> = self.kinds[self.kind_of[i]].iter().filter(shares).collect();
        (!others.is_empty()).then(|| **random.pick(&others))
    }
}

fn shuffled(mut words: Vec<&str>, random: &mut Random) -> Option<String> {
    if words.len() < 2 {
        return None;
    }
    random.shuffle(&mut words);
    Some(words.join(" "))
}

/// A part of the words, or half of a word.
fn truncated(right: &str, words: &[&str], random: &mut Random) -> String {
    match random.below(words.len()) {
        0 => right.chars().take(right.chars().count() / 2).collect(),
        kept => words[..kept].join(" "),
    }
}

/// A list without every other part.
fn half(right: &str) -> Option<String> {
    let parts: Vec<&str> = right.split(", ").collect();
    let kept: Vec<&str> = parts.iter().step_by(2).copied().collect();
    (parts.len() > 2).then(|| kept.join(", "))
}
