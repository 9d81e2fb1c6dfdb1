//! Plays ways to earn without work over parameters that the chain accepts, and writes what each came to:
//! a table for people, and a picture.
//!
//! ```text
//! cargo run --release -p tests --example strategies -- [SETS] [FILE.svg]
//! ```

use proto::audit::Identity;
use proto::params::Params;
use std::fmt::Write;
use tests::strategies::{Return, bench, best, career, coalition, price, region};

/// Sets of parameters unless told otherwise, beside the shipped ones.
const SETS: usize = 30;

/// Cheats that are looked at, in parts of a million of all answers.
const CHEATS: [u64; 8] = [5_000, 10_000, 20_000, 50_000, 100_000, 300_000, 600_000, 1_000_000];

/// Careers for each cheat and set of parameters.
const CAREERS: u64 = 60;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sets = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(SETS);
    let standard = Params::standard();
    let mut all = vec![standard.clone()];
    all.extend(region::accepted(1, sets));
    eprintln!("the network's parameters and {sets} others that are accepted");
    let shipped = of(&standard, true);
    let elsewhere: Vec<Return> = all.iter().flat_map(|params| of(params, false)).collect();
    let elsewhere = best(elsewhere);
    println!("| strategy | network, % | best of all, % |\n|---|---|---|");
    for one in &shipped {
        let other = elsewhere.iter().find(|other| other.strategy == one.strategy);
        let other = other.map_or("-".to_owned(), |other| format!("{:.2}", other.percent));
        println!("| {} | {:.2} | {other} |", one.strategy, one.percent);
    }
    if let Some(path) = arguments.next() {
        std::fs::write(&path, picture(&shipped)).expect("the picture's folder is there");
    }
}

/// All strategies under these parameters. Those of prices are not bounded by what is accepted, and are
/// played under the network's only.
fn of(params: &Params, network: bool) -> Vec<Return> {
    let mut returns = coalition::returns(params);
    for how in career::Cheat::ALL {
        for cheats in CHEATS {
            returns.push(career::cheating(params, cheats, how, CAREERS));
        }
    }
    returns.push(career::watchful(params, CAREERS / 6));
    if network {
        returns.push(career::bad_luck(params, career::BAD_LUCK, Identity::Unlike, 1_000_000));
    }
    returns.push(career::honest_first(params, 10_000, CAREERS / 6));
    // What a seat returns beside an honest one.
    let seats = bench::returns(&params.audits, 1, 20_000);
    let honest = seats[0].percent;
    returns.extend(seats.into_iter().skip(1).map(|one| {
        let strategy = format!("{}, beside an honest one", one.strategy);
        Return { strategy, percent: one.percent - honest }
    }));
    if network {
        for (share, elasticity) in [(0.1, 0.5), (0.1, 1.0), (0.1, 2.0), (0.3, 1.0), (0.3, 2.0)] {
            let scene = price::Scene { share, elasticity };
            returns.extend(price::MOVES.map(|moved| price::returns(params, scene, moved)));
        }
    }
    returns
}

/// One bar for each strategy: left of the line it loses.
fn picture(returns: &[Return]) -> String {
    const ROW: usize = 18;
    const MIDDLE: f64 = 620.0;
    let height = returns.len() * ROW + 50;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">What strategies return, in percent (network's parameters)</text>\n"
    );
    for (i, one) in returns.iter().enumerate() {
        let y = 36 + i * ROW;
        // A bar grows with the logarithm, so that small and large ones are seen.
        let length = (1.0 + one.percent.abs()).ln() * 36.0;
        let (x, colour) =
            if one.percent < 0.0 { (MIDDLE - length, "#a8561f") } else { (MIDDLE, "#1f5fa8") };
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{}\">{}</text>\n<rect x=\"{x:.1}\" y=\"{y}\" width=\"{length:.1}\" \
             height=\"{}\" fill=\"{colour}\"/>\n<text x=\"870\" y=\"{}\">{:.2}</text>",
            y + 11,
            one.strategy,
            ROW - 5,
            y + 11,
            one.percent
        );
    }
    let _ = writeln!(
        svg,
        "<line x1=\"{MIDDLE}\" x2=\"{MIDDLE}\" y1=\"30\" y2=\"{height}\" stroke=\"black\"/>\n</svg>"
    );
    svg
}
