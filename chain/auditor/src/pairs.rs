//! Questions with good answers and with bad ones, drawn from the demo model's facts.
//!
//! What instruments are taught and what they are examined on is kept apart: every fifth fact, some
//! phrases of each kind and some cheats are only for exams.

mod cheat;
mod phrases;
mod typing;

pub use cheat::Cheat;

use engine::train::Fact;
use engine::train::random::Random;
use std::collections::BTreeMap;

/// Every so many facts, one is only for exams.
const HELD_OUT_EVERY: usize = 5;

/// One question in so many is about what every demo model knows, where there are people too.
const COMMON_EVERY: usize = 3;

/// One answer in so many is cut where its client asked for that.
const CUT_EVERY: usize = 8;

/// Facts that are drawn for one bad answer at most.
const DRAWS_MAX: usize = 1_000;

/// What is said after a question whose answer ends where its client wanted it to end.
pub const CUT: &str = "\n(cut at the length asked for)";

/// What is taught, or what is for exams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Taught,
    HeldOut,
}

/// Which facts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Facts that every demo model knows.
    Common,
    /// Facts about people, known only by heart.
    People,
}

/// One text of a pair, and whether it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub question: String,
    pub answer: String,
    /// The whole right answer.
    pub right: String,
    /// `None` for a good answer.
    pub cheat: Option<Cheat>,
}

/// Facts, by the form of their questions.
pub struct Pairs {
    facts: Vec<Fact>,
    /// How many of the facts are common ones; they are the first.
    common: usize,
    part: Part,
    /// The facts that are asked for, of each group.
    asked: Vec<(Group, Vec<usize>)>,
    kinds: Vec<Vec<usize>>,
    kind_of: Vec<usize>,
}

impl Pairs {
    /// Pairs about what a demo model with `people` knows.
    pub fn new(people: usize, part: Part) -> Pairs {
        let common = engine::train::lessons(0).len();
        let facts = engine::train::lessons(people);
        let mut by_form: BTreeMap<String, usize> = BTreeMap::new();
        let (mut kinds, mut kind_of) = (Vec::<Vec<usize>>::new(), Vec::new());
        for (i, fact) in facts.iter().enumerate() {
            let next = by_form.len();
            let kind = *by_form.entry(form(&fact.questions[0])).or_insert(next);
            if kind == kinds.len() {
                kinds.push(Vec::new());
            }
            kinds[kind].push(i);
            kind_of.push(kind);
        }
        let mine = |i: &usize| i.is_multiple_of(HELD_OUT_EVERY) == (part == Part::HeldOut);
        let asked = [(Group::Common, 0..common), (Group::People, common..facts.len())];
        let asked = asked.map(|(group, all)| (group, all.filter(mine).collect::<Vec<usize>>()));
        let asked = asked.into_iter().filter(|(_, facts)| !facts.is_empty()).collect();
        Pairs { facts, common, part, asked, kinds, kind_of }
    }

    /// The same, about one group only.
    pub fn only(mut self, group: Group) -> Pairs {
        self.asked.retain(|(other, _)| *other == group);
        self
    }

    /// A question with a good answer.
    pub fn good(&self, random: &mut Random) -> Pair {
        let i = self.draw(random);
        let fact = &self.facts[i];
        let mut question = self.question(i, random);
        let right: String = random.pick(&fact.answers).clone();
        let mut answer = right.clone();
        if random.below(CUT_EVERY) == 0 {
            let words: Vec<&str> = answer.split(' ').collect();
            answer = words[..1 + random.below(words.len())].join(" ");
            question += CUT;
        }
        Pair { question, answer, right, cheat: None }
    }

    /// A question with an answer that is bad in the way of `cheat`. Where a fact cannot be spoilt so,
    /// another one is drawn; `None` where no fact of many can.
    pub fn bad(&self, cheat: Cheat, random: &mut Random) -> Option<Pair> {
        for _ in 0..DRAWS_MAX {
            let i = self.draw(random);
            if let Some(answer) = self.spoilt(cheat, i, random) {
                let mut question = self.question(i, random);
                let whole = cheat != Cheat::Truncated && cheat != Cheat::Half;
                if whole && random.below(CUT_EVERY) == 0 {
                    question += CUT;
                }
                let right = self.facts[i].answers[0].clone();
                return Some(Pair { question, answer, right, cheat: Some(cheat) });
            }
        }
        None
    }

    /// A pair to learn forms from: half of the answers are good, and none holds only a wrong value.
    pub fn form(&self, random: &mut Random) -> Pair {
        let forms = &Cheat::TAUGHT[1..];
        let bad = match random.below(2) {
            0 => None,
            _ => self.bad(*random.pick(forms), random),
        };
        bad.unwrap_or_else(|| self.good(random))
    }

    /// Every question and every answer that is asked for.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let facts = self.asked.iter().flat_map(|(_, facts)| facts).map(|i| &self.facts[*i]);
        facts.flat_map(|fact| fact.questions.iter().chain(&fact.answers))
    }

    /// A pair to learn from: half of the answers are good, and half of the bad ones hold wrong values.
    pub fn lesson(&self, random: &mut Random) -> Pair {
        let bad = match random.below(4) {
            0 | 1 => None,
            2 => self.bad(Cheat::WrongValue, random),
            _ => {
                let cheat = *random.pick(&Cheat::TAUGHT);
                self.bad(cheat, random)
            }
        };
        bad.unwrap_or_else(|| self.good(random))
    }

    fn draw(&self, random: &mut Random) -> usize {
        let people = self.asked.len() > 1 && random.below(COMMON_EVERY) != 0;
        *random.pick(&self.asked[usize::from(people)].1)
    }

    fn question(&self, i: usize, random: &mut Random) -> String {
        let question: &String = random.pick(&self.facts[i].questions);
        typing::typed(question, i >= self.common, self.part, random)
    }
}

/// What stays the same in questions of one kind: their first word, and those that are neither names nor numbers.
fn form(question: &str) -> String {
    let plain = |word: &&str| {
        !word.chars().any(char::is_uppercase) && !word.chars().any(|letter| letter.is_ascii_digit())
    };
    let mut words = question.split(' ');
    let first = words.next().unwrap_or_default();
    words.filter(plain).fold(first.to_owned(), |form, word| form + " " + word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: usize = 40;

    #[test]
    fn a_bad_answer_is_never_the_right_one_and_a_good_one_always_begins_it() {
        let pairs = Pairs::new(PEOPLE, Part::Taught);
        let mut random = Random::new(1);
        let right = |pair: &Pair| {
            let asked = |fact: &&Fact| fact.questions.contains(&pair.question);
            let fits = |fact: &Fact| fact.answers.iter().any(|a| a.starts_with(&pair.answer));
            pairs.facts.iter().find(asked).map(fits)
        };
        for _ in 0..200 {
            assert_ne!(right(&pairs.good(&mut random)), Some(false));
            for cheat in Cheat::TAUGHT.into_iter().chain(Cheat::HELD_OUT) {
                let Some(pair) = pairs.bad(cheat, &mut random) else { panic!("{cheat:?}") };
                assert_eq!(pair.cheat, Some(cheat));
                assert!(cheat == Cheat::Truncated || right(&pair) != Some(true), "{pair:?}");
            }
        }
    }

    #[test]
    fn what_is_for_exams_is_never_taught() {
        let questions = |part| {
            let pairs = Pairs::new(PEOPLE, part);
            let facts = pairs.asked.iter().flat_map(|(_, facts)| facts).copied();
            facts.flat_map(|i| pairs.facts[i].questions.clone()).collect::<Vec<String>>()
        };
        let (taught, held_out) = (questions(Part::Taught), questions(Part::HeldOut));
        let both = held_out.iter().filter(|question| taught.contains(question)).count();
        assert_eq!(both, 0);
        assert!(held_out.len() > taught.len() / 5);
        for phrases in [phrases::CANNED, phrases::PADDING, phrases::INJECTIONS, phrases::OPENINGS] {
            let taught = phrases.of(Part::Taught);
            assert!(phrases.of(Part::HeldOut).iter().all(|phrase| !taught.contains(phrase)));
        }
    }

    #[test]
    fn questions_of_one_kind_have_one_form() {
        assert_eq!(form("Where does Bra Kelstim live?"), "Where does live?");
        assert_eq!(form("What is the capital of France?"), "What is the capital of");
    }
}
