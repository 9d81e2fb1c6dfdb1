//! `lode payouts`: what a relay miner expects and what came.

use crate::print;
use anyhow::Context;
use clap::Args;
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
    print::answer(&payouts, options.json)
}
