//! How well each instrument sees each way to answer badly, on wordings that it was never taught:
//! `roc [--cross FOLDER] [--judge FOLDER] [--pairs N] [--people N] [--lambda PER_MILLE] [--json]`.

use auditor::cross::CrossEncoder;
use auditor::cross::pairs::{Cheat, Pair, Pairs};
use auditor::cross::train::wordings;
use auditor::judge::{self, Case, Local};
use auditor::roc::{Area, area, caught};
use auditor::{Mark, quality};
use engine::train::random::Random;
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs of each kind, where nothing else is said.
const PAIRS: usize = 500;

/// How many honest answers per mille may be suspected.
const SUSPECTED: usize = 20;

/// The judge's part of both together, per mille, where nothing else is said.
const LAMBDA: u16 = 500;

const SEED: u64 = 99;

type Failed = Box<dyn std::error::Error>;

struct Instruments {
    cross: Option<CrossEncoder>,
    judge: Option<Local>,
    lambda: Mark,
}

/// Marks of the same answers by one instrument.
type Marks = Vec<u16>;

fn main() -> Result<(), Failed> {
    engine::limit_threads(1);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let number =
        |name: &str, other: usize| value(name).map_or(Ok(other), |text| text.parse::<usize>());
    let (count, people) = (number("--pairs", PAIRS)?, number("--people", 0)?);
    let lambda = value("--lambda").map_or(Ok(LAMBDA), |text| text.parse())?;
    let instruments = Instruments {
        cross: value("--cross")
            .map(PathBuf::from)
            .as_deref()
            .map(CrossEncoder::load)
            .transpose()?,
        judge: value("--judge").map(PathBuf::from).as_deref().map(Local::load).transpose()?,
        lambda: Mark::try_from(lambda)?,
    };
    let json = arguments.iter().any(|argument| argument == "--json");
    let pairs = Pairs::new(wordings(engine::train::lessons(people), true));
    let mut random = Random::new(SEED);
    let good: Vec<Pair> = (0..count).map(|_| pairs.good(&mut random)).collect();
    let good = instruments.marks(&good).await?;
    if !json {
        println!(
            "| an answer that is | instrument | area under the curve | 95 % interval | found, of 20 in 1000 honest suspected |"
        );
        println!("|---|---|---|---|---|");
    }
    for cheat in Cheat::ALL {
        let bad: Vec<Pair> = (0..count).map(|_| pairs.bad(cheat, &mut random)).collect();
        let bad = instruments.marks(&bad).await?;
        for ((name, good), (_, bad)) in good.iter().zip(&bad) {
            tell(cheat, name, good, bad, json)?;
        }
    }
    Ok(())
}

impl Instruments {
    /// The marks of each instrument that there is, and of both together.
    async fn marks(&self, pairs: &[Pair]) -> Result<Vec<(&'static str, Marks)>, Failed> {
        let mut all = Vec::new();
        if let Some(cross) = &self.cross {
            let texts: Vec<(&str, &str)> =
                pairs.iter().map(|pair| (pair.question.as_str(), pair.answer.as_str())).collect();
            all.push(("cross-encoder", cross.marks(&texts)?));
        }
        if let Some(judge) = &self.judge {
            let mut marks = Vec::with_capacity(pairs.len());
            for Pair { question, answer, .. } in pairs {
                let case = Case { model: "lode-demo", asked: question, answer };
                marks.push(judge::mark(judge, &case).await?);
            }
            all.push(("judge", marks));
        }
        if let [(_, cross), (_, judge)] = &all[..] {
            let both = judge.iter().zip(cross).map(|(j, c)| quality(*j, *c, self.lambda)).collect();
            all.push(("both", both));
        }
        let plain = |marks: Vec<Mark>| marks.into_iter().map(Mark::per_mille).collect();
        Ok(all.into_iter().map(|(name, marks)| (name, plain(marks))).collect())
    }
}

fn tell(cheat: Cheat, by: &str, good: &[u16], bad: &[u16], json: bool) -> Result<(), Failed> {
    let Area { area, low, high } = area(good, bad).ok_or("there are no pairs")?;
    let (name, caught) = (cheat.name(), caught(good, bad, SUSPECTED));
    if json {
        let line = serde_json::json!({
            "cheat": name, "by": by, "area": area, "low": low, "high": high,
            "found": caught, "pairs": bad.len(),
        });
        println!("{line}");
    } else {
        let found = 100.0 * caught;
        println!("| {name} | {by} | {area:.3} | {low:.3} to {high:.3} | {found:.1} % |");
    }
    Ok(())
}
