//! `lode payouts`: what a relay miner expects and what came.

use crate::print;
use anyhow::Context;
use clap::Args;
use relayminer::payouts::{Payout, Stage};
use std::path::PathBuf;

/// What a relay miner expects and what came.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The relay miner's home, as its configuration names it. It need not run.
    #[arg(long, default_value = "relayminer")]
    pub(crate) home: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `lode payouts`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folder = options.home.join("books");
    let payouts = relayminer::payouts::read(&folder)
        .with_context(|| format!("the books in {} cannot be read", folder.display()))?;
    if options.json {
        return print::answer(&payouts, true);
    }
    let headings =
        ["session", "service", "heights", "relays", "cu", "expected", "paid", "coin", "stage"];
    print::table(headings, &payouts.payouts.iter().map(row).collect::<Vec<_>>());
    for (denom, total) in &payouts.totals {
        println!(
            "\n{} {denom} expected, {} {denom} paid, {} {denom} slashed",
            total.expected, total.paid, total.slashed
        );
    }
    Ok(())
}

fn row(payout: &Payout) -> [String; 9] {
    let expected = match payout.stage {
        Stage::Settled => String::new(),
        _ => payout.expected.split.supplier.to_string(),
    };
    [
        print::short(&payout.session_id),
        payout.service.to_string(),
        format!("{}-{}", payout.start, payout.end.0.saturating_sub(1)),
        payout.relays.to_string(),
        payout.cu.to_string(),
        expected,
        payout.settled.as_ref().map_or(String::new(), |settled| settled.split.supplier.to_string()),
        payout.denom.to_string(),
        print::word(&payout.stage),
    ]
}
