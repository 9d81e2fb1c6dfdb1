//! A network on this machine: its home, its processes, its face.

use super::children::Role;
use super::engine::{self, Engine};
use super::event::{Accounts, ChainPlace, Line, SdkPlace};
use super::plan::Plan;
use super::ports::{Ports, Wish};
use super::rogue::{self, Runs};
use super::{home, logs};
use crate::demo;
use ::rogue::Cheat;
use anyhow::bail;
use proto::Address;
use std::path::{Path, PathBuf};

/// What is locked for an app in each session, in micro-lode.
const SESSION_BUDGET: u128 = 1_000_000_000;

/// The judge's part of a mark, per mille: it knows what the cross-encoder cannot, and not the reverse.
const LAMBDA: u16 = 800;

/// How a network is made. What is there already stays as it is.
pub(super) struct Made {
    pub(super) suppliers: u8,
    pub(super) fast: bool,
    pub(super) per_session: u8,
    pub(super) log_only: bool,
    pub(super) engine: Engine,
    pub(super) validators: u8,
    /// The program `loded`, where it is named.
    pub(super) loded: Option<PathBuf>,
    /// How the last supplier cheats, while this runs.
    pub(super) rogue: Option<Cheat>,
}

pub(super) struct Network {
    home: PathBuf,
    plan: Plan,
    accounts: home::Accounts,
    /// The validator's account, in whose name the auditor works.
    auditor: Address,
    api_key: String,
    rogue: Option<Cheat>,
}

/// A process that is to be started.
pub(super) struct Planned {
    name: String,
    arguments: Vec<String>,
    ready_url: String,
}

impl Planned {
    pub(super) fn start(self, logs: PathBuf) -> anyhow::Result<Role> {
        let log = logs.join(format!("{}.log", self.name));
        Role::start(self.name, self.arguments, &log, self.ready_url)
    }
}

/// Figures for the live view.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) relays: f64,
    pub(super) tokens: f64,
}

impl Network {
    /// The network in `home`, which is made as it is wished if there is none.
    pub(super) async fn prepare(home: PathBuf, wish: Wish, made: Made) -> anyhow::Result<Network> {
        let before = Plan::load(&home)?;
        let (engine, validators) = match &before {
            Some(plan) => (plan.engine, plan.validators),
            None => (made.engine, made.validators),
        };
        let loded = match engine {
            Engine::Solo => None,
            Engine::Loded => Some(engine::find(made.loded.as_deref())?),
        };
        let suppliers = before.as_ref().map_or(usize::from(made.suppliers), |plan| plan.suppliers);
        let nodes = if engine == Engine::Loded { validators.into() } else { 0 };
        let kept = before.as_ref().map(|plan| &plan.ports);
        let ports = Ports::choose(wish, suppliers, nodes, kept)?;
        let mut plan = before.unwrap_or_else(|| Plan {
            chain_id: format!("lode-dev-{:08x}", crate::role::now().0 as u32 ^ std::process::id()),
            suppliers,
            fast: made.fast,
            per_session: made.per_session,
            log_only: made.log_only,
            ports: ports.clone(),
            engine,
            validators,
            loded: None,
            complete: false,
        });
        plan.loded = loded;
        if plan.complete && plan.ports.miners != ports.miners {
            bail!(
                "one of the ports {:?} on which this network's relay miners are registered is taken: stop what listens there, or start over with --reset",
                plan.ports.miners
            );
        }
        plan.ports = ports;
        plan.save(&home)?;
        std::fs::create_dir_all(logs(&home))?;
        home::fill(&home, &plan).await?;
        plan.complete = true;
        plan.save(&home)?;
        write_configurations(&home, &plan, made.rogue)?;
        let accounts = home::accounts(&home, plan.suppliers)?;
        let auditor = home::auditor(&home, engine)?;
        let api_key = std::fs::read_to_string(home.join("api-key"))?.trim().to_owned();
        Ok(Network { home, plan, accounts, auditor, api_key, rogue: made.rogue })
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn logs(&self) -> PathBuf {
        logs(&self.home)
    }

    pub(super) fn rpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.ports.rpc)
    }

    pub(super) fn chain_id(&self) -> &str {
        &self.plan.chain_id
    }

    pub(super) fn api_key(&self) -> &str {
        &self.api_key
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.plan.ports.gateway)
    }

    /// The first line for machines.
    pub(super) fn ready(&self) -> Line {
        let home::Accounts { app, gateway, source, suppliers } = self.accounts.clone();
        let auditor = Some(self.auditor);
        Line::Ready {
            openai_base_url: self.base_url(),
            api_key: self.api_key.clone(),
            models: vec![demo::NAME.to_owned()],
            chain: self.chain_place(),
            accounts: Accounts { app, gateway, source, suppliers, auditor },
            home: self.home.clone(),
        }
    }

    fn chain_place(&self) -> ChainPlace {
        let (chain_id, rpc) = (self.plan.chain_id.clone(), self.rpc());
        ChainPlace { chain_id, rpc, sdk: self.sdk_place() }
    }

    /// What the first node serves beside its RPC, by the order of ports that `loded testnet` has.
    pub(super) fn sdk_place(&self) -> Option<SdkPlace> {
        let rpc = self.plan.ports.rpc;
        self.plan.loded.as_ref().map(|_| SdkPlace {
            rest: format!("http://127.0.0.1:{}", rpc + 2),
            grpc: format!("127.0.0.1:{}", rpc + 1),
        })
    }

    /// The processes, in the order in which they need each other.
    pub(super) fn stages(&self) -> Vec<Vec<Planned>> {
        let ports = &self.plan.ports;
        let planned = |role: &str, name: String, port: u16, path: &str| Planned {
            arguments: vec![
                role.to_owned(),
                "start".to_owned(),
                "--stop-with-stdin".to_owned(),
                "--config".to_owned(),
                self.home.join(format!("{name}.toml")).display().to_string(),
            ],
            name,
            ready_url: format!("http://127.0.0.1:{port}{path}"),
        };
        let each = |role: &'static str, ports: &[u16]| -> Vec<Planned> {
            let one = |(i, port): (usize, &u16)| {
                planned(role, format!("{role}-{}", i + 1), *port, "/readyz")
            };
            ports.iter().enumerate().map(one).collect()
        };
        let rogue = self.rogue.filter(|cheat| cheat.has_front()).map(|_| self.rogue());
        let gateway = planned("gateway", "gateway".to_owned(), ports.gateway, "/readyz");
        let auditor = planned("auditor", "auditor".to_owned(), ports.auditor, "/readyz");
        vec![
            match &self.plan.loded {
                None => vec![planned("chain", "chain".to_owned(), ports.rpc, "/health")],
                Some(loded) => self.validators(loded),
            },
            each("supplier", &ports.suppliers),
            rogue.into_iter().collect(),
            self.miners(each("relayminer", &ports.miners)),
            vec![gateway, auditor],
        ]
    }

    /// The relay miners, of which the last one cheats if it is to.
    fn miners(&self, mut all: Vec<Planned>) -> Vec<Planned> {
        if let Some(last) = all.last_mut().filter(|_| self.rogue.is_some_and(Cheat::bills)) {
            let config = last.arguments.split_off(2);
            last.arguments = ["dev", "rogue-miner"].map(str::to_owned).into();
            last.arguments.extend(config);
        }
        all
    }

    /// The server that cheats.
    fn rogue(&self) -> Planned {
        let config = self.home.join(rogue::FILE).display().to_string();
        let words = ["dev", "rogue", "--stop-with-stdin", "--config"].map(str::to_owned);
        Planned {
            arguments: words.into_iter().chain([config]).collect(),
            name: "rogue".to_owned(),
            ready_url: format!("http://127.0.0.1:{}/readyz", self.plan.ports.rogue),
        }
    }

    fn validators(&self, loded: &Path) -> Vec<Planned> {
        let planned = |(node, rpc): (usize, String)| {
            let home = self.home.join("chain").join(format!("node{node}"));
            let words = ["guard".into(), "--".into(), loded.display().to_string(), "start".into()];
            let home = ["--home".to_owned(), home.display().to_string()];
            Planned {
                name: format!("chain-{}", node + 1),
                arguments: words.into_iter().chain(home).collect(),
                ready_url: format!("{rpc}/block?height=1"),
            }
        };
        self.plan.rpcs().into_iter().enumerate().map(planned).collect()
    }

    /// What the gateway counted so far; nothing while it does not answer.
    pub(super) async fn figures(&self, http: &reqwest::Client) -> Figures {
        let url = format!("http://127.0.0.1:{}/metrics", self.plan.ports.gateway);
        let answer = http.get(url).timeout(std::time::Duration::from_secs(1)).send().await;
        let text = match answer {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => return Figures::default(),
        };
        let sum = |name: &str| -> f64 {
            let values = text.lines().filter(|line| line.starts_with(name));
            let values = values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            // The sum of nothing is -0.
            values.fold(0.0, |sum, value| sum + value)
        };
        Figures {
            relays: sum("lode_gateway_relays"),
            tokens: sum("lode_gateway_completion_tokens"),
        }
    }
}

/// Writes the configurations of all roles. Paths in them are from the home.
fn write_configurations(home: &Path, plan: &Plan, cheat: Option<Cheat>) -> anyhow::Result<()> {
    let write = |name: &str, text: String| {
        let note = "# Written by `lode up` at each start: changes are lost.\n";
        daemon::file::write_private(&home.join(name), (note.to_owned() + &text).as_bytes())
    };
    let ports = &plan.ports;
    let rpc = plan.rpcs().iter().map(|rpc| format!("{rpc:?}")).collect::<Vec<_>>().join(", ");
    let block_time = plan.block_time_ms();
    write(
        "chain.toml",
        format!(
            "home = \"chain\"\nlisten = \"127.0.0.1:{}\"\nblock_time_ms = {block_time}\ncors_origins = [\"*\"]\n\n[faucet]\nkey_file = \"faucet.key\"\namount = \"2000000000ulode\"\nlimit = \"20000000000ulode\"\n",
            ports.rpc,
        ),
    )?;
    for i in 0..plan.suppliers {
        let (operator, relay) = home::supplier_keys(i);
        let (n, name) = (i + 1, demo::NAME);
        let Runs { model, backend } = rogue::runs(home, plan, i, cheat)?;
        write(
            &format!("supplier-{n}.toml"),
            format!(
                "listen = \"127.0.0.1:{}\"\nmodel = \"{model}\"\nname = \"{name}\"\nthreads = 1\n",
                ports.suppliers[i],
            ),
        )?;
        write(
            &format!("relayminer-{n}.toml"),
            format!(
                "listen = \"127.0.0.1:{}\"\nadmin = \"127.0.0.1:{}\"\nhome = \"relayminer-{n}\"\nmodels = [\"models/{name}\"]\n\n[backend]\nurl = \"http://127.0.0.1:{backend}\"\n\n[keys]\nfolder = \"keys\"\noperator = \"{operator}\"\nrelay = \"{relay}\"\n\n[chain]\nrpc = [{rpc}]\nchain_id = \"{}\"\n",
                ports.miners[i], ports.miner_admins[i], plan.chain_id,
            ),
        )?;
    }
    write(
        "auditor.toml",
        format!(
            "listen = \"127.0.0.1:{}\"\nhome = \"auditor\"\nvalidator = \"{validator}\"\nbond = {{ denom = \"ulode\", amount = \"{}\" }}\n\n[keys]\nfolder = \"keys\"\naccount = \"{account}\"\n\n[chain]\nrpc = [{rpc}]\nchain_id = \"{}\"\n\n[[models]]\nservice = \"{name}\"\nfolder = \"models/{name}\"\n\n[quality]\ncross_encoder = \"models/{cross}\"\njudge = \"listed\"\nlambda = {LAMBDA}\n\n[limits]\nrunning = 1\nthreads = 1\n",
            ports.auditor,
            home::AUDITOR_BOND,
            plan.chain_id,
            name = demo::NAME,
            account = home::validator_account(plan.engine),
            validator = match plan.engine {
                Engine::Solo => "chain",
                Engine::Loded => home::FIRST_VALIDATOR,
            },
            cross = demo::CROSS,
        ),
    )?;
    let app = home::accounts(home, plan.suppliers)?.app;
    write(
        "gateway.toml",
        format!(
            "listen = \"127.0.0.1:{}\"\nbooks = \"gateway/books.db\"\nmodels = [\"models/{}\"]\napp = \"{app}\"\n\n[keys]\nfolder = \"keys\"\ngateway = \"gateway\"\nrelay = \"gateway-relay\"\n\n[chain]\nrpc = [{rpc}]\nchain_id = \"{}\"\n\n[budget]\namount = \"{SESSION_BUDGET}\"\n\n[times]\ndrain_ms = 8000\n",
            ports.gateway,
            demo::NAME,
            plan.chain_id,
        ),
    )?;
    Ok(())
}
