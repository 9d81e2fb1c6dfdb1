//! `lode simulate strategies`: ways to earn without work, and what each returns, under the network's
//! parameters and others that the chain accepts.

use crate::print;
use ::strategies::suite::{Effort, attacks, markets, worst_games};
use ::strategies::{Return, best, region};
use anyhow::Context;
use clap::Args;
use proto::params::Params;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// Play ways to earn without work, over parameters that the chain accepts.
#[derive(Debug, Args)]
pub(crate) struct Strategies {
    /// Sets of accepted parameters beside the network's, drawn at random and at the ends of what can be
    /// written down.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    sets: u32,
    /// Play ten times as much.
    #[arg(long)]
    long: bool,
    /// Which sets are drawn, and all other luck.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw what strategies return under the network's parameters.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Print the numbers as JSON.
    #[arg(long)]
    json: bool,
}

/// What was played.
#[derive(Debug, Serialize)]
struct Played {
    sets: u32,
    /// What must lose: under the network's parameters, and the best under any.
    network: Vec<Return>,
    anywhere: Vec<Return>,
    /// What moves prices and weights, and what fines cost the honest: the network's parameters only.
    markets: Vec<Return>,
    /// Of all games with prices that were looked for, what returns most: by wash traffic, by offers, and by
    /// offers where stakes are unlike.
    worst_games: Vec<Return>,
}

impl Strategies {
    fn effort(&self) -> Effort {
        let times = if self.long { 10 } else { 1 };
        Effort { careers: 30 * times, seats: 5_000 * times, audits: 100_000 * times }
    }
}

/// Runs `lode simulate strategies …`.
pub(crate) fn run(options: &Strategies) -> anyhow::Result<()> {
    let played = play(options);
    if let Some(path) = &options.svg {
        std::fs::write(path, picture(&played))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    match options.json {
        true => println!("{}", serde_json::to_string(&played)?),
        false => report(&played),
    }
    let must_lose = played.network.iter().chain(&played.anywhere).filter(|one| one.percent >= 0.0);
    // Where nothing moves a price nothing is lost, and where stakes are unlike an offer may move it.
    let found: Vec<&str> = must_lose
        .chain(played.worst_games.iter().take(2).filter(|one| one.percent > 0.0))
        .map(|one| one.strategy.as_str())
        .collect();
    anyhow::ensure!(found.is_empty(), "these do not lose: {}", found.join("; "));
    Ok(())
}

fn play(options: &Strategies) -> Played {
    let (effort, standard) = (options.effort(), Params::standard());
    let network = attacks(&standard, effort);
    let few = Effort { careers: effort.careers / 3, seats: effort.seats / 3, ..effort };
    let sets = region::accepted(options.seed, options.sets as usize);
    let mut all = network.clone();
    for (i, params) in sets.iter().enumerate() {
        eprint!("\rset {} of {}", i + 1, sets.len());
        all.extend(attacks(params, few));
    }
    eprintln!("\rprices                ");
    let (markets, worst_games) = (markets(&standard, effort), worst_games(&standard));
    Played { sets: options.sets, network, anywhere: best(all), markets, worst_games }
}

fn report(played: &Played) {
    let row = |one: &Return| {
        let other = played.anywhere.iter().find(|other| other.strategy == one.strategy);
        let other = other.map_or(String::new(), |other| percent(other.percent));
        [one.strategy.clone(), percent(one.percent), other]
    };
    let rows: Vec<[String; 3]> = played.network.iter().map(row).collect();
    print::table(["what must lose", "network, %", "best of all, %"], &rows);
    println!("\nbest of all: the network's parameters and {} other sets\n", played.sets);
    let rows: Vec<[String; 2]> =
        played.markets.iter().map(|one| [one.strategy.clone(), percent(one.percent)]).collect();
    print::table(["prices, stakes, bad luck", "network, %"], &rows);
    println!();
    for worst in &played.worst_games {
        println!("most of what was looked for: {} %: {}", percent(worst.percent), worst.strategy);
    }
}

fn percent(value: f64) -> String {
    // Nothing has no sign.
    format!("{:.2}", value + 0.0).replace("-0.00", "0.00")
}

const ROW: usize = 18;
const MIDDLE: f64 = 640.0;

/// One bar for each strategy: left of the line it loses.
fn picture(played: &Played) -> String {
    let shown: Vec<&Return> = played.network.iter().chain(&played.markets).collect();
    let height = shown.len() * ROW + 50;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">What strategies return, in percent (network's parameters)</text>\n"
    );
    for (i, one) in shown.into_iter().enumerate() {
        bar(&mut svg, 36 + i * ROW, one);
    }
    let _ = writeln!(
        svg,
        "<line x1=\"{MIDDLE}\" x2=\"{MIDDLE}\" y1=\"30\" y2=\"{height}\" stroke=\"black\"/>\n</svg>"
    );
    svg
}

fn bar(svg: &mut String, y: usize, one: &Return) {
    // A bar grows with the logarithm, so that small and large ones are seen.
    let length = (1.0 + one.percent.abs()).ln() * 30.0;
    let (x, colour) =
        if one.percent < 0.0 { (MIDDLE - length, "#a8561f") } else { (MIDDLE, "#1f5fa8") };
    let _ = writeln!(
        svg,
        "<text x=\"10\" y=\"{text}\">{}</text>\n<rect x=\"{x:.1}\" y=\"{y}\" width=\"{length:.1}\" \
         height=\"{}\" fill=\"{colour}\"/>\n<text x=\"880\" y=\"{text}\">{:.2}</text>",
        one.strategy,
        ROW - 5,
        one.percent,
        text = y + 11,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_bar_for_each_strategy_and_losses_lie_left() {
        let one = |strategy: &str, percent| Return { strategy: strategy.into(), percent };
        let played = Played {
            sets: 0,
            network: vec![one("cheats", -5.0)],
            anywhere: vec![],
            markets: vec![one("asks nothing", 0.0)],
            worst_games: Vec::new(),
        };
        let svg = picture(&played);
        assert!(svg.contains("cheats") && svg.contains("asks nothing"));
        assert_eq!(svg.matches("<rect x=").count(), 2);
        assert!(svg.contains("x=\"586.2\""), "{svg}");
    }
}
