//! `lode simulate audits`: how soon a cheat is convicted, and how rarely an honest supplier is.
//!
//! All auditors see the same evidence. An audit of a cheated answer fails with `power`, one of an honest
//! answer with `bad-luck`; what follows is the chain's own rule, under the network's parameters.

use crate::chart::{self, Curve};
use crate::print;
use anyhow::Context;
use clap::Args;
use proto::audit::case::Stage;
use proto::audit::ruling::{Bench, Foreseen, Reputation, unanimous};
use proto::audit::{Identity, Params};
use proto::service::ServiceId;
use proto::{Address, Ppm, seed};
use serde::Serialize;
use std::path::PathBuf;

/// Follow suppliers that cheat until they are convicted, and honest ones with bad luck.
#[derive(Debug, Args)]
pub(crate) struct Audits {
    /// In how many percent of its answers a supplier cheats; more than one may be given.
    #[arg(long = "cheats", value_delimiter = ',', default_value = "5,10,20,30,60,100")]
    cheats: Vec<f64>,
    /// Suppliers that are followed for each of these.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    suppliers: u32,
    /// Audits after which a supplier that was not convicted is followed no longer.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    audits: u32,
    /// Honest suppliers that are followed for as many audits each.
    #[arg(long, default_value_t = 50)]
    honest: u32,
    /// How often the audit of a cheated answer fails.
    #[arg(long, default_value_t = 0.85)]
    power: f64,
    /// How often the audit of an honest answer fails.
    #[arg(long, default_value_t = 0.02)]
    bad_luck: f64,
    /// Draw how many suppliers are convicted after how many audits.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Print the numbers as JSON.
    #[arg(long)]
    json: bool,
}

/// What became of suppliers that cheat alike.
#[derive(Debug, Serialize)]
struct Found {
    cheats_percent: f64,
    suppliers: u32,
    convicted: usize,
    /// Audits until conviction, of those that were convicted.
    median: u32,
    ninth_in_ten: u32,
    /// Claims that go by until as many audits are drawn, at the network's rate.
    claims_at_median: u64,
    #[serde(skip)]
    after: Vec<u32>,
}

/// What became of honest suppliers.
#[derive(Debug, Serialize)]
struct Honest {
    suppliers: u32,
    audits: u64,
    convicted: u64,
}

/// Runs `lode simulate audits …`.
pub(crate) fn run(options: &Audits) -> anyhow::Result<()> {
    check(options)?;
    let params = Params::standard();
    let found: Vec<Found> =
        options.cheats.iter().map(|cheats| follow(options, &params, *cheats)).collect();
    let honest = honest(options, &params);
    if let Some(path) = &options.svg {
        std::fs::write(path, picture(options, &found))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if options.json {
        println!("{}", serde_json::json!({"cheats": found, "honest": honest}));
    } else {
        report(&found, &honest);
    }
    Ok(())
}

fn check(options: &Audits) -> anyhow::Result<()> {
    for (name, part) in [("power", options.power), ("bad-luck", options.bad_luck)] {
        anyhow::ensure!((0.0..=1.0).contains(&part), "{name} is {part}, but must be in 0..=1");
    }
    for cheats in &options.cheats {
        anyhow::ensure!((0.0..=100.0).contains(cheats), "{cheats} % of answers: 0 to 100 can be");
    }
    Ok(())
}

/// A supplier of whose audits a part fails.
struct Career<'a> {
    params: &'a Params,
    fails: Ppm,
    number: u64,
    audits: u64,
    kept: Reputation,
}

impl<'a> Career<'a> {
    fn new(params: &'a Params, fails: f64, number: u64) -> anyhow::Result<Career<'a>> {
        let service = ServiceId::new("simulated")?;
        let kept = Reputation::new(Address([1; 20]), service);
        // In range: it is between two parts of one.
        let fails = Ppm((fails * 1e6) as u32);
        Ok(Career { params, fails, number, audits: 0, kept })
    }

    /// One audit. Gives whether it convicted.
    fn audit(&mut self) -> bool {
        self.audits += 1;
        let parts: [&[u8]; 3] =
            [&self.number.to_be_bytes(), &self.audits.to_be_bytes(), &self.fails.0.to_be_bytes()];
        let failed = seed::falls_within(&seed::hash("lode/simulate/audits", &parts), self.fails);
        let identity = if failed { Identity::Unlike } else { Identity::Same };
        let bench = Bench { test: &self.params.test, judged: true };
        let Foreseen { stage, kept, .. } = unanimous(bench, self.params, &self.kept, identity);
        self.kept = kept;
        stage == Stage::Convicted
    }
}

fn follow(options: &Audits, params: &Params, cheats: f64) -> Found {
    let part = cheats / 100.0;
    let fails = part * options.power + (1.0 - part) * options.bad_luck;
    let mut after: Vec<u32> = (0..options.suppliers)
        .filter_map(|number| {
            let mut career = Career::new(params, fails, number.into()).ok()?;
            (1..=options.audits).find(|_| career.audit())
        })
        .collect();
    after.sort_unstable();
    let at = |part: f64| {
        let place = (after.len() as f64 * part) as usize;
        after.get(place.min(after.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    let (median, ninth_in_ten) = (at(0.5), at(0.9));
    let claims_at_median = u64::from(median) * 1_000_000 / u64::from(params.rate.0.max(1));
    Found {
        cheats_percent: cheats,
        suppliers: options.suppliers,
        convicted: after.len(),
        median,
        ninth_in_ten,
        claims_at_median,
        after,
    }
}

fn honest(options: &Audits, params: &Params) -> Honest {
    let convicted = (0..options.honest).filter_map(|number| {
        // Other numbers than those of cheats, so other luck.
        let number = u64::from(u32::MAX) + u64::from(number);
        let mut career = Career::new(params, options.bad_luck, number).ok()?;
        Some((0..options.audits).filter(|_| career.audit()).count() as u64)
    });
    let audits = u64::from(options.honest) * u64::from(options.audits);
    Honest { suppliers: options.honest, audits, convicted: convicted.sum() }
}

/// Points of a curve.
const POINTS: u32 = 200;

fn picture(options: &Audits, found: &[Found]) -> String {
    let shown = found.iter().map(|one| one.ninth_in_ten).max().unwrap_or(1).max(1);
    let shown = shown.min(options.audits);
    let curve = |one: &Found| -> Vec<f64> {
        let at = |point: u32| u64::from(shown) * u64::from(point) / u64::from(POINTS);
        let part = |audits: u64| one.after.partition_point(|found| u64::from(*found) <= audits);
        (0..=POINTS).map(|i| 100.0 * part(at(i)) as f64 / f64::from(one.suppliers)).collect()
    };
    let values: Vec<Vec<f64>> = found.iter().map(curve).collect();
    let names: Vec<String> =
        found.iter().map(|one| format!("cheats in {} % of answers", one.cheats_percent)).collect();
    let curves: Vec<Curve<'_>> = (names.iter().zip(&values))
        .map(|(name, values)| Curve {
            name,
            unit: "percent of suppliers convicted",
            colour: "#1f5fa8",
            values,
        })
        .collect();
    let title = format!("Convicted after so many audits: 0 to {shown}, in {POINTS} steps");
    chart::svg(&title, "steps", &curves)
}

fn report(found: &[Found], honest: &Honest) {
    let rows: Vec<[String; 6]> = found
        .iter()
        .map(|one| {
            [
                one.cheats_percent.to_string(),
                one.suppliers.to_string(),
                one.convicted.to_string(),
                one.median.to_string(),
                one.ninth_in_ten.to_string(),
                one.claims_at_median.to_string(),
            ]
        })
        .collect();
    let headings =
        ["cheats, %", "suppliers", "convicted", "audits, median", "9 in 10", "claims, median"];
    print::table(headings, &rows);
    let Honest { suppliers, audits, convicted } = honest;
    println!("honest: {convicted} convictions in {audits} audits of {suppliers} suppliers");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        audits: Audits,
    }

    #[test]
    fn who_cheats_more_is_found_sooner_and_the_curves_are_drawn() {
        let line = ["audits", "--cheats", "10,30,100", "--suppliers", "40", "--honest", "5"];
        let options = Line::parse_from(line).audits;
        let params = Params::standard();
        let found: Vec<Found> =
            options.cheats.iter().map(|cheats| follow(&options, &params, *cheats)).collect();
        assert!(found.is_sorted_by(|less, more| less.median > more.median), "{found:?}");
        assert_eq!(found[2].convicted, 40);
        assert_eq!(honest(&options, &params).convicted, 0);
        assert!(picture(&options, &found).contains("cheats in 30 % of answers"));
    }
}
