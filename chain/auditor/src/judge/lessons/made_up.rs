//! Facts about things that are not, with answers in several wordings.

use super::Judged;
use super::words::{any, made_up, number, other};
use crate::pairs::CUT;
use engine::train::random::Random;

/// What is asked for.
const ATTRIBUTES: [&str; 24] = [
    "colour",
    "price",
    "code",
    "name",
    "owner",
    "capital",
    "age",
    "size",
    "number",
    "home",
    "trade",
    "friend",
    "currency",
    "language",
    "food",
    "sound",
    "instrument",
    "teacher",
    "town",
    "weight",
    "date",
    "author",
    "height",
    "address",
];

/// Questions; `A` is what is asked for, `S` of what.
const QUESTIONS: [&str; 7] = [
    "What is the A of S?",
    "Tell me the A of S.",
    "What is S's A?",
    "Name S's A.",
    "which A does S have",
    "Do you know the A of S?",
    "What A has S?",
];

/// Answers that say the same; `V` is the value.
const WORDINGS: [&str; 10] = [
    "V.",
    "V",
    "The A of S is V.",
    "S's A is V.",
    "It is V.",
    "V is the A of S.",
    "The answer is V.",
    "It's V.",
    "S has the A V.",
    "The A is V.",
];

/// Things in a list at most.
const LIST_MAX: usize = 6;

/// Words of a subject and of a value at most.
const WORDS_MAX: usize = 3;

/// One answer in so many has the very wording of the reference.
const SAME_WORDING_EVERY: usize = 2;

/// One case in so many is cut where its client asked for that.
const CUT_EVERY: usize = 6;

/// A case about a thing that is not: half of the answers are good.
pub(super) fn judged(random: &mut Random) -> Judged {
    let judged = whole(random);
    if random.below(CUT_EVERY) == 0 { cut(judged, random) } else { judged }
}

fn whole(random: &mut Random) -> Judged {
    let subject = subject(random);
    let attribute = *random.pick(&ATTRIBUTES);
    let value = value(random);
    let say = |wording: &str, value: &str| fill(wording, attribute, &subject, value);
    let wording = *random.pick(&WORDINGS);
    let reference = say(wording, &value.join(", "));
    let same = random.below(SAME_WORDING_EVERY) == 0;
    let mine = if same { wording } else { *random.pick(&WORDINGS) };
    let asked = say(random.pick::<&str>(&QUESTIONS), "");
    let right = value.join(", ");
    let (answer, good) = match random.below(8) {
        0..4 => (say(mine, &right), true),
        4..7 => (say(mine, &wrong(&value, random).join(", ")), false),
        _ => (fault(&say(mine, &right), random), false),
    };
    Judged { asked, reference, answer, good }
}

/// The beginning of an answer, sometimes with more after it. It is good if the reference begins so.
fn cut(mut judged: Judged, random: &mut Random) -> Judged {
    judged.asked += CUT;
    if random.below(3) == 0 {
        judged.answer = judged.reference.clone();
    }
    let words: Vec<&str> = judged.answer.split(' ').collect();
    let mut answer = words[..1 + random.below(words.len())].join(" ");
    if random.below(4) == 0 {
        answer = format!("{answer} {} {}", any(random), any(random));
    }
    // Of another wording it is not known whether it would have come to the value.
    judged.good = judged.reference.starts_with(&answer);
    Judged { answer, ..judged }
}

fn fill(wording: &str, attribute: &str, subject: &str, value: &str) -> String {
    let parts = wording.split_inclusive(|letter: char| !letter.is_alphanumeric()).map(|part| {
        let end = part.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        let word = match word {
            "A" => attribute,
            "S" => subject,
            "V" => value,
            other => other,
        };
        format!("{word}{rest}")
    });
    parts.collect()
}

fn subject(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("the {}", made_up(random).to_lowercase()),
        1 => made_up(random),
        _ => format!("{} {}", made_up(random), made_up(random)),
    }
}

/// One thing of some words, or a list.
fn value(random: &mut Random) -> Vec<String> {
    let things = if random.below(4) == 0 { 2 + random.below(LIST_MAX - 1) } else { 1 };
    (0..things).map(|_| thing(random)).collect()
}

fn thing(random: &mut Random) -> String {
    let most = 1 + random.below(WORDS_MAX);
    let words = 1 + random.below(most);
    (0..words).map(|_| any(random)).collect::<Vec<_>>().join(" ")
}

/// Another value: mostly one word of it is another.
fn wrong(value: &[String], random: &mut Random) -> Vec<String> {
    let mut value = value.to_vec();
    let at = random.below(value.len());
    if random.below(3) == 0 {
        value[at] = loop {
            let fresh = thing(random);
            if fresh != value[at] {
                break fresh;
            }
        };
        return value;
    }
    let mut words: Vec<String> = value[at].split(' ').map(str::to_owned).collect();
    let word = random.below(words.len());
    words[word] = other(&words[word], random);
    value[at] = words.join(" ");
    value
}

/// An answer that holds the value and has a fault all the same: it says more, or ends too soon.
fn fault(answer: &str, random: &mut Random) -> String {
    let words: Vec<&str> = answer.split(' ').collect();
    match random.below(4) {
        0 if words.len() > 1 => words[..1 + random.below(words.len() - 1)].join(" "),
        1 => format!("{answer} {answer}"),
        2 => format!("{answer} {}", number(random)),
        _ => {
            let more = 1 + random.below(6);
            let more: Vec<String> = (0..more).map(|_| any(random)).collect();
            format!("{answer} {}.", more.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_filled_word_by_word() {
        let filled = fill("S's A is V.", "age", "Alva S", "12");
        assert_eq!(filled, "Alva S's age is 12.");
        assert_eq!(fill("The A of S is V.", "town", "Bo", "V"), "The town of Bo is V.");
    }

    #[test]
    fn half_of_the_answers_are_good_and_a_wrong_value_is_another() {
        let mut random = Random::new(7);
        let good = (0..400).filter(|_| judged(&mut random).good).count();
        assert!((160..240).contains(&good), "{good}");
        for _ in 0..200 {
            let value = value(&mut random);
            assert_ne!(wrong(&value, &mut random), value);
        }
    }
}
