//! `lode supplier profile`.

use super::weights_bytes;
use crate::role;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;
use supplier::link::{Keys, LinkKey, PeerKey};
use supplier::profile::{profile, way};

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder of the model.
    #[arg(long)]
    model: PathBuf,
    /// The file of this box's key; made when there is none.
    #[arg(long, default_value = "link.key")]
    key: PathBuf,
    /// What people call this box.
    #[arg(long, default_value = "box")]
    name: String,
    /// Where its stage listens, for the head; nothing for the head itself.
    #[arg(long, default_value = "")]
    address: String,
    /// A box to which the way is measured, as KEY@ADDRESS: a stage that knows this one as a head.
    #[arg(long = "peer")]
    peers: Vec<Peer>,
    /// Memory for weights in MiB; without it most of what is free.
    #[arg(long)]
    memory_mib: Option<u64>,
    /// Memory for keys and values in MiB.
    #[arg(long, default_value_t = 2048)]
    cache_mib: u64,
    /// Cores that compute; 0: all but one.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Where layers are computed: cpu, or an NVIDIA GPU as cuda or cuda:1.
    #[arg(long, default_value_t)]
    device: engine::Device,
    /// Where the profile goes; without it, it is printed.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Another box.
#[derive(Clone, Debug)]
struct Peer {
    key: PeerKey,
    address: String,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Peer, String> {
        let (key, address) = text.split_once('@').ok_or("a peer is written as KEY@ADDRESS")?;
        let key = key.parse().map_err(|error| format!("{error}"))?;
        Ok(Peer { key, address: address.to_owned() })
    }
}

/// Measures, and writes what was measured.
pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    role::limit_threads(options.threads);
    let key = LinkKey::open(&options.key)?;
    let called = (options.name.clone(), options.address.clone());
    let memory = (weights_bytes(options.memory_mib, options.device)?, options.cache_mib << 20);
    eprintln!("measuring layers of {}", options.model.display());
    let mut measured = profile((&options.model, options.device), key.public(), called, memory)?;
    let keys = Keys::new(&key)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for Peer { key, address } in &options.peers {
        eprintln!("measuring the way to {address}");
        let way = runtime.block_on(way(&keys, *key, address));
        measured.ways.push(way.with_context(|| format!("the way to {address} was not measured"))?);
    }
    let text = serde_json::to_string_pretty(&measured)?;
    match &options.out {
        None => println!("{text}"),
        Some(path) => std::fs::write(path, text + "\n")
            .with_context(|| format!("{} cannot be written", path.display()))?,
    }
    Ok(())
}
