//! One model over several boxes: the commands of stages, and those that plan where layers go.

use crate::replay;
use crate::role::{self, Start};
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod plan;
mod profile;

use supplier::config::{Backend, Server};
use supplier::link::{Keys, LinkKey, PeerKey};
use supplier::pipeline::Layers;
use supplier::stage;

/// Commands of the supplier.
#[derive(Debug, Subcommand)]
pub(crate) enum SupplierCommand {
    /// Run it until it is asked to stop.
    Start(Supplier),
    /// Run some layers of a model for a supplier on another box.
    Stage(Stage),
    /// Print the public key of this box, by which others know it; makes one when there is none.
    Key(Key),
    /// Measure what this box can do with a model, and how far others are.
    Profile(profile::Options),
    /// Say where a model's layers go, by profiles of boxes, and why.
    Plan(plan::Options),
    /// Make an audited answer again, to see whether the very model gave it: exit code 0 when it did,
    /// 3 when another one did, 4 when that cannot be told.
    Replay(replay::Options),
}

/// How a supplier is started.
#[derive(Debug, Args)]
pub(crate) struct Supplier {
    #[command(flatten)]
    start: Start,
    /// What runs the model, whatever the configuration says; its settings of this kind hold.
    #[arg(long)]
    backend: Option<Kind>,
}

/// What can run a model.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// The engine of this program.
    Engine,
    /// A server that speaks OpenAI's API.
    Openai,
    /// vllm-rs, started and watched.
    VllmRs,
}

impl Kind {
    /// The backend of this kind: the configured one, or one with what holds when nothing is said.
    pub(crate) fn of(self, configured: Backend) -> Backend {
        match (self, configured) {
            (Kind::Openai, kept @ Backend::Openai(_))
            | (Kind::VllmRs, kept @ Backend::VllmRs(_)) => kept,
            (Kind::Engine, _) => Backend::Engine,
            (Kind::Openai, _) => Backend::Openai(Server::default()),
            (Kind::VllmRs, _) => Backend::vllm_rs(),
        }
    }
}

/// A box that runs some layers.
#[derive(Debug, Args)]
pub(crate) struct Stage {
    /// Where the head and other stages connect. Loopback unless told.
    #[arg(long, default_value = "127.0.0.1:9200")]
    listen: String,
    /// The folder of the model, the same as the head's.
    #[arg(long)]
    model: PathBuf,
    /// The file of this box's key; made when there is none.
    #[arg(long, default_value = "link.key")]
    key: PathBuf,
    /// The public key of the head whose orders are taken; may be said several times.
    #[arg(long, required = true)]
    head: Vec<PeerKey>,
    /// The only layers to run, as 4..8, loaded at once; without it the head says which.
    #[arg(long)]
    layers: Option<Layers>,
    /// Memory for weights in MiB; without it most of what is free.
    #[arg(long)]
    memory_mib: Option<u64>,
    /// Memory for keys and values in MiB.
    #[arg(long, default_value_t = 2048)]
    cache_mib: u64,
    /// Where its owner asks: GET /metrics, /status, /healthz, /readyz; nowhere if none.
    #[arg(long)]
    admin: Option<String>,
    /// Cores that compute; 0: all but one.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Write logs as JSON.
    #[arg(long)]
    log_json: bool,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

/// This box's key.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The file of the key.
    #[arg(long, default_value = "link.key")]
    key: PathBuf,
}

/// Runs `lode supplier …`.
pub(crate) fn run(command: SupplierCommand) -> anyhow::Result<ExitCode> {
    let done = match command {
        // What it finds is in its exit code.
        SupplierCommand::Replay(options) => return replay::run(&options),
        SupplierCommand::Start(Supplier { start, backend }) => role::supplier(&start, backend),
        SupplierCommand::Stage(stage) => stage.run(),
        SupplierCommand::Key(Key { key }) => {
            println!("{}", LinkKey::open(&key)?.public());
            Ok(())
        }
        SupplierCommand::Profile(options) => profile::run(&options),
        SupplierCommand::Plan(options) => plan::run(&options),
    };
    done.map(|()| ExitCode::SUCCESS)
}

impl Stage {
    fn run(self) -> anyhow::Result<()> {
        role::limit_threads(self.threads);
        engine::check_kernels()?;
        role::run(self.log_json, self.stop_with_stdin, async |stop| {
            let listener = role::bind(&self.listen).await?;
            let admin = match &self.admin {
                Some(at) => Some(role::bind(at.clone()).await?),
                None => None,
            };
            let key = LinkKey::open(&self.key)?;
            let weights_bytes = weights_bytes(self.memory_mib)?;
            let parts = stage::Parts {
                outline: engine::Outline::read(&self.model)?,
                keys: Keys::new(&key)?,
                heads: self.head.clone(),
                fixed: self.layers.as_ref().map(|layers| layers.0.clone()),
                weights_bytes,
                cache_bytes: self.cache_mib << 20,
                curve: stage::curve(&self.model, weights_bytes)?,
                model: self.model.clone(),
                admin,
            };
            check(&parts, &self.model)?;
            tracing::info!(listen = self.listen, key = %key.public(), "the stage waits for its head");
            Ok(stage::serve(parts, listener, stop).await?)
        })
    }
}

/// Layers that the model does not have are refused before anybody waits for them.
fn check(parts: &stage::Parts, model: &Path) -> anyhow::Result<()> {
    let layers = parts.outline.layers;
    if let Some(fixed) = parts.fixed.as_ref().filter(|fixed| fixed.end > layers) {
        anyhow::bail!("--layers is {fixed:?}, but {} has {layers}", model.display());
    }
    Ok(())
}

/// Bytes for weights: as told, or most of what is free.
pub(crate) fn weights_bytes(mib: Option<u64>) -> anyhow::Result<u64> {
    let free = supplier::memory::for_weights;
    let told = mib.map(|mib| mib << 20).or_else(free);
    told.context("this system does not say how much memory is free: say --memory-mib")
}
