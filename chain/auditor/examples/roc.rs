//! How well the cross-encoder sees each way to cheat, on wordings that it was never taught:
//! `roc FOLDER [--pairs N] [--people N] [--json]`.

use auditor::cross::CrossEncoder;
use auditor::cross::pairs::{Cheat, Pair, Pairs};
use auditor::cross::train::wordings;
use auditor::roc::{area, caught};
use engine::train::random::Random;
use std::path::PathBuf;

/// Pairs of each kind, where nothing else is said.
const PAIRS: usize = 500;

/// How many honest answers per mille may be suspected.
const SUSPECTED: usize = 20;

const SEED: u64 = 99;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().ok_or("say where the cross-encoder is")?);
    let number = |name: &str, other: usize| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)).map_or(Ok(other), |text| text.parse())
    };
    let (count, people) = (number("--pairs", PAIRS)?, number("--people", 0)?);
    let cross = CrossEncoder::load(&folder)?;
    let pairs = Pairs::new(wordings(engine::train::lessons(people), true));
    let mut random = Random::new(SEED);
    let mut marks = |cheat: Option<Cheat>| {
        let draw = |_| match cheat {
            None => pairs.good(&mut random),
            Some(cheat) => pairs.bad(cheat, &mut random),
        };
        let pairs: Vec<Pair> = (0..count).map(draw).collect();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|pair| (pair.question.as_str(), pair.answer.as_str())).collect();
        let marks = cross.marks(&pairs)?;
        Ok::<Vec<u16>, auditor::cross::CrossError>(
            marks.iter().map(|mark| mark.per_mille()).collect(),
        )
    };
    let good = marks(None)?;
    let json = arguments.iter().any(|argument| argument == "--json");
    if !json {
        println!(
            "| an answer that is | area under the curve | 95 % interval | caught, of 20 in 1000 honest suspected |"
        );
        println!("|---|---|---|---|");
    }
    for cheat in Cheat::ALL {
        let bad = marks(Some(cheat))?;
        let area = area(&good, &bad).ok_or("there are no pairs")?;
        let (name, caught) = (cheat.name(), caught(&good, &bad, SUSPECTED));
        let auditor::roc::Area { area, low, high } = area;
        if json {
            println!(
                "{}",
                serde_json::json!({"cheat": name, "area": area, "low": low, "high": high, "caught": caught, "pairs": count})
            );
        } else {
            println!("| {name} | {area:.3} | {low:.3} to {high:.3} | {:.1} % |", 100.0 * caught);
        }
    }
    Ok(())
}
