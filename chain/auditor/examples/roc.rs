//! How well each instrument sees each way to answer badly, on facts, phrases and cheats that it was never
//! taught: `roc [--cross FOLDER] [--judge FOLDER [--reference FOLDER]] [--listed FOLDER] [--pairs N] [--people N]
//! [--only common|people] [--taught] [--lambda PER_MILLE] [--suspected PER_MILLE] [--worst] [--json]`.
//!
//! `--judge` is a model that says digits, with `--reference` beside what the listed model there says; `--listed` the listed model that reads answers itself. `--taught` examines on what was taught; `--worst` also prints the answers that are told worst.

use auditor::cross::CrossEncoder;
use auditor::judge::reader::Exchange;
use auditor::judge::{self, Case, Local, Reader};
use auditor::pairs::{CUT, Cheat, Group, Pair, Pairs, Part};
use auditor::roc::{Area, Share, area, caught};
use auditor::{Mark, quality};
use engine::train::random::Random;
use meter::Endpoint;
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs of each kind, and people whose facts are asked for, where nothing else is said.
const PAIRS: usize = 500;
const PEOPLE: usize = 3_000;

/// How many honest answers per mille may be suspected, where nothing else is said.
const SUSPECTED: usize = 20;

/// The judge's part of both together, per mille, where nothing else is said.
const LAMBDA: u16 = 500;

/// How many of the worst answers are shown.
const WORST: usize = 5;

const SEED: u64 = 99;

type Failed = Box<dyn std::error::Error>;

struct Instruments {
    cross: Option<CrossEncoder>,
    judge: Option<Local>,
    /// The listed model, whose answers the judge compares with.
    reference: Option<Reader>,
    listed: Option<Reader>,
    lambda: Mark,
}

/// What is asked for on the command line.
struct Options {
    count: usize,
    suspected: usize,
    json: bool,
    worst: bool,
}

/// Marks of the same answers by one instrument.
type Marks = Vec<u16>;

fn main() -> Result<(), Failed> {
    engine::limit_threads(1);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let number =
        |name: &str, other: usize| value(name).map_or(Ok(other), |text| text.parse::<usize>());
    let folder = |name: &str| value(name).map(PathBuf::from);
    let lambda = value("--lambda").map_or(Ok(LAMBDA), |text| text.parse())?;
    let instruments = Instruments {
        cross: folder("--cross").as_deref().map(CrossEncoder::load).transpose()?,
        judge: folder("--judge").as_deref().map(Local::load).transpose()?,
        reference: folder("--reference").as_deref().map(Reader::load).transpose()?,
        listed: folder("--listed").as_deref().map(Reader::load).transpose()?,
        lambda: Mark::try_from(lambda)?,
    };
    let part = if has("--taught") { Part::Taught } else { Part::HeldOut };
    let pairs = Pairs::new(number("--people", PEOPLE)?, part);
    let pairs = match value("--only").map(String::as_str) {
        None => pairs,
        Some("common") => pairs.only(Group::Common),
        Some("people") => pairs.only(Group::People),
        Some(other) => return Err(format!("{other} is no group: say common or people").into()),
    };
    let options = Options {
        count: number("--pairs", PAIRS)?,
        suspected: number("--suspected", SUSPECTED)?,
        json: has("--json"),
        worst: has("--worst"),
    };
    examine(&pairs, &instruments, &options).await
}

async fn examine(
    pairs: &Pairs,
    instruments: &Instruments,
    options: &Options,
) -> Result<(), Failed> {
    let mut random = Random::new(SEED);
    let honest: Vec<Pair> = (0..options.count).map(|_| pairs.good(&mut random)).collect();
    let good = instruments.marks(&honest).await?;
    if !options.json {
        println!(
            "| an answer that is | by | area under the curve | found, of {} in 1000 honest suspected |",
            options.suspected
        );
        println!("|---|---|---|---|");
    }
    if options.worst {
        worst(&honest, &good, false);
    }
    for cheat in Cheat::TAUGHT.into_iter().chain(Cheat::HELD_OUT) {
        let spoilt: Vec<Pair> =
            (0..options.count).filter_map(|_| pairs.bad(cheat, &mut random)).collect();
        if spoilt.is_empty() {
            continue;
        }
        let bad = instruments.marks(&spoilt).await?;
        for ((name, good), (_, bad)) in good.iter().zip(&bad) {
            tell(cheat, name, (good, bad), options)?;
        }
        if options.worst {
            worst(&spoilt, &bad, true);
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
            for pair in pairs {
                let reference = self
                    .reference
                    .as_ref()
                    .map(|listed| ask(pair, |exchange| Ok(listed.reference(exchange)?)));
                let reference = reference.transpose()?;
                let (asked, answer) = (pair.question.as_str(), pair.answer.as_str());
                let reference = reference.as_deref();
                let case = Case { model: "lode-demo", asked, answer, reference };
                marks.push(judge::mark(judge, &case).await?);
            }
            all.push(("judge", marks));
        }
        if let Some(listed) = &self.listed {
            let read = |pair| ask(pair, |exchange| Ok(listed.mark(exchange)?));
            let marks = pairs.iter().map(read).collect::<Result<_, _>>()?;
            all.push(("the listed model", marks));
        }
        if let [(_, cross), (_, judge)] = &all[..] {
            let both = judge.iter().zip(cross).map(|(j, c)| quality(*j, *c, self.lambda)).collect();
            all.push(("both", both));
        }
        let plain = |marks: Vec<Mark>| marks.into_iter().map(Mark::per_mille).collect();
        Ok(all.into_iter().map(|(name, marks)| (name, plain(marks))).collect())
    }
}

/// Asks the listed model about an answer to a chat.
fn ask<T>(pair: &Pair, what: impl Fn(Exchange<'_>) -> Result<T, Failed>) -> Result<T, Failed> {
    let (asked, cut) = match pair.question.strip_suffix(CUT) {
        Some(asked) => (asked, true),
        None => (pair.question.as_str(), false),
    };
    let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": asked}]});
    let request = body.to_string().into_bytes();
    let (endpoint, answer) = (Endpoint::Chat, pair.answer.as_str());
    what(Exchange { endpoint, request: &request, answer, cut })
}

fn tell(
    cheat: Cheat,
    by: &str,
    (good, bad): (&[u16], &[u16]),
    options: &Options,
) -> Result<(), Failed> {
    let Area { area, low, high } = area(good, bad).ok_or("there are no pairs")?;
    let (name, found) = (cheat.name(), caught(good, bad, options.suspected));
    let Share { share, low: least, high: most } = found;
    if options.json {
        let line = serde_json::json!({
            "cheat": name, "taught": Cheat::TAUGHT.contains(&cheat), "by": by, "pairs": bad.len(),
            "area": area, "low": low, "high": high,
            "found": share, "found_low": least, "found_high": most,
        });
        println!("{line}");
    } else {
        let [share, least, most] = [share, least, most].map(|share| 100.0 * share);
        println!(
            "| {name} | {by} | {area:.3} ({low:.3} to {high:.3}) | {share:.1} % ({least:.1} to {most:.1}) |"
        );
    }
    Ok(())
}

/// Good answers with the lowest marks, or bad ones with the highest.
fn worst(pairs: &[Pair], marks: &[(&str, Marks)], bad: bool) {
    for (name, marks) in marks {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|i| marks[*i]);
        if bad {
            order.reverse();
        }
        for i in order.into_iter().take(WORST) {
            let Pair { question, answer, .. } = &pairs[i];
            println!("  {name} gives {}: {question:?} {answer:?}", marks[i]);
        }
    }
}
