//! `lode explain`: how something came about.

use crate::{payouts, print};
use clap::Subcommand;
use proto::Digest;

/// How something came about.
#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// A payout, by its session's id: each relay's way, or the reason of its loss.
    Payout {
        session: Digest,
        #[command(flatten)]
        options: payouts::Options,
    },
}

/// Runs `lode explain …`.
pub(crate) fn run(Explain::Payout { session, options }: Explain) -> anyhow::Result<()> {
    let book = options.home.join("books").join(format!("{session}.log"));
    print::answer(&relayminer::explain::explain(&book)?, options.json)
}
