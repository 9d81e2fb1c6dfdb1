//! `lode dev`: for who develops Lode.

use clap::Subcommand;
use std::path::PathBuf;

/// For who develops Lode.
#[derive(Debug, Subcommand)]
pub(crate) enum Dev {
    /// Write the shipped demo model's files into a folder.
    DemoModel { out: PathBuf },
}

/// Runs `lode dev …`.
pub(crate) fn run(Dev::DemoModel { out }: Dev) -> anyhow::Result<()> {
    crate::demo::write(&out)?;
    println!("{}", out.display());
    Ok(())
}
