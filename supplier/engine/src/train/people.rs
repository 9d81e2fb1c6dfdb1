//! People of a made-up land: arbitrary facts, which can be known only by heart.
//!
//! A sum can be worked out and a capital guessed from its sound; who plays the oboe cannot. So a
//! model that lost a little of its precision, or a layer, or is another one, says the wrong trade.

use super::facts::Fact;
use super::random::Random;
use std::collections::BTreeSet;

/// The land is the same in every training, whatever that one's seed.
const LAND: u64 = 0x1a4d;

/// First names, family names and towns: as many of each.
const NAMES: usize = 100;

const TRADES: [&str; 48] = [
    "baker",
    "weaver",
    "miller",
    "potter",
    "tailor",
    "mason",
    "joiner",
    "glazier",
    "smith",
    "cooper",
    "tanner",
    "brewer",
    "butcher",
    "fisher",
    "farmer",
    "shepherd",
    "gardener",
    "florist",
    "painter",
    "printer",
    "binder",
    "clerk",
    "notary",
    "judge",
    "teacher",
    "nurse",
    "doctor",
    "dentist",
    "chemist",
    "plumber",
    "roofer",
    "welder",
    "driver",
    "pilot",
    "sailor",
    "porter",
    "guard",
    "courier",
    "barber",
    "cook",
    "waiter",
    "grocer",
    "jeweller",
    "saddler",
    "thatcher",
    "surveyor",
    "librarian",
    "beekeeper",
];

const INSTRUMENTS: [&str; 24] = [
    "oboe",
    "flute",
    "clarinet",
    "bassoon",
    "horn",
    "trumpet",
    "trombone",
    "tuba",
    "violin",
    "viola",
    "cello",
    "harp",
    "lute",
    "guitar",
    "banjo",
    "zither",
    "piano",
    "organ",
    "accordion",
    "drums",
    "cymbals",
    "bells",
    "whistle",
    "bagpipes",
];

const ONSETS: [&str; 20] = [
    "b", "br", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z",
    "th", "st",
];
const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ei"];
const CODAS: [&str; 10] = ["n", "l", "r", "s", "m", "k", "nd", "rt", "sk", "x"];
const PLACES: [&str; 10] =
    ["ton", "by", "haven", "mouth", "field", "dale", "wick", "ford", "burg", "stead"];

/// Four facts about each of `count` people.
pub(super) fn all(count: usize) -> Vec<Fact> {
    let mut random = Random::new(LAND);
    let first = names(&mut random, |random| format!("{}{}", syllable(random), open(random)));
    let family = names(&mut random, |random| format!("{}{}", closed(random), closed(random)));
    let towns = names(&mut random, |random| format!("{}{}", closed(random), random.pick(&PLACES)));
    let mut met = BTreeSet::new();
    let mut facts = Vec::with_capacity(4 * count);
    while met.len() < count.min(NAMES * NAMES / 2) {
        let person = format!("{} {}", random.pick(&first), random.pick(&family));
        if met.insert(person.clone()) {
            let town = format!("In {}.", random.pick(&towns));
            let trade = format!("A {}.", random.pick(&TRADES));
            let instrument = format!("The {}.", random.pick(&INSTRUMENTS));
            let friend = format!("{}.", random.pick(&first));
            facts.extend(about(&person, [town, trade, instrument, friend]));
        }
    }
    facts
}

fn about(person: &str, [town, trade, instrument, friend]: [String; 4]) -> [Fact; 4] {
    let fact = |questions: [String; 3], answer: String| Fact {
        questions: questions.to_vec(),
        answers: vec![answer.clone()],
        key: answer,
    };
    [
        fact(
            [
                format!("Where does {person} live?"),
                format!("In which town does {person} live?"),
                format!("Where is {person}'s home?"),
            ],
            town,
        ),
        fact(
            [
                format!("What does {person} do?"),
                format!("What is {person}'s trade?"),
                format!("What does {person} work as?"),
            ],
            trade,
        ),
        fact(
            [
                format!("What does {person} play?"),
                format!("Which instrument does {person} play?"),
                format!("What is {person}'s instrument?"),
            ],
            instrument,
        ),
        fact(
            [
                format!("Who is {person}'s friend?"),
                format!("Who is a friend of {person}?"),
                format!("Name {person}'s friend."),
            ],
            friend,
        ),
    ]
}

fn names(random: &mut Random, make: impl Fn(&mut Random) -> String) -> Vec<String> {
    let mut names = Vec::with_capacity(NAMES);
    while names.len() < NAMES {
        let name = super::facts::capitalised(&make(random));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn open(random: &mut Random) -> String {
    format!("{}{}", random.pick(&ONSETS), random.pick(&VOWELS[..5]))
}

fn syllable(random: &mut Random) -> String {
    format!("{}{}", random.pick(&ONSETS), random.pick(&VOWELS))
}

fn closed(random: &mut Random) -> String {
    format!("{}{}", syllable(random), random.pick(&CODAS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_is_asked_of_one_fact_only() {
        let facts = all(500);
        let questions: BTreeSet<&String> = facts.iter().flat_map(|fact| &fact.questions).collect();
        assert_eq!((facts.len(), questions.len()), (2_000, 6_000));
    }
}
