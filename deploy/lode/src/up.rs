//! `lode up`: a whole network on this machine.

mod children;
mod engine;
mod event;
mod home;
mod network;
mod news;
mod plan;
mod ports;
mod register;
mod rogue;
mod validator;
mod view;

use crate::{ask, cli};
use ::rogue::Cheat;
use anyhow::{Context, bail};
use children::Role;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use daemon::Stop;
use daemon::home::HomeLock;
use engine::{Engine, VALIDATORS_MAX};
use event::Line;
use network::{Made, Network};
use news::News;
use ports::{GATEWAY_PORT, RPC_PORT, Wish};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use view::View;

/// Suppliers of one network on one machine at most: each is two processes.
const SUPPLIERS_MAX: u8 = 16;

/// Suppliers of one session where nothing else is said.
const PER_SESSION: u8 = 5;

/// Run a whole network on this machine.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the network lives: chain, keys, books, logs.
    #[arg(long, default_value_os_t = cli::default_home().join("up"))]
    home: PathBuf,
    /// How many suppliers, each with its relay miner; fixed when the network is made.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(SUPPLIERS_MAX)))]
    suppliers: u8,
    /// The chain's engine: the embedded one, or a true Cosmos SDK node; fixed when the network is made.
    #[arg(long, value_enum, default_value_t = Engine::Solo)]
    chain: Engine,
    /// Validators of `--chain loded`; fixed when the network is made.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(VALIDATORS_MAX)))]
    validators: u8,
    /// The program loded; without this it is searched for, and built if need be.
    #[arg(long, env = "LODED")]
    loded: Option<PathBuf>,
    /// `auto`: any free ports instead of the standard ones.
    #[arg(long, value_enum, default_value_t = PortChoice::Standard)]
    ports: PortChoice,
    /// The port of the chain's RPC.
    #[arg(long, default_value_t = RPC_PORT)]
    rpc_port: u16,
    /// The port of the gateway.
    #[arg(long, default_value_t = GATEWAY_PORT)]
    gateway_port: u16,
    /// Four blocks a second, for demonstrations and tests; fixed when the network is made.
    #[arg(long)]
    fast: bool,
    /// Let the last supplier cheat while this runs, to watch what becomes of it.
    #[arg(long, value_name = "CHEAT", value_parser = cheats())]
    rogue: Option<Cheat>,
    /// How many suppliers serve one session, drawn by stake and quality; fixed when the network is made.
    #[arg(long, default_value_t = PER_SESSION, value_parser = clap::value_parser!(u8).range(1..=i64::from(SUPPLIERS_MAX)))]
    per_session: u8,
    /// Convict nobody of serving another model, so that only the quality of answers counts; fixed when
    /// the network is made.
    #[arg(long)]
    log_only: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Forget the network in this home and make a new one.
    #[arg(long)]
    reset: bool,
    /// Do not ask before forgetting.
    #[arg(long)]
    yes: bool,
}

/// The cheats by their names.
fn cheats() -> impl TypedValueParser<Value = Cheat> {
    PossibleValuesParser::new(Cheat::ALL.map(Cheat::name))
        .map(|name| Cheat::named(&name).expect("only names of cheats are possible"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PortChoice {
    Standard,
    Auto,
}

impl Options {
    fn made(&self) -> Made {
        Made {
            suppliers: self.suppliers,
            fast: self.fast,
            per_session: self.per_session,
            log_only: self.log_only,
            engine: self.chain,
            validators: self.validators,
            loded: self.loded.clone(),
            rogue: self.rogue,
        }
    }

    fn wish(&self) -> Wish {
        match self.ports {
            PortChoice::Standard => {
                Wish { rpc: Some(self.rpc_port), gateway: Some(self.gateway_port) }
            }
            PortChoice::Auto => Wish { rpc: None, gateway: None },
        }
    }
}

/// Runs `lode up`.
pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    daemon::log::init(false, "warn");
    if options.reset {
        forget(&options)?;
    }
    let _held = HomeLock::take(&options.home)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(live(&options))
}

fn forget(options: &Options) -> anyhow::Result<()> {
    let home = &options.home;
    if !home.exists() {
        return Ok(());
    }
    if !home.join(plan::FILE).exists() && std::fs::read_dir(home)?.next().is_some() {
        bail!("{} holds no network: nothing is removed", home.display());
    }
    let question = format!("Remove the network in {} with all its keys and coins?", home.display());
    if !options.yes && !ask::sure(&question)? {
        bail!("nothing was removed; say --yes to reset without being asked");
    }
    let _held = HomeLock::take(home)?;
    std::fs::remove_dir_all(home).with_context(|| format!("{} stays", home.display()))
}

async fn live(options: &Options) -> anyhow::Result<()> {
    let stop = Stop::new();
    stop.on_signals()?;
    if options.validators > 1 && options.chain == Engine::Solo {
        bail!(
            "the embedded engine has one validator: say --chain loded for {}",
            options.validators
        );
    }
    let network = Network::prepare(options.home.clone(), options.wish(), options.made()).await?;
    let terminal = std::io::stdout().is_terminal() && !options.json;
    let mut view = View::new(terminal, options.json);
    view.say(&format!("starting the network in {}", options.home.display()));
    let http = reqwest::Client::new();
    let mut roles = Vec::new();
    let outcome = async {
        start(&network, &http, &mut roles, &stop).await?;
        if stop.is_asked() {
            return Ok(());
        }
        let ready = network.ready();
        view.begin(&network, &ready)?;
        watch(&network, &http, &mut roles, &mut view, &stop).await
    }
    .await;
    view.end();
    view.say("stopping");
    for role in roles.into_iter().rev() {
        role.stop().await;
    }
    outcome
}

/// Starts all roles in order: chain, suppliers, relay miners, gateway.
async fn start(
    network: &Network,
    http: &reqwest::Client,
    roles: &mut Vec<Role>,
    stop: &Stop,
) -> anyhow::Result<()> {
    for (number, stage) in network.stages().into_iter().enumerate() {
        if number == 1 && network.plan().engine == Engine::Loded {
            register::register(network).await?;
        }
        let first = roles.len();
        for role in stage {
            roles.push(role.start(network.logs())?);
        }
        for role in &mut roles[first..] {
            tokio::select! {
                ready = role.ready(http) => ready?,
                () = stop.asked() => return Ok(()),
            }
        }
    }
    Ok(())
}

/// Between two looks at processes and figures.
const LOOK: Duration = Duration::from_millis(250);

/// Shows what happens until it is asked to stop; processes that end by themselves start again.
async fn watch(
    network: &Network,
    http: &reqwest::Client,
    roles: &mut [Role],
    view: &mut View,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut news = News::follow(network).await?;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.asked() => return Ok(()),
            line = news.next() => view.line(&line)?,
            _ = look.tick() => {
                for role in roles.iter_mut() {
                    if let Some(reason) = role.revive()? {
                        view.line(&Line::Restarted { role: role.name.clone(), reason })?;
                    }
                }
                if view.is_live() {
                    view.draw(&network.figures(http).await)?;
                }
            }
        }
    }
}

/// The folder of a network's logs.
fn logs(home: &Path) -> PathBuf {
    home.join("logs")
}
