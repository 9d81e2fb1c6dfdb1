//! `lode verify`: checks that need nobody's word.

use anyhow::Context;
use clap::Subcommand;
use gateway::receipt::{Document, verify};
use std::path::PathBuf;

/// Check something offline.
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// A receipt, as `GET /v1/receipts/{id}` gives it.
    Receipt {
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs `lode verify …`.
pub(crate) fn run(Verify::Receipt { file, json }: Verify) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let document: Document =
        serde_json::from_str(&text).with_context(|| format!("{} is no receipt", file.display()))?;
    let verified = verify(&document)?;
    crate::print::answer(&verified, json)
}
