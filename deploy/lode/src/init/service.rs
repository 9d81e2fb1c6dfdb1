//! `lode init service`: the description with which a source lists a model.

use super::write_new;
use crate::{demo, print};
use chain_client::keys::{Entry, KeyStore};
use clap::Args;
use meter::Meter;
use proto::service::{Service, ServiceId};
use proto::units::{Denom, Price};
use proto::{Address, CuWeights};
use serde_json::json;
use std::path::PathBuf;

/// The description of a model.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The file that is written.
    #[arg(long, default_value = "service.json")]
    out: PathBuf,
    /// The name under which it is listed.
    #[arg(long, default_value = demo::NAME)]
    name: String,
    /// The folder of the model, with tokenizer.json and tokenizer_config.json.
    #[arg(long)]
    model: PathBuf,
    /// The source's account: an address, or the name of a key.
    #[arg(long)]
    source: String,
    /// The folder in which that key is.
    #[arg(long, env = "LODE_KEYS", default_value_os_t = crate::cli::default_home().join("keys"))]
    keys: PathBuf,
    /// The coin in which it is priced, for good: `ulode`, or one that governance allows.
    #[arg(long, default_value = proto::names::STAKE_DENOM)]
    denom: String,
    /// The first price, in the coin's smallest unit for a million compute units.
    #[arg(long, default_value_t = 2_000_000)]
    price: u64,
    /// What its weights are quantised to.
    #[arg(long, default_value = "q8_0")]
    precision: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What an input token, a cached one and an output token weigh in compute units.
pub(crate) const WEIGHTS: CuWeights = CuWeights { fresh_in: 1, cached_in: 1, out: 4 };

/// The kernel class of the built-in engine.
pub(crate) use engine::KERNEL_CLASS;

/// Runs `lode init service`.
pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let source = match Address::parse(&options.source) {
        Ok(address) => address,
        Err(_) => match KeyStore::open(&options.keys)?.show(&options.source)? {
            Entry::Account(account) => account.address,
            Entry::Relay(_) => anyhow::bail!("the key {:?} is no account", options.source),
        },
    };
    let meter = Meter::load(&options.model)?;
    let service = Service {
        id: ServiceId::new(options.name.clone())?,
        source,
        model_hash: demo::hash_of(&options.model)?,
        tokenizer_hash: meter.tokenizer_hash(),
        template_hash: meter.template_hash(),
        precision: options.precision.clone(),
        kernel_class: KERNEL_CLASS.to_owned(),
        context_max: meter.context_max(),
        cu_weights: WEIGHTS,
        price_start: Price(options.price),
        denom: Denom::new(options.denom.clone())?,
        identity_threshold: 0,
    };
    write_new(&options.out, &serde_json::to_string_pretty(&service)?)?;
    print::answer(&json!({"written": options.out, "service": service}), options.json)
}
