//! `lode init`: what each role begins with.

mod auditor;
mod chain;
pub(crate) mod service;
mod supplier;

use crate::{ask, print};
use anyhow::{Context, bail};
use chain_client::keys::Protection;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Write a commented configuration for one role.
#[derive(Debug, Subcommand)]
pub(crate) enum Init {
    /// A chain of one node: configuration, validator keys, genesis, and an account that holds its
    /// coins.
    Chain(chain::Options),
    /// A gateway's configuration.
    Gateway(Folder),
    /// A relay miner's configuration.
    Relayminer(Folder),
    /// An auditor's configuration, for beside a validator, and the instruments that it can use.
    Auditor(Folder),
    /// A supplier's configuration; with --join all that a new supplier needs.
    Supplier(supplier::Options),
    /// The description with which a source lists a model.
    Service(service::Options),
}

/// Where files go.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder that is written into.
    #[arg(long, default_value = ".")]
    home: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How new keys are protected.
#[derive(Debug, Args)]
pub(crate) struct Sealing {
    /// Keep new keys without a password. For networks on which nothing is worth stealing.
    #[arg(long)]
    plain: bool,
    /// A file whose first line is the password of new keys.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

/// Runs `lode init …`.
pub(crate) fn run(init: &Init) -> anyhow::Result<()> {
    match init {
        Init::Chain(options) => chain::run(options),
        Init::Gateway(folder) => template(folder, "gateway.toml", gateway::config::TEMPLATE),
        Init::Relayminer(folder) => template(folder, "relayminer.toml", relayminer::TEMPLATE),
        Init::Auditor(folder) => auditor::run(folder),
        Init::Supplier(options) => supplier::run(options),
        Init::Service(options) => service::run(options),
    }
}

fn template(folder: &Folder, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.home.join(name);
    write_new(&path, text)?;
    print::answer(&json!({"written": path}), folder.json)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} is there already: nothing was written", path.display());
    }
    daemon::file::write_private(path, text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

impl Sealing {
    fn protection(&self) -> anyhow::Result<Protection> {
        if self.plain {
            return Ok(Protection::None);
        }
        let password = ask::new_password(self.password_file.as_deref())?;
        Ok(Protection::Password(Zeroizing::new(password)))
    }
}
