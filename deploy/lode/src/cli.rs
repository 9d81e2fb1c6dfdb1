//! What can be typed.

use crate::{
    auditor, audits, boxes, dev, explain, guard, init, keys, payouts, query, role, simulate, tx,
    up, verify,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A decentralised marketplace for LLM inference.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole network on this machine: chain, suppliers, relay miners, gateway and an app.
    Up(up::Options),
    /// Write what a role begins with: a commented configuration, keys, a genesis, a description.
    #[command(subcommand)]
    Init(init::Init),
    /// The chain (embedded engine).
    #[command(subcommand)]
    Chain(role::ChainCommand),
    /// The gateway: an OpenAI-compatible endpoint over staked suppliers.
    #[command(subcommand)]
    Gateway(role::GatewayCommand),
    /// The relay miner that stands before a supplier.
    #[command(subcommand)]
    Relayminer(role::MinerCommand),
    /// The supplier: an OpenAI-compatible server that runs a model, alone or over several boxes.
    #[command(subcommand)]
    Supplier(boxes::SupplierCommand),
    /// The auditor beside a validator: says which model gave the answers that the chain drew.
    #[command(subcommand)]
    Auditor(auditor::AuditorCommand),
    /// Audits of proven usage: who was looked at, by how many, and what was found.
    Audits(audits::Options),
    /// Keys of accounts and relays.
    Keys(keys::Keys),
    /// Send a transaction.
    Tx(Box<tx::Tx>),
    /// Ask the chain.
    Query(query::Query),
    /// Ask a development network for coins.
    Faucet(tx::Faucet),
    /// What a relay miner expects and what came.
    Payouts(payouts::Options),
    /// How something came about.
    #[command(subcommand)]
    Explain(explain::Explain),
    /// Check something offline.
    #[command(subcommand)]
    Verify(verify::Verify),
    /// Run the market's rules ahead of time.
    #[command(subcommand)]
    Simulate(simulate::Simulate),
    /// For who develops Lode.
    #[command(subcommand)]
    Dev(dev::Dev),
    /// Run a program until standard input ends: how `lode up` takes its processes with it.
    #[command(hide = true)]
    Guard(guard::Options),
}

/// Where the chain is, and how answers are printed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Node {
    /// RPC endpoints of the chain; several are tried in turn.
    #[arg(
        long = "node",
        global = true,
        env = "LODE_NODE",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:26657"
    )]
    pub(crate) nodes: Vec<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where keys are kept and how they are opened.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyFolder {
    /// The folder of keys.
    #[arg(long, global = true, env = "LODE_KEYS", default_value_os_t = default_keys())]
    pub(crate) keys: PathBuf,
    /// A file whose first line is the password; without it the terminal is asked.
    #[arg(long, global = true, env = "LODE_PASSWORD_FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// The folder for everything of this user: `$LODE_HOME`, or `lode` in the data folder.
pub(crate) fn default_home() -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    std::env::var_os("LODE_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| data.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("lode"))
}

fn default_keys() -> PathBuf {
    default_home().join("keys")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
