//! `lode gateway key`: the API keys of a gateway's customers.

use crate::role;
use clap::{Args, Subcommand};
use gateway::account::{KeyRecord, KeyTerms};
use gateway::books::Books;
use proto::service::ServiceId;
use proto::{Amount, Denom, Time};
use serde_json::{Value, json};
use std::path::PathBuf;

/// API keys.
#[derive(Debug, Args)]
pub(crate) struct ApiKeys {
    /// The gateway's configuration.
    #[arg(long, global = true, default_value = "gateway.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key. It is shown once; a running gateway takes it at once.
    Create {
        name: String,
        /// The coin that it spends: it can use models that are priced in this one.
        #[arg(long, default_value = proto::names::STAKE_DENOM)]
        denom: String,
        /// What it may spend in all, in the smallest unit of the coin.
        #[arg(long)]
        cap: Option<u128>,
        /// Days until it ends.
        #[arg(long)]
        days: Option<u64>,
        /// Requests in a minute at most.
        #[arg(long)]
        per_minute: Option<u32>,
        /// A model that it may use; all without this.
        #[arg(long = "model")]
        models: Vec<String>,
    },
    /// Show all keys.
    List,
    /// Take a key back, by its id.
    Revoke { id: String },
}

/// Runs `lode gateway key …`.
pub(crate) fn run(keys: ApiKeys) -> anyhow::Result<()> {
    crate::node::block_on(async {
        let config = role::gateway_config(&keys.config)?;
        let books = Books::open(&config.books).await?;
        match keys.command {
            Command::Create { name, denom, cap, days, per_minute, models } => {
                let models = models.into_iter().map(ServiceId::new).collect::<Result<_, _>>()?;
                let after = |days: u64| Time(role::now().0 + days * 86_400_000);
                let terms = KeyTerms {
                    name,
                    denom: Denom::new(denom)?,
                    cap: cap.map(Amount),
                    expires: days.map(after),
                    per_minute,
                    models,
                };
                let (key, record) = create(&books, terms).await?;
                let mut shown = shown(&record);
                shown["key"] = key.into();
                role::show(&shown, keys.json)
            }
            Command::List => {
                let all: Vec<Value> = books.keys().await?.iter().map(shown).collect();
                role::show(&all, keys.json)
            }
            Command::Revoke { id } => {
                role::show(&shown(&books.revoke_key(&id, role::now()).await?), keys.json)
            }
        }
    })
}

/// Makes a key of the system's randomness.
pub(crate) async fn create(books: &Books, terms: KeyTerms) -> anyhow::Result<(String, KeyRecord)> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    let (key, record) = books.create_key(terms, &entropy, role::now()).await?;
    Ok((key.reveal().to_owned(), record))
}

fn shown(record: &KeyRecord) -> Value {
    json!({
        "id": record.id, "begins": record.shown, "name": record.terms.name,
        "denom": record.terms.denom, "cap": record.terms.cap, "expires": record.terms.expires,
        "per_minute": record.terms.per_minute, "models": record.terms.models,
        "created": record.created, "revoked": record.revoked, "spent": record.spent.spent(),
    })
}
