//! What is fixed when a network is made, and where it listens.

use super::ports::Ports;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file in a network's home that says what it is.
pub(super) const FILE: &str = "network.json";

/// A network on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) chain_id: String,
    pub(super) suppliers: usize,
    pub(super) fast: bool,
    pub(super) ports: Ports,
    /// Whether everything that the network needs was written.
    pub(super) complete: bool,
}

impl Plan {
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
