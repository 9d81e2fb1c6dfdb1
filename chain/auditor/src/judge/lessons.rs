//! What a judge learns to compare: a question, what the listed model says to it, and an answer.
//!
//! Values are made up, or put in the place of true ones, so that no lesson can be known by heart. It
//! begins with rows of words that are the same or not: only who can compare those reads further.

mod made_up;
mod words;

use super::Case;
use super::template::{FENCE, REFERENCE};
use crate::pairs::Pairs;
use engine::train::random::Random;
use engine::train::teach::{Lesson, Turn};

/// The digits that are taught.
const GOOD: &str = "9";
const BAD: &str = "0";

/// The share of the lessons that are rows of words, in the first part and later.
const ROWS_FIRST: f64 = 0.9;
const ROWS: f64 = 0.15;

/// The share of the lessons that have the whole template around them before the last part.
const WHOLE: f64 = 0.15;

/// The share of the pairs in which words are put in the place of others.
const RENAMED: f64 = 0.7;

/// The share of the good lessons of which the answer's words are learned too.
const SPOKEN_FIRST: f64 = 0.5;
const SPOKEN: f64 = 0.1;

/// Cases with made-up words from which the tokenizer learns, and every digit in turn after them.
const TEXTS: usize = 6_000;

/// Which part of a training this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Rows of words.
    First,
    /// Questions and answers, mostly without the words around them.
    Middle,
    /// As a judge is asked.
    Last,
}

/// A case and whether its answer is good.
#[derive(Clone, Debug)]
struct Judged {
    asked: String,
    reference: String,
    answer: String,
    good: bool,
}

/// The next lesson.
pub(super) fn next(pairs: &Pairs, part: Part, random: &mut Random) -> Lesson {
    let rows = if part == Part::First { ROWS_FIRST } else { ROWS };
    let judged = match random.unit() {
        share if share < rows => row(random),
        _ if random.below(2) == 0 => made_up::judged(random),
        _ => of_pair(pairs, random),
    };
    let bare = match part {
        Part::First => true,
        Part::Middle => random.unit() >= WHOLE,
        Part::Last => judged.asked.is_empty(),
    };
    let spoken = if part == Part::First { SPOKEN_FIRST } else { SPOKEN };
    let text = if bare { bare_text(&judged) } else { whole_text(&judged, random) };
    lesson(&text, &judged, judged.good && random.unit() < spoken)
}

/// A row of words beside the same row, or one that differs in some way.
fn row(random: &mut Random) -> Judged {
    let row = words::row(random);
    let good = random.below(2) == 0;
    let answer = if good { row.clone() } else { words::spoilt(&row, random) };
    let good = answer == row;
    let [reference, answer] = [row, answer].map(|row| row.join(" "));
    Judged { asked: String::new(), reference, answer, good }
}

/// A pair about the demo model's facts, mostly with other words in it.
fn of_pair(pairs: &Pairs, random: &mut Random) -> Judged {
    let pair = pairs.lesson(random);
    let good = pair.cheat.is_none();
    let mut texts = [pair.question, pair.right, pair.answer];
    if random.unit() < RENAMED {
        words::rename(&mut texts, random);
    }
    let [asked, reference, answer] = texts;
    Judged { asked, reference, answer, good }
}

fn bare_text(Judged { asked, reference, answer, .. }: &Judged) -> String {
    let ([begin, end], [answer_begin, answer_end]) = (REFERENCE, FENCE);
    format!(
        "<|user|>{asked}{begin}{reference}{end}{answer_begin}{answer}{answer_end}<|end|><|assistant|>"
    )
}

/// The case in the template in which a judge is asked.
fn whole_text(Judged { asked, reference, answer, .. }: &Judged, random: &mut Random) -> String {
    let model = words::made_up(random).to_lowercase();
    let prompt = Case { model: &model, asked, answer, reference: Some(reference) }.prompt();
    format!("<|system|>{}<|end|><|user|>{}<|end|><|assistant|>", prompt.system, prompt.user)
}

/// The text with its digit; with `spoken`, the words of the answer are to be learned too.
fn lesson(text: &str, judged: &Judged, spoken: bool) -> Lesson {
    let digit = if judged.good { GOOD } else { BAD }.to_owned();
    if !spoken {
        return Lesson { turns: vec![Turn { asked: text.to_owned(), said: digit }] };
    }
    let [begin, end] = FENCE.map(|fence| text.rfind(fence).expect("a case has a fence"));
    let answer = begin + FENCE[0].len();
    let said = end + FENCE[1].len();
    let words = Turn { asked: text[..answer].to_owned(), said: text[answer..said].to_owned() };
    Lesson { turns: vec![words, Turn { asked: text[said..].to_owned(), said: digit }] }
}

/// Texts from which the tokenizer learns its words.
pub(super) fn texts<'a>(
    pairs: &'a Pairs,
    random: &mut Random,
) -> impl Iterator<Item = String> + 'a {
    let made_up: Vec<String> = (0..TEXTS)
        .map(|i| format!("{} {}", whole_text(&made_up::judged(random), random), i % 10))
        .collect();
    pairs.texts().cloned().chain(made_up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs;

    #[test]
    fn a_lesson_is_a_case_in_the_models_template_with_a_digit_after_it() {
        let pairs = Pairs::new(2, pairs::Part::Taught);
        let mut random = Random::new(1);
        let mut good = 0;
        for _ in 0..200 {
            let Lesson { turns } = next(&pairs, Part::Last, &mut random);
            let text: String =
                turns.iter().map(|turn| format!("{}{}", turn.asked, turn.said)).collect();
            assert!(text.starts_with("<|system|>Mark the") || text.starts_with("<|user|>\n<ref"));
            let (before, digit) = text.split_at(text.len() - 1);
            assert!(before.ends_with("</answer><|end|><|assistant|>"), "{text}");
            assert!([GOOD, BAD].contains(&digit), "{text}");
            good += usize::from(digit == GOOD);
        }
        assert!((70..130).contains(&good), "{good}");
    }

    #[test]
    fn a_row_is_good_only_if_it_is_the_same() {
        let mut random = Random::new(2);
        for _ in 0..500 {
            let Judged { reference, answer, good, .. } = row(&mut random);
            assert_eq!(reference == answer, good, "{reference:?} {answer:?}");
        }
    }

    #[test]
    fn other_words_in_a_pair_leave_good_good_and_bad_bad() {
        let pairs = Pairs::new(20, pairs::Part::Taught);
        let mut random = Random::new(3);
        for _ in 0..500 {
            let Judged { reference, answer, good, .. } = of_pair(&pairs, &mut random);
            assert!(!good || reference.starts_with(&answer), "{reference:?} {answer:?}");
            assert!(good || reference != answer, "{reference:?}");
        }
    }
}
