//! Words that nobody knows, and what can be wrong with a row of them.

use engine::train::random::Random;
use std::collections::BTreeMap;

const ONSETS: [&str; 32] = [
    "b", "bl", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p",
    "pl", "qu", "r", "s", "sh", "sl", "st", "t", "th", "tr", "v", "w", "y", "z",
];
const VOWELS: [&str; 10] = ["a", "e", "i", "o", "u", "ai", "ee", "ei", "oo", "ou"];
const CODAS: [&str; 20] = [
    "", "", "", "n", "l", "r", "s", "m", "k", "t", "nd", "rt", "sk", "x", "ton", "by", "ford",
    "ck", "ng", "p",
];
const PLAIN: [&str; 48] = [
    "red", "green", "blue", "white", "black", "one", "two", "three", "ten", "north", "south",
    "east", "west", "big", "small", "old", "new", "river", "hill", "lake", "horse", "dog", "fish",
    "bread", "milk", "iron", "gold", "silver", "wood", "stone", "king", "queen", "doctor",
    "teacher", "painter", "farmer", "violin", "piano", "flute", "drum", "January", "July",
    "Monday", "Friday", "Paris", "London", "water", "grass",
];

/// Words in a row at most, and in one of so many rows.
const ROW_MAX: usize = 8;
const LONG_MAX: usize = 30;
const LONG_EVERY: usize = 8;

/// One row in so many is of few words that come again and again: who looks for a word finds it in a
/// wrong place.
const AGAIN_EVERY: usize = 4;

/// Words of which such a row is made.
const AGAIN_OF: usize = 4;

/// One word of a pair in so many is put in another's place, of those without a capital or a digit.
const PLAIN_RENAMED_EVERY: usize = 6;

/// A word of one to three syllables.
pub(super) fn made_up(random: &mut Random) -> String {
    let syllables = 1 + random.below(3);
    let word: String = (0..syllables)
        .map(|_| {
            let [onset, coda] = [random.pick(&ONSETS[..]), random.pick(&CODAS[..])];
            format!("{onset}{}{coda}", random.pick(&VOWELS))
        })
        .collect();
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if random.below(3) != 0 => first.to_uppercase().chain(letters).collect(),
        _ => word,
    }
}

/// A number of one to five digits.
pub(super) fn number(random: &mut Random) -> String {
    let digits = 1 + random.below(5) as u32;
    random.below(10usize.pow(digits)).to_string()
}

/// A word of any kind.
pub(super) fn any(random: &mut Random) -> String {
    match random.below(8) {
        0..4 => made_up(random),
        4..6 => number(random),
        _ => (*random.pick(&PLAIN)).to_owned(),
    }
}

/// Some words in a row; often few.
pub(super) fn row(random: &mut Random) -> Vec<String> {
    let most = if random.below(LONG_EVERY) == 0 { LONG_MAX } else { 1 + random.below(ROW_MAX) };
    let length = 1 + random.below(most);
    if random.below(AGAIN_EVERY) != 0 {
        return (0..length).map(|_| any(random)).collect();
    }
    let few: Vec<String> = (0..AGAIN_OF).map(|_| any(random)).collect();
    (0..length).map(|_| random.pick(&few).clone()).collect()
}

/// Another word, and often one that looks alike.
pub(super) fn other(word: &str, random: &mut Random) -> String {
    loop {
        let other = if random.below(2) == 0 { near(word, random) } else { alike(word, random) };
        if other != word && !other.is_empty() {
            return other;
        }
    }
}

/// A word of the same kind.
fn alike(word: &str, random: &mut Random) -> String {
    let first = word.chars().next();
    if first.is_some_and(|first| first.is_ascii_digit()) {
        return number(random);
    }
    if random.below(3) == 0 {
        return any(random);
    }
    let other = made_up(random).to_lowercase();
    match first {
        Some(first) if first.is_uppercase() => other[..1].to_uppercase() + &other[1..],
        _ => other,
    }
}

/// The word with a letter or digit less, more, or another.
fn near(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = random.below(letters.len());
    let fresh = if letters[at].is_ascii_digit() {
        *random.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    } else {
        char::from(b'a' + random.below(26) as u8)
    };
    match random.below(6) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at + 1, fresh),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = fresh,
    }
    letters.into_iter().collect()
}

/// A row with a fault: mostly another word in one place.
pub(super) fn spoilt(row: &[String], random: &mut Random) -> Vec<String> {
    let mut row = row.to_vec();
    let (at, to) = (random.below(row.len()), random.below(row.len()));
    match random.below(14) {
        0 if row.len() > 1 => row.truncate(at.max(1)),
        1 if row.len() > 1 => {
            row.remove(at);
        }
        2 if row.len() > 2 => {
            let gap = 1 + random.below(row.len() - 2);
            let from = at.min(row.len() - gap);
            row.drain(from..from + gap);
        }
        3 => row.insert(random.below(row.len() + 1), any(random)),
        4 => {
            let more = 1 + random.below(4);
            row.extend((0..more).map(|_| any(random)));
        }
        5 => random.shuffle(&mut row),
        6 | 7 => row.swap(at, to),
        8 => {
            let again = row[at..].to_vec();
            row.extend(again);
        }
        9 => row = (0..row.len()).map(|_| any(random)).collect(),
        10 if row[row.len() - 1].chars().count() > 1 => {
            let last = row.pop().expect("it was just looked at");
            row.push(last.chars().take(last.chars().count() / 2).collect());
        }
        _ => row[at] = other(&row[at], random),
    }
    row
}

/// Puts other words in the place of some, the same one wherever the same word stands: what was equal
/// stays equal, and what was not stays so.
pub(super) fn rename<const TEXTS: usize>(texts: &mut [String; TEXTS], random: &mut Random) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for word in texts.iter().flat_map(|text| words(text)) {
        names.entry(word.to_owned()).or_default();
    }
    let known: Vec<String> = names.keys().cloned().collect();
    let mut taken = known.clone();
    for word in known {
        let named = word.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit());
        let renamed = if named { random.below(2) } else { random.below(PLAIN_RENAMED_EVERY) } == 0;
        let fresh = if renamed { alike(&word, random) } else { word.clone() };
        let name = if taken.contains(&fresh) { word.clone() } else { fresh };
        taken.push(name.clone());
        names.insert(word, name);
    }
    for text in texts {
        let parts = parts(text).map(|part| names.get(part).map_or(part, String::as_str));
        *text = parts.collect();
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter(|part| part.starts_with(char::is_alphanumeric))
}

/// The text cut into words and what stands between them.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.chars().next()?.is_alphanumeric();
        let end = rest.find(|letter: char| letter.is_alphanumeric() != word);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_equal_stay_equal_and_others_do_not() {
        let mut random = Random::new(1);
        for _ in 0..200 {
            let mut texts = ["Paris, 12.", "Paris, 12.", "Paris, 13."].map(str::to_owned);
            rename(&mut texts, &mut random);
            let [one, same, other] = texts;
            assert!(one == same && one != other && one.ends_with('.'), "{one} {same} {other}");
        }
    }

    #[test]
    fn another_word_is_another() {
        let mut random = Random::new(1);
        for word in ["a", "7", "Kelston"] {
            (0..200).for_each(|_| assert_ne!(other(word, &mut random), word));
        }
    }
}
