//! Each role as a process of its own.

use crate::boxes::Kind;
use crate::{api_key, print, replay};
use anyhow::Context;
use chain_client::keys::{KeyStore, UnlockRefused};
use chain_client::{Chain, GasPolicy, Sender};
use clap::{Args, Subcommand};
use daemon::Stop;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use supplier::admin::Owner;
use supplier::config::{Backend, Server};
use supplier::remote::Child;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// What transactions of roles pay for a unit of gas: the engine's own minimum.
pub(crate) const GAS_PRICE: &str = "0.001ulode";

/// How a role is started.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The configuration; `lode init ROLE` writes one to begin with.
    #[arg(long)]
    pub(crate) config: PathBuf,
    /// Write logs as JSON.
    #[arg(long)]
    log_json: bool,
    /// Stop when standard input ends: how `lode up` takes its processes with it.
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

/// Commands of a relay miner.
#[derive(Debug, Subcommand)]
pub(crate) enum MinerCommand {
    /// Run it until it is asked to stop.
    Start(Start),
    /// Print all that an auditor needs of one relay, as JSON.
    Evidence(replay::Evidence),
}

/// Commands of the chain.
#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// Run it until it is asked to stop.
    Start(Start),
}

/// Commands of the gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Run it until it is asked to stop.
    Start(Start),
    /// API keys.
    Key(api_key::ApiKeys),
}

impl Start {
    /// Runs `role` on a runtime of its own until it ends or is asked to.
    pub(crate) fn run<F: Future<Output = anyhow::Result<()>>>(
        &self,
        role: impl FnOnce(Stop) -> F,
    ) -> anyhow::Result<()> {
        run(self.log_json, self.stop_with_stdin, role)
    }
}

/// Runs `role` on a runtime of its own until it ends or is asked to.
pub(crate) fn run<F: Future<Output = anyhow::Result<()>>>(
    log_json: bool,
    stop_with_stdin: bool,
    role: impl FnOnce(Stop) -> F,
) -> anyhow::Result<()> {
    daemon::log::init(log_json, "info");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = Stop::new();
    let outcome = runtime.block_on(async {
        stop.on_signals()?;
        if stop_with_stdin {
            stop.on_end_of_input();
        }
        role(stop.clone()).await
    });
    runtime.shutdown_background();
    outcome
}

/// Paths in a configuration are from the folder of its file.
pub(crate) fn from_here(config: &Path, path: &mut PathBuf) {
    if path.is_relative() {
        *path = config.parent().unwrap_or_else(|| Path::new(".")).join(&*path);
    }
}

pub(crate) async fn bind(
    at: impl tokio::net::ToSocketAddrs + std::fmt::Display,
) -> anyhow::Result<TcpListener> {
    let text = at.to_string();
    TcpListener::bind(at).await.with_context(|| {
        format!("nothing can listen at {text}: is it taken? set listen to another")
    })
}

pub(crate) fn gas() -> GasPolicy {
    GasPolicy::at(GAS_PRICE.parse().expect("it is a gas price"))
}

/// Runs `lode chain …`.
pub(crate) fn chain(ChainCommand::Start(start): ChainCommand) -> anyhow::Result<()> {
    let mut config: solo::Config = daemon::config::load(&start.config)?;
    from_here(&start.config, &mut config.home);
    start.run(async |stop| {
        let (home, listen) = (config.home.clone(), config.listen);
        let _held = daemon::home::HomeLock::take(&home)?;
        let listener = bind(listen).await?;
        let solo = solo::Solo::open(&home, config)?;
        Ok(solo::serve(solo, listener, stop).await?)
    })
}

/// Runs `lode supplier start`.
pub(crate) fn supplier(start: &Start, backend: Option<Kind>) -> anyhow::Result<()> {
    let mut config: supplier::Config = daemon::config::load(&start.config)?;
    if let Some(kind) = backend {
        config.backend = kind.of(config.backend);
    }
    from_here(&start.config, &mut config.model);
    from_here(&start.config, &mut config.pipeline.key);
    if !matches!(config.backend, Backend::Engine) {
        return start.run(async |stop| remote(config, &start.config, stop).await);
    }
    limit_threads(config.threads);
    engine::check_kernels()?;
    start.run(async |stop| {
        let listener = bind(config.listen.clone()).await?;
        let began = std::time::Instant::now();
        let device = config.device;
        tracing::info!(folder = %config.model.display(), %device, class = engine::KERNEL_CLASS, "loading the model");
        let pipeline = pipeline((&config.model, device), config.pipeline.clone(), &config.stages)?;
        let model = match &pipeline {
            Some(pipeline) => pipeline.ends()?,
            None => engine::Model::load_on(&config.model, &engine::Part::whole(), device)?,
        };
        let meter = Arc::new(meter::Meter::load(&config.model)?);
        tracing::info!(model = config.name, took = ?began.elapsed(), "the model is loaded");
        let defaults = supplier::Defaults::load(&config.model)?;
        let owner = owner(&config, start.config.clone()).await?;
        let (name, limits) = (config.name, config.limits);
        let parts = supplier::Parts { model, meter, name, defaults, limits };
        let front = supplier::front(pipeline, parts, stop.clone())?;
        Ok(supplier::admin::serve(front, owner, listener, stop).await?)
    })
}

/// The boxes that the configuration names, if it names any.
fn pipeline(
    model: (&Path, engine::Device),
    settings: supplier::pipeline::Settings,
    stages: &[supplier::pipeline::StageAt],
) -> anyhow::Result<Option<supplier::Pipeline>> {
    if stages.is_empty() {
        return Ok(None);
    }
    let memory = supplier::memory::for_weights_on(model.1)?.unwrap_or(u64::MAX);
    Ok(Some(supplier::Pipeline::new(settings, stages, model, memory)?))
}

/// Lets as many cores compute; 0: all but one.
pub(crate) fn limit_threads(threads: usize) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    engine::limit_threads(match threads {
        0 => cores.saturating_sub(1).max(1),
        threads => threads,
    });
}

/// The owner's side of a supplier.
async fn owner(config: &supplier::Config, path: PathBuf) -> anyhow::Result<Owner> {
    let listener = match &config.admin {
        Some(at) => Some(bind(at.clone()).await?),
        None => None,
    };
    let reload = move || {
        let read = daemon::config::load::<supplier::Config>(&path);
        read.map(|config| config.limits).map_err(|error| error.to_string())
    };
    let drain = Duration::from_secs(config.limits.drain_s);
    Ok(Owner { listener, reload: Arc::new(reload), miner: config.miner.clone(), drain })
}

/// A supplier before another server.
async fn remote(mut config: supplier::Config, path: &Path, stop: Stop) -> anyhow::Result<()> {
    let (mut server, child) = match std::mem::take(&mut config.backend) {
        Backend::Engine => (Server::default(), None),
        Backend::Openai(server) => (Server { kind: "openai".to_owned(), ..server }, None),
        Backend::VllmRs(mut program) => {
            program.weights.get_or_insert_with(|| config.model.clone());
            let port = match program.port {
                // It is free again when the program asks for it; nobody else was told of it.
                0 => TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port(),
                port => port,
            };
            let server = Server {
                kind: "vllm-rs".to_owned(),
                url: format!("http://127.0.0.1:{port}"),
                model: program.served.clone(),
                // It tells no log probabilities.
                logprobs: 0,
                ..Server::default()
            };
            let guard = (std::env::current_exe()?, vec!["guard".to_owned()]);
            (server, Some(Child::new(program, port, guard)))
        }
    };
    let api_key = match &mut server.api_key_file {
        Some(file) => {
            from_here(path, file);
            Some(first_line(file)?.as_str().to_owned())
        }
        None => None,
    };
    let owner = owner(&config, path.to_owned()).await?;
    let listener = bind(config.listen).await?;
    let meter = Arc::new(meter::Meter::load(&config.model)?);
    let (name, limits) = (config.name, config.limits);
    let parts = supplier::remote::Parts { server, api_key, child, meter, name, limits };
    let front = supplier::remote::front(parts, stop.clone())?;
    Ok(supplier::admin::serve(front, owner, listener, stop).await?)
}

/// Runs `lode relayminer …`.
pub(crate) fn relayminer(command: MinerCommand) -> anyhow::Result<()> {
    match command {
        MinerCommand::Start(start) => mine(start, |_| {}),
        MinerCommand::Evidence(options) => replay::export(&options),
    }
}

/// Runs a relay miner whose parts were changed by `change`.
pub(crate) fn mine(
    start: Start,
    change: impl FnOnce(&mut relayminer::Parts),
) -> anyhow::Result<()> {
    let mut config: relayminer::Config = daemon::config::load(&start.config)?;
    from_here(&start.config, &mut config.home);
    from_here(&start.config, &mut config.keys.folder);
    config.models.iter_mut().for_each(|model| from_here(&start.config, model));
    start.run(async |stop| {
        let listener = bind(config.listen).await?;
        let mut parts = relayminer::Parts::of(config, gas()).await?;
        change(&mut parts);
        let path = start.config.clone();
        parts.reload = Some(Arc::new(move || {
            let read = daemon::config::load::<relayminer::Config>(&path);
            read.map(|config| config.asks).map_err(|error| error.to_string())
        }));
        Ok(relayminer::serve(parts, listener, stop).await?)
    })
}

/// Runs `lode gateway …`.
pub(crate) fn gateway(command: GatewayCommand) -> anyhow::Result<()> {
    let start = match command {
        GatewayCommand::Start(start) => start,
        GatewayCommand::Key(keys) => return api_key::run(keys),
    };
    let config = gateway_config(&start.config)?;
    start.run(async |stop| {
        let listener = bind(config.listen).await?;
        let _held = gateway::books::Books::lock(&config.books)?;
        let parts = gateway_parts(config).await?;
        Ok(gateway::serve(parts, listener, stop).await?)
    })
}

/// The gateway's configuration, with paths from its folder.
pub(crate) fn gateway_config(path: &Path) -> anyhow::Result<gateway::config::Config> {
    let mut config: gateway::config::Config = daemon::config::load(path)?;
    from_here(path, &mut config.books);
    from_here(path, &mut config.keys.folder);
    config.models.iter_mut().for_each(|model| from_here(path, model));
    Ok(config)
}

async fn gateway_parts(config: gateway::config::Config) -> anyhow::Result<gateway::Parts> {
    let keys = KeyStore::open(&config.keys.folder)?;
    let password = config.keys.password_file.as_deref().map(first_line).transpose()?;
    let password = password.as_ref().map(|line| line.as_str());
    let signer = keys.unlock(&config.keys.gateway, password)?;
    let relay_key = keys.unlock_relay(&config.keys.relay, password);
    let relay_key = relay_key.map_err(|error: UnlockRefused| anyhow::anyhow!(error))?;
    let chain = Chain::connect(&config.chain).await?;
    Ok(gateway::Parts {
        settings: config.settings,
        chain: Arc::new(Sender::new(chain, signer, gas())),
        relay_key,
        books: gateway::books::Books::open(&config.books).await?,
        counters: gateway::count::Metered::load(&config.models)?,
        clock: Arc::new(now),
    })
}

fn first_line(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    daemon::file::first_line(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The system's time.
pub(crate) fn now() -> proto::Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    proto::Time(since.map_or(0, |since| since.as_millis() as u64))
}

/// Prints what a role's command gives.
pub(crate) fn show(answer: &impl serde::Serialize, json: bool) -> anyhow::Result<()> {
    print::answer(answer, json)
}
