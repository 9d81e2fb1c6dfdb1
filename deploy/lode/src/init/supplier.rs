//! `lode init supplier`: a configuration, or all that a supplier needs to join a network.

use super::{Folder, Sealing, quoted, template, write_new};
use crate::{demo, print};
use anyhow::{Context, bail};
use chain_client::keys::KeyStore;
use chain_client::{Chain, Endpoints};
use clap::Args;
use meter::Meter;
use proto::service::ServiceId;
use serde_json::json;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// A supplier's configuration, or all that it needs.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    folder: Folder,
    /// Join this chain: keys, model and both configurations are made.
    #[arg(long, value_name = "RPC")]
    join: Option<String>,
    /// What the joining supplier serves.
    #[arg(long, default_value = demo::NAME)]
    service: String,
    /// The folder of the service's model; the demo model comes with this program.
    #[arg(long)]
    model: Option<PathBuf>,
    /// `auto`: free ports instead of the standard ones.
    #[arg(long)]
    ports: Option<String>,
    /// The address under which gateways reach the relay miner.
    #[arg(long)]
    endpoint: Option<String>,
    #[command(flatten)]
    sealing: Sealing,
}

/// Runs `lode init supplier`.
pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    match &options.join {
        Some(rpc) => crate::node::block_on(join(options, rpc)),
        None => template(&options.folder, "supplier.toml", supplier::TEMPLATE),
    }
}

/// Makes everything that a supplier needs to join the chain at `rpc`, but for its stake.
async fn join(options: &Options, rpc: &str) -> anyhow::Result<()> {
    let chain = Chain::connect(&Endpoints::of(rpc)).await?;
    let id = ServiceId::new(options.service.clone())?;
    let service = chain.service(&id).await?;
    let service = service.with_context(|| format!("{id} is not listed on this chain"))?;
    let home = std::path::absolute(&options.folder.home)?;
    let model = match &options.model {
        Some(model) => std::path::absolute(model)?,
        None if options.service == demo::NAME => home.join("models").join(demo::NAME),
        None => bail!("say where the model of {id} is, with --model FOLDER"),
    };
    if options.model.is_none() {
        demo::write(&model)?;
    }
    let meter = Meter::load(&model)?;
    if (meter.tokenizer_hash(), meter.template_hash())
        != (service.tokenizer_hash, service.template_hash)
    {
        bail!("the tokenizer or template in {} is not the one that {id} lists", model.display());
    }
    let ports = ports(options.ports.as_deref() == Some("auto"))?;
    let keys = KeyStore::open(home.join("keys"))?;
    let protection = options.sealing.protection()?;
    let (operator, words) = keys.create("operator", &protection)?;
    keys.create_relay("relay", &protection)?;
    let endpoint = options.endpoint.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("http://127.0.0.1:{}", ports[1]));
    write_new(&home.join("supplier.toml"), &supplier_text(&model, id.as_str(), ports[0]))?;
    write_new(
        &home.join("relayminer.toml"),
        &miner_text(options, &model, rpc, chain.chain_id(), ports),
    )?;
    print::answer(
        &json!({
            "operator": operator.address, "words": words.reveal().as_str(), "endpoint": endpoint,
            "keys": home.join("keys"), "supplier": home.join("supplier.toml"),
            "relayminer": home.join("relayminer.toml"),
        }),
        options.folder.json,
    )
}

/// Ports of supplier, relay miner and its admin listener.
fn ports(auto: bool) -> anyhow::Result<[u16; 3]> {
    if !auto {
        return Ok([9100, 9000, 9001]);
    }
    // Held side by side, so that they differ.
    let held = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(held) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}

fn supplier_text(model: &Path, name: &str, port: u16) -> String {
    let (model, name) = (quoted(model), serde_json::Value::from(name));
    supplier::TEMPLATE
        .replace("\"127.0.0.1:9100\"", &format!("\"127.0.0.1:{port}\""))
        .replace("\"models/lode-demo\"", &model)
        .replace("name = \"lode-demo\"", &format!("name = {name}"))
}

fn miner_text(
    options: &Options,
    model: &Path,
    rpc: &str,
    chain_id: &str,
    [supplier, miner, admin]: [u16; 3],
) -> String {
    let rpc = serde_json::Value::from(rpc);
    let mut text = relayminer::TEMPLATE
        .replace("\"127.0.0.1:9000\"", &format!("\"127.0.0.1:{miner}\""))
        .replace("\"127.0.0.1:9001\"", &format!("\"127.0.0.1:{admin}\""))
        .replace("\"http://127.0.0.1:9100\"", &format!("\"http://127.0.0.1:{supplier}\""))
        .replace("\"models/demo\"", &quoted(model))
        .replace("[\"http://127.0.0.1:26657\"]", &format!("[{rpc}]"))
        .replace("# chain_id = \"lode-1\"", &format!("chain_id = \"{chain_id}\""));
    if let Some(file) = &options.sealing.password_file {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        let line = format!("password_file = {}", quoted(&file));
        text = text.replace("# password_file = \"password\"", &line);
    }
    text
}
