//! `lode query price`: where a service's price stands, how it came about, and what would follow.

use super::service;
use crate::chart::{self, Curve};
use crate::print;
use anyhow::Context;
use chain_client::Chain;
use clap::Args;
use proto::Height;
use proto::price::Point;
use proto::query::{GetPrice, GetPriceHistory, PAGE_MAX, PriceHistory};
use proto::service::ServiceId;
use std::path::{Path, PathBuf};

/// Where a service's price stands, or how it came about.
#[derive(Debug, Args)]
pub(super) struct Price {
    #[arg(value_parser = service)]
    service: ServiceId,
    /// Every step that the chain remembers, oldest first, and a prediction of the next one.
    #[arg(long)]
    history: bool,
    /// Draw the steps as an SVG picture.
    #[arg(long, requires = "history", value_name = "FILE.svg")]
    chart: Option<PathBuf>,
}

pub(super) async fn ask(chain: &Chain, options: &Price, json: bool) -> anyhow::Result<()> {
    let service = &options.service;
    if !options.history {
        let question = GetPrice { service: Some(service.clone()) };
        return print::answer(&chain.query(&question).await?, json);
    }
    let history = all(chain, service).await?;
    if let Some(path) = &options.chart {
        draw(service, &history.points, path)?;
    }
    match json {
        true => print::answer(&history, true),
        false => {
            show(&history);
            Ok(())
        }
    }
}

/// All steps, oldest first.
async fn all(chain: &Chain, service: &ServiceId) -> anyhow::Result<PriceHistory> {
    let mut question =
        GetPriceHistory { service: Some(service.clone()), before: Height(0), limit: PAGE_MAX };
    let mut all = chain.query(&question).await?;
    // A full page may have another one behind it; the chain keeps a bounded number of steps.
    let mut full = all.points.len() == PAGE_MAX as usize;
    while let Some(last) = all.points.last().filter(|_| full) {
        question.before = last.since;
        let page = chain.query(&question).await?.points;
        full = page.len() == PAGE_MAX as usize;
        all.points.extend(page);
    }
    all.points.reverse();
    Ok(all)
}

fn show(history: &PriceHistory) {
    let percent = |ppm: u32| format!("{}.{:02} %", ppm / 10_000, ppm / 100 % 100);
    let row = |name: String, point: &Point| {
        [
            name,
            point.price.to_string(),
            percent(point.ubar.0),
            format!("{:.3}", f64::from(point.gain.0) / 1e6),
            point.admitted.to_string(),
            point.capacity.to_string(),
        ]
    };
    let mut rows: Vec<[String; 6]> =
        history.points.iter().map(|point| row(point.since.to_string(), point)).collect();
    if let Some(next) = &history.predicted {
        rows.push(row(format!("{} (predicted)", next.since), next));
    }
    print::table(["since", "price", "utilisation", "gain", "admitted", "capacity"], &rows);
    match &history.predicted {
        Some(_) => println!(
            "The predicted step is the chain's rule on what is settled so far; what settles until then \
             moves it. Where a session has no row its price stood still."
        ),
        None => println!("Nothing is predicted: nobody who could be drawn offers capacity."),
    }
}

fn draw(service: &ServiceId, points: &[Point], path: &Path) -> anyhow::Result<()> {
    let of = |value: fn(&Point) -> f64| points.iter().map(value).collect::<Vec<f64>>();
    let prices = of(|point| point.price.0 as f64);
    let loads = of(|point| f64::from(point.ubar.0) / 10_000.0);
    let gains = of(|point| f64::from(point.gain.0) / 1_000.0);
    let curve = |name, unit, colour, values| Curve { name, unit, colour, values };
    let picture = chart::svg(
        &format!("Price of {service}"),
        "steps",
        &[
            curve("price", "smallest units for 1,000,000 cu", "#1f5fa8", &prices),
            curve("utilisation, smoothed", "percent of capacity", "#a8561f", &loads),
            curve("gain", "thousandths", "#3a7d44", &gains),
        ],
    );
    std::fs::write(path, picture).with_context(|| format!("cannot write {}", path.display()))
}
