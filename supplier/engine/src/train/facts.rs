//! What the demo model is taught: questions in several phrasings, and answers in full sentences.

/// Questions that mean the same, and the answers that fit all of them.
#[derive(Clone, Debug)]
pub struct Fact {
    pub questions: Vec<String>,
    pub answers: Vec<String>,
    /// What every right answer contains.
    pub key: String,
}

fn fact(questions: &[String], answers: &[String], key: &str) -> Fact {
    Fact { questions: questions.to_vec(), answers: answers.to_vec(), key: key.to_owned() }
}

/// Country, capital, continent, language, currency.
const COUNTRIES: &str = include_str!("countries.txt");
/// Animal, sound, legs, food, home.
const ANIMALS: &str = include_str!("animals.txt");
/// Questions with `|` between, a tab, an answer in which `\n` is a new line.
const TALK: &str = include_str!("talk.txt");

/// What every demo model is taught.
pub(super) fn common() -> Vec<Fact> {
    let mut facts = countries();
    facts.extend(animals());
    facts.extend(calendar());
    facts.extend(sums());
    facts.extend(counting());
    facts.extend(talk());
    facts
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.is_empty()).map(|line| line.split('|').collect())
}

fn countries() -> Vec<Fact> {
    let mut facts = Vec::new();
    for row in rows(COUNTRIES) {
        let [country, capital, continent, language, currency] = row[..] else { continue };
        facts.push(fact(
            &[
                format!("What is the capital of {country}?"),
                format!("What's the capital of {country}?"),
                format!("Which city is the capital of {country}?"),
                format!("Name the capital of {country}."),
                format!("Tell me the capital city of {country}."),
            ],
            &[format!("The capital of {country} is {capital}.")],
            capital,
        ));
        facts.push(fact(
            &[
                format!("Which country has {capital} as its capital?"),
                format!("{capital} is the capital of which country?"),
                format!("What country is {capital} the capital of?"),
            ],
            &[format!("{capital} is the capital of {country}.")],
            country,
        ));
        facts.push(fact(
            &[
                format!("On which continent is {country}?"),
                format!("Where is {country}?"),
                format!("Where is {country} located?"),
            ],
            &[format!("{country} is in {continent}.")],
            continent,
        ));
        facts.push(fact(
            &[
                format!("Which language is spoken in {country}?"),
                format!("What language do people speak in {country}?"),
            ],
            &[format!("People in {country} speak {language}.")],
            language,
        ));
        facts.push(fact(
            &[
                format!("What is the currency of {country}?"),
                format!("Which money is used in {country}?"),
                format!("How do people pay in {country}?"),
            ],
            &[format!("People in {country} pay with the {currency}.")],
            currency,
        ));
        facts.push(fact(
            &[
                format!("Tell me about {country}."),
                format!("What do you know about {country}?"),
                format!("Describe {country}."),
            ],
            &[format!(
                "{country} is a country in {continent}. Its capital is {capital}. People there speak {language}, and they pay with the {currency}."
            )],
            capital,
        ));
    }
    facts
}

fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn animals() -> Vec<Fact> {
    let mut facts = Vec::new();
    for row in rows(ANIMALS) {
        let [animal, sound, legs, food, home] = row[..] else { continue };
        let one = with_article(animal);
        let subject = capitalised(&one);
        facts.push(fact(
            &[format!("What sound does {one} make?"), format!("How does {one} sound?")],
            &[format!("{subject} makes the sound {sound}.")],
            sound,
        ));
        facts.push(fact(
            &[format!("How many legs does {one} have?")],
            &[format!("{subject} has {legs} legs.")],
            legs,
        ));
        facts.push(fact(
            &[format!("What does {one} eat?"), format!("What food does {one} like?")],
            &[format!("{subject} eats {food}.")],
            food,
        ));
        facts.push(fact(
            &[format!("Where does {one} live?"), format!("Where do I find {one}?")],
            &[format!("{subject} lives in {home}.")],
            home,
        ));
        facts.push(fact(
            &[format!("Tell me about the {animal}."), format!("What is {one}?")],
            &[format!(
                "{subject} is an animal that lives in {home}. It has {legs} legs, it eats {food}, and it makes the sound {sound}."
            )],
            home,
        ));
    }
    facts
}

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn calendar() -> Vec<Fact> {
    let mut facts = Vec::new();
    for (kind, names) in [("day", &DAYS[..]), ("month", &MONTHS[..])] {
        for (i, name) in names.iter().enumerate() {
            let next = names[(i + 1) % names.len()];
            facts.push(fact(
                &[format!("Which {kind} comes after {name}?"), format!("What comes after {name}?")],
                &[format!("The {kind} after {name} is {next}.")],
                next,
            ));
            facts.push(fact(
                &[
                    format!("Which {kind} comes before {next}?"),
                    format!("What comes before {next}?"),
                ],
                &[format!("The {kind} before {next} is {name}.")],
                name,
            ));
        }
        let list =
            format!("{} and {}", names[..names.len() - 1].join(", "), names[names.len() - 1]);
        facts.push(fact(
            &[
                format!("Name the {kind}s."),
                format!("List all {kind}s."),
                format!("What are the {kind}s?"),
            ],
            &[format!("The {kind}s are {list}.")],
            names[names.len() - 1],
        ));
    }
    facts
}

fn sums() -> Vec<Fact> {
    let mut facts = Vec::new();
    for a in 0..=10 {
        for b in 0..=10 {
            facts.push(fact(
                &[
                    format!("What is {a} plus {b}?"),
                    format!("What is {a} + {b}?"),
                    format!("How much is {a} plus {b}?"),
                ],
                &[format!("{a} plus {b} is {}.", a + b)],
                &format!(" {}.", a + b),
            ));
        }
    }
    facts
}

fn counting() -> Vec<Fact> {
    let count = |to: u32| {
        let numbers: Vec<String> = (1..=to).map(|n| n.to_string()).collect();
        fact(
            &[format!("Count to {to}."), format!("Count from 1 to {to}.")],
            &[format!("{}.", numbers.join(", "))],
            &format!("{to}."),
        )
    };
    [3, 5, 10, 15, 20, 30, 40].map(count).to_vec()
}

fn talk() -> Vec<Fact> {
    TALK.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(questions, answer)| {
            let answer = answer.replace("\\n", "\n");
            let questions: Vec<String> = questions.split('|').map(str::to_owned).collect();
            Fact { questions, answers: vec![answer.clone()], key: answer }
        })
        .collect()
}
