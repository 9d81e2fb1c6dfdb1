//! `lode simulate price`: where a price goes when demand answers to it, and how late.
//!
//! Demand falls by `elasticity` percent for each percent of price, and is felt `delay` sessions late.
//! After half of the time it changes once and for all, as when a large customer comes or leaves.

use crate::chart::{self, Curve};
use anyhow::Context;
use clap::Args;
use proto::price::{Asks, Demand, Params, State};
use proto::{Cu, Height, Ppm};
use serde::Serialize;
use std::path::PathBuf;

/// Follow a service's price through sessions, and draw it.
#[derive(Debug, Args)]
pub(crate) struct Price {
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    sessions: u32,
    /// The price at which demand and target meet.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    balance: u64,
    /// By how many percent demand falls when the price rises by one.
    #[arg(long, default_value_t = 1.5)]
    elasticity: f64,
    /// After how many sessions demand answers to a price.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    delay: u32,
    /// What demand is multiplied with after half of the time.
    #[arg(long, default_value_t = 1.5)]
    shock: f64,
    /// Keep the gain at so many parts of a million, instead of letting it adapt.
    #[arg(long)]
    gain: Option<u32>,
    /// Where the picture goes.
    #[arg(long, short, default_value = "price.svg")]
    out: PathBuf,
    /// Print the path as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Step {
    session: u32,
    price: u64,
    utilisation_ppm: u32,
    gain_ppm: u32,
}

/// Runs `lode simulate price …`.
pub(crate) fn run(options: &Price) -> anyhow::Result<()> {
    let params = params(options)?;
    let path = follow(options, &params);
    let title = format!(
        "Price: elasticity {}, delay {} sessions, demand x{} in the middle",
        options.elasticity, options.delay, options.shock
    );
    let of = |value: fn(&Step) -> f64| path.iter().map(value).collect::<Vec<f64>>();
    let prices = of(|step| step.price as f64);
    let loads = of(|step| f64::from(step.utilisation_ppm) / 10_000.0);
    let gains = of(|step| f64::from(step.gain_ppm) / 1_000.0);
    let curve = |name, unit, colour, values| Curve { name, unit, colour, values };
    let picture = chart::svg(
        &title,
        "sessions",
        &[
            curve("price", "smallest units for 1,000,000 cu", "#1f5fa8", &prices),
            curve("utilisation, smoothed", "percent of capacity", "#a8561f", &loads),
            curve("gain", "thousandths", "#3a7d44", &gains),
        ],
    );
    let out = &options.out;
    std::fs::write(out, picture).with_context(|| format!("cannot write {}", out.display()))?;
    if options.json {
        println!("{}", serde_json::to_string(&path)?);
    } else {
        report(options, &params, &path);
    }
    Ok(())
}

fn params(options: &Price) -> anyhow::Result<Params> {
    let mut params = Params::default();
    if let Some(gain) = options.gain.map(Ppm) {
        (params.gain_min, params.gain_max, params.gain_start) = (gain, gain, gain);
        params.gain_step = Ppm(0);
    }
    params.check()?;
    anyhow::ensure!(
        options.elasticity.is_finite() && options.elasticity >= 0.0,
        "the elasticity is {}, but must be 0 or more",
        options.elasticity
    );
    anyhow::ensure!(
        options.shock.is_finite() && options.shock > 0.0,
        "demand is multiplied with {}, but must be with more than 0",
        options.shock
    );
    Ok(params)
}

/// Work that the suppliers can do in one session.
const CAPACITY: u64 = 1_000_000_000;

fn follow(options: &Price, params: &Params) -> Vec<Step> {
    let ask = proto::Price(options.balance);
    let asks = Asks { median: ask, p25: proto::Price((options.balance / 2).max(1)) };
    let mut state = State::begin(ask, params, Height(1));
    let mut seen = vec![state.price.0; options.delay as usize + 1];
    let target = f64::from(params.target_utilisation.0) / 1e6 * CAPACITY as f64;
    (0..options.sessions)
        .map(|session| {
            let felt = seen[seen.len() - 1 - options.delay as usize] as f64;
            let shock = if session >= options.sessions / 2 { options.shock } else { 1.0 };
            let wanted = target * shock * (felt / options.balance as f64).powf(-options.elasticity);
            let admitted = Cu(wanted.clamp(0.0, CAPACITY as f64 * 2.0) as u64);
            let demand = Demand { admitted, capacity: Cu(CAPACITY) };
            state = state.step(demand, Some(asks), params, Height(1));
            seen.push(state.price.0);
            let State { price, ubar, gain, .. } = state;
            Step { session, price: price.0, utilisation_ppm: ubar.0, gain_ppm: gain.0 }
        })
        .collect()
}

/// The largest `gain x elasticity` at which a price that is felt `delay` sessions late does not
/// overshoot: `d^d / (d+1)^(d+1)` (Levin and May, 1976).
fn stable_below(delay: u32) -> f64 {
    let d = f64::from(delay);
    // 0^0 is 1.
    let power = if delay == 0 { 0.0 } else { d * d.ln() };
    (power - (d + 1.0) * (d + 1.0).ln()).exp()
}

fn report(options: &Price, params: &Params, path: &[Step]) {
    let late = &path[path.len() - path.len() / 4..];
    let prices = late.iter().map(|step| step.price);
    let (low, high) = (prices.clone().min().unwrap_or(0), prices.max().unwrap_or(0));
    let bound = stable_below(options.delay);
    let at = |gain: Ppm| f64::from(gain.0) / 1e6 * options.elasticity;
    println!("price at the end       {}", path.last().map_or(0, |step| step.price));
    println!("in the last quarter    {low} to {high}");
    println!(
        "gain x elasticity      {:.3} to {:.3}; no overshoot up to {bound:.3} at this delay",
        at(params.gain_min),
        at(params.gain_max)
    );
    let calm = f64::from(params.scarcity.0) / f64::from(params.target_utilisation.0.max(1));
    println!("elasticity             {}; none at any delay up to {calm:.1}", options.elasticity);
    println!("picture                {}", options.out.display());
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        price: Price,
    }

    fn late_swing(args: &[&str]) -> f64 {
        let options = Line::parse_from([&["price"], args].concat()).price;
        let path = follow(&options, &params(&options).expect("the options are good"));
        let late: Vec<f64> = path[300..].iter().map(|step| step.price as f64).collect();
        let high = late.iter().copied().fold(0.0, f64::max);
        let low = late.iter().copied().fold(f64::INFINITY, f64::min);
        (high - low) / low
    }

    #[test]
    fn the_bound_is_that_of_levin_and_may() {
        for (delay, bound) in [(0, 1.0), (1, 0.25), (2, 4.0 / 27.0), (4, 256.0 / 3125.0)] {
            assert!((stable_below(delay) - bound).abs() < 1e-9, "{delay}: {}", stable_below(delay));
        }
    }

    #[test]
    fn a_price_settles_inside_the_bound_and_swings_far_outside_it() {
        let calm = late_swing(&["--gain", "20000", "--delay", "4", "--elasticity", "2"]);
        let wild = late_swing(&["--gain", "120000", "--delay", "12", "--elasticity", "30"]);
        assert!(calm < 0.02, "{calm}");
        assert!(wild > 0.1, "{wild}");
    }
}
