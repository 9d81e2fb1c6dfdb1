//! Which program makes the chain's blocks.

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Validators of one network on one machine at most.
pub(super) const VALIDATORS_MAX: u8 = 16;

/// Ports of one node of `loded`: p2p, RPC, gRPC, REST.
pub(super) const PORTS_EACH: u16 = 4;

/// Which program makes the chain's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    /// The embedded engine: this program.
    #[default]
    Solo,
    /// `loded`, a Cosmos SDK node with the same market.
    Loded,
}

/// Where `loded` is built, in the folder that this program was built in.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../chain/node");

/// The program `loded`: the one that is named, one beside this program, one in PATH, or one that is
/// built now.
pub(super) fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        let found = std::path::absolute(named)?;
        if !found.is_file() {
            bail!("{} is not there: name the program loded with --loded", found.display());
        }
        return Ok(found);
    }
    let beside = std::env::current_exe().ok().map(|me| me.with_file_name("loded"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&paths).map(|folder| folder.join("loded"));
    let built = Path::new(SOURCE).join("bin/loded");
    let mut places = beside.into_iter().chain([built.clone()]).chain(in_path);
    match places.find(|place| place.is_file()) {
        Some(found) => Ok(found),
        None => build().map(|()| built),
    }
}

fn build() -> anyhow::Result<()> {
    let script = Path::new(SOURCE).join("build");
    let help = "install Go (https://go.dev/dl) and run chain/node/build in Lode's source, or name the program with --loded";
    if !script.is_file() {
        bail!("the program loded is not here: {help}");
    }
    if !Command::new("go").arg("version").output().is_ok_and(|go| go.status.success()) {
        bail!("the program loded is not built, and there is no Go on this machine: {help}");
    }
    eprintln!("building loded, which takes some ten minutes the first time");
    let status = Command::new(&script).status();
    match status.with_context(|| format!("{} cannot be run", script.display()))? {
        status if status.success() => Ok(()),
        status => bail!("{} ended with {status}", script.display()),
    }
}

/// Lays out the homes of validators in `folder`, whose chain begins with coins for `funded`.
pub(super) struct Layout<'a> {
    pub(super) loded: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) chain_id: &'a str,
    pub(super) validators: u8,
    pub(super) first_port: u16,
    pub(super) block_time_ms: u64,
    pub(super) funded: Vec<String>,
}

impl Layout<'_> {
    pub(super) fn make(&self) -> anyhow::Result<()> {
        let output = Command::new(self.loded)
            .arg("testnet")
            .args(["--validators", &self.validators.to_string(), "--chain-id", self.chain_id])
            .args(["--block-time", &format!("{}ms", self.block_time_ms)])
            .args(["--first-port", &self.first_port.to_string()])
            .args(["--fund", &self.funded.join(",")])
            .arg("--output-dir")
            .arg(self.folder)
            .output()
            .with_context(|| format!("{} cannot be run", self.loded.display()))?;
        if !output.status.success() {
            bail!("loded testnet: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}
