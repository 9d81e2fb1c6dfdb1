//! What is fixed when a network is made, and where it listens.

use super::engine::{Engine, PORTS_EACH};
use super::ports::Ports;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file in a network's home that says what it is.
pub(super) const FILE: &str = "network.json";

/// A network on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) chain_id: String,
    pub(super) suppliers: usize,
    pub(super) fast: bool,
    /// Suppliers of one session.
    #[serde(default = "usual")]
    pub(super) per_session: u8,
    /// Whether nobody is convicted of serving another model.
    #[serde(default)]
    pub(super) log_only: bool,
    pub(super) ports: Ports,
    #[serde(default)]
    pub(super) engine: Engine,
    /// Nodes of the chain.
    #[serde(default = "one")]
    pub(super) validators: u8,
    /// The program `loded`, where that makes the blocks.
    #[serde(default)]
    pub(super) loded: Option<PathBuf>,
    /// Whether everything that the network needs was written.
    pub(super) complete: bool,
}

fn one() -> u8 {
    1
}

fn usual() -> u8 {
    super::PER_SESSION
}

impl Plan {
    /// Milliseconds from one block to the next.
    pub(super) fn block_time_ms(&self) -> u64 {
        if self.fast { 250 } else { 1_000 }
    }

    /// The RPC of each of the chain's nodes.
    pub(super) fn rpcs(&self) -> Vec<String> {
        let port = |node: u16| self.ports.rpc + node * PORTS_EACH;
        let nodes = 0..u16::from(self.validators);
        nodes.map(|node| format!("http://127.0.0.1:{}", port(node))).collect()
    }

    /// The plan in `home`, if a network was made there.
    pub(super) fn load(home: &Path) -> anyhow::Result<Option<Plan>> {
        match std::fs::read(home.join(FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn save(&self, home: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        Ok(daemon::file::write_private(&home.join(FILE), &text)?)
    }
}
