//! `lode query`: ask the chain.

mod price;

use crate::cli::Node;
use crate::{audits, history, node, print};
use clap::{Args, Subcommand};
use proto::query;
use proto::service::ServiceId;
use proto::units::{Digest, Height};
use proto::{Address, Denom};

/// Ask the chain.
#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    node: Node,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The parameters that sessions open with.
    Params,
    /// One service, or all.
    Services {
        #[arg(value_parser = service)]
        id: Option<ServiceId>,
    },
    /// Where a service's price stands, or how it came about.
    Price(price::Price),
    /// One supplier, or all.
    Suppliers { operator: Option<Address> },
    /// One gateway.
    Gateway { address: Address },
    /// An app's escrow and delegations.
    App { app: Address },
    /// One session.
    Session { id: Digest },
    /// Sessions that are not settled, newest first.
    Sessions {
        /// Only those of this supplier, gateway or app.
        #[arg(long)]
        party: Option<Address>,
    },
    /// A claim that is not settled.
    Claim { session: Digest, operator: Address },
    /// What became of a claim.
    Settled { session: Digest, operator: Address },
    /// An audit: its committees, what they said, and what followed.
    Audit { id: Digest },
    /// Audits of a session, supplier, auditor, or of all sessions that began at one height.
    Audits {
        #[arg(long)]
        session: Option<Digest>,
        #[arg(long)]
        supplier: Option<Address>,
        #[arg(long)]
        auditor: Option<Address>,
        /// The first height of the audited sessions.
        #[arg(long, default_value_t = 0)]
        start: u64,
        /// Begin after this audit.
        #[arg(long)]
        after: Option<Digest>,
    },
    /// What the audits of sessions that began at one height go by: seed, windows, panel.
    Docket { start: u64 },
    /// What audits say of a supplier, for each of its services.
    Reputation {
        operator: Address,
        /// How it came about: a row for each decided audit that the chain still keeps.
        #[arg(long)]
        history: bool,
    },
    /// One auditor, or all: bond, earnings, penalties and what was missed.
    Auditors { address: Option<Address> },
    /// What became of an operator's probes: planted, opened, unopened.
    Prober { operator: Address },
    /// Where the chain's sessions are.
    Clock,
    /// The seed of a height, while an open session may need it.
    Seed { height: u64 },
    /// What the records say that each purse must hold.
    Invariants,
    /// An account's coins.
    Balance {
        address: Address,
        #[arg(default_value = proto::names::STAKE_DENOM)]
        denom: String,
    },
}

fn service(text: &str) -> Result<ServiceId, proto::service::BadServiceId> {
    ServiceId::new(text)
}

/// Runs `lode query …`.
pub(crate) fn run(query: Query) -> anyhow::Result<()> {
    node::block_on(ask(query))
}

async fn ask(Query { node, command }: Query) -> anyhow::Result<()> {
    let chain = node::connect(&node).await?;
    macro_rules! show {
        ($question:expr) => {
            print::answer(&chain.query(&$question).await?, node.json)
        };
    }
    let limit = query::PAGE_MAX;
    match command {
        Command::Params => show!(query::GetParams {}),
        Command::Services { id: Some(id) } => show!(query::GetService { id: Some(id) }),
        Command::Services { id: None } => show!(query::ListServices { after: None, limit }),
        Command::Price(options) => price::ask(&chain, &options, node.json).await,
        Command::Suppliers { operator: None } => {
            show!(query::ListSuppliers { after: None, limit })
        }
        Command::Suppliers { operator } => show!(query::GetSupplier { operator }),
        Command::Gateway { address } => show!(query::GetGateway { address: Some(address) }),
        Command::App { app } => show!(query::GetApp { app: Some(app) }),
        Command::Session { id } => show!(query::GetSession { id }),
        Command::Sessions { party } => show!(query::ListSessions { party, after: None, limit }),
        Command::Claim { session: session_id, operator } => {
            show!(query::GetClaim { session_id, operator: Some(operator) })
        }
        Command::Settled { session: session_id, operator } => {
            show!(query::GetSettled { session_id, operator: Some(operator) })
        }
        Command::Audit { id } => show!(query::GetAudit { id }),
        Command::Audits { session: session_id, supplier, auditor, start, after } => {
            let start = Height(start);
            show!(query::ListAudits { start, session_id, supplier, auditor, after, limit })
        }
        Command::Docket { start } => show!(query::GetDocket { start: Height(start) }),
        Command::Reputation { operator, history: true } => {
            history::show(&chain, operator, node.json).await
        }
        Command::Reputation { operator, history: false } => {
            show!(query::GetReputation { operator: Some(operator) })
        }
        Command::Auditors { address: None } if !node.json => {
            let all = chain.query(&query::ListAuditors { after: None, limit }).await?;
            audits::auditors(&all.auditors);
            Ok(())
        }
        Command::Auditors { address: None } => show!(query::ListAuditors { after: None, limit }),
        Command::Auditors { address } => show!(query::GetAuditor { address }),
        Command::Prober { operator } => show!(query::GetProber { operator: Some(operator) }),
        Command::Clock => show!(query::GetClock {}),
        Command::Seed { height } => show!(query::GetSeed { height: Height(height) }),
        Command::Invariants => show!(query::GetInvariants {}),
        Command::Balance { address, denom } => {
            let amount = chain.balance(address, &Denom::new(denom.clone())?).await?;
            let answer = serde_json::json!({"address": address, "denom": denom, "amount": amount});
            print::answer(&answer, node.json)
        }
    }
}
