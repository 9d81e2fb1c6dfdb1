//! Questions as people type them.

use super::Part;
use super::phrases::OPENINGS;
use engine::train::random::Random;

/// One question in so many has something before it, is in lower case, lacks its mark, has a slip.
const OPENING_EVERY: usize = 3;
const LOWER_EVERY: usize = 8;
const UNMARKED_EVERY: usize = 8;
const SLIP_EVERY: usize = 12;

/// Words shorter than this have no slips.
const SLIP_FROM: usize = 4;

/// The question as somebody types it. Names keep their letters: with a slip, or in lower case, they
/// would be other names.
pub(super) fn typed(question: &str, named: bool, part: Part, random: &mut Random) -> String {
    let mut text = question.to_owned();
    if random.below(SLIP_EVERY) == 0 {
        text = slipped(&text, random);
    }
    if !named && random.below(LOWER_EVERY) == 0 {
        text = text.to_lowercase();
    }
    if random.below(UNMARKED_EVERY) == 0 {
        text.truncate(text.trim_end_matches(['?', '.', '!']).len().max(1));
    }
    if random.below(OPENING_EVERY) == 0 {
        text = format!("{}{text}", random.pick(OPENINGS.of(part)));
    }
    text
}

/// Two letters of one small word change places, or one is lost.
fn slipped(text: &str, random: &mut Random) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let small = |word: &String| {
        word.len() >= SLIP_FROM && word.bytes().all(|letter| letter.is_ascii_lowercase())
    };
    let places: Vec<usize> = (0..words.len()).filter(|i| small(&words[*i])).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let word = &mut words[*random.pick(&places)];
    let at = 1 + random.below(word.len() - 2);
    let lost = word.remove(at);
    if random.below(2) == 0 {
        word.insert(at + 1, lost);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_have_no_slips() {
        let mut random = Random::new(1);
        for _ in 0..100 {
            let text = slipped("Where does Bra Kelstim live?", &mut random);
            assert!(text.starts_with("Where ") && text.ends_with(" Bra Kelstim live?"), "{text}");
        }
        assert_eq!(slipped("What is 3 + 4?", &mut random), "What is 3 + 4?");
    }
}
