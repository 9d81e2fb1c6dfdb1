//! `lode simulate`: the market's rules run ahead of time, with the code that the chain runs.

mod audits;
mod price;
mod strategies;

use clap::Subcommand;

/// Run the market's rules ahead of time.
#[derive(Debug, Subcommand)]
pub(crate) enum Simulate {
    /// Follow suppliers that cheat until they are convicted, and honest ones with bad luck.
    Audits(audits::Audits),
    /// Follow a service's price through sessions, and draw it.
    Price(price::Price),
    /// Play ways to earn without work, over parameters that the chain accepts.
    Strategies(strategies::Strategies),
}

/// Runs `lode simulate …`.
pub(crate) fn run(command: Simulate) -> anyhow::Result<()> {
    match command {
        Simulate::Audits(options) => audits::run(&options),
        Simulate::Price(options) => price::run(&options),
        Simulate::Strategies(options) => strategies::run(&options),
    }
}
