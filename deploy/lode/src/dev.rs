//! `lode dev`: for who develops Lode.

use crate::role;
use clap::{Args, Subcommand};
use std::mem::take;
use std::path::PathBuf;

/// For who develops Lode.
#[derive(Debug, Subcommand)]
pub(crate) enum Dev {
    /// Write the shipped demo model's files into a folder.
    DemoModel { out: PathBuf },
    /// Run a server that cheats before an honest supplier: what `lode up --rogue` does.
    Rogue(Rogue),
    /// Run a relay miner that bills each token as two: what `lode up --rogue inflated` does.
    RogueMiner(role::Start),
}

/// How a cheating server is started.
#[derive(Debug, Args)]
pub(crate) struct Rogue {
    /// Its configuration: listen, upstream, cheat, model.
    #[arg(long)]
    config: PathBuf,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

/// Runs `lode dev …`.
pub(crate) fn run(command: Dev) -> anyhow::Result<()> {
    match command {
        Dev::DemoModel { out } => {
            crate::demo::write(&out)?;
            println!("{}", out.display());
            Ok(())
        }
        Dev::Rogue(options) => cheat(&options),
        Dev::RogueMiner(start) => role::mine(start, |parts| {
            parts.counters = rogue::bill::inflated(take(&mut parts.counters))
        }),
    }
}

fn cheat(options: &Rogue) -> anyhow::Result<()> {
    let mut config: rogue::Config = daemon::config::load(&options.config)?;
    role::from_here(&options.config, &mut config.model);
    role::run(false, options.stop_with_stdin, async |stop| {
        let listener = role::bind(config.listen.clone()).await?;
        tracing::warn!(cheat = config.cheat.name(), "this server cheats");
        daemon::serve(rogue::router(&config)?, listener, stop).await;
        Ok(())
    })
}
