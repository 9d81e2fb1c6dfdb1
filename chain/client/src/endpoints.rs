//! Where the nodes of a chain are.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a question is put to nodes before it counts as unanswered, unless told otherwise: longer
/// than a node takes to restart.
const PATIENCE_MS: u64 = 20_000;

/// The RPC endpoints of one chain, as a role's configuration names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Addresses of CometBFT's RPC, such as `http://127.0.0.1:26657`. The first that answers is
    /// used; the others step in when it fails or falls behind.
    pub rpc: Vec<String>,
    /// The chain that must answer. Without it, the first node's word is taken.
    #[serde(default)]
    pub chain_id: Option<String>,
    /// Milliseconds after which a question to all nodes counts as unanswered.
    #[serde(default = "patience_ms")]
    pub patience_ms: u64,
}

fn patience_ms() -> u64 {
    PATIENCE_MS
}

impl Endpoints {
    /// One node, of whatever chain.
    pub fn of(rpc: impl Into<String>) -> Endpoints {
        Endpoints { rpc: vec![rpc.into()], chain_id: None, patience_ms: PATIENCE_MS }
    }

    /// The same, where only the chain `chain_id` will do.
    pub fn named(mut self, chain_id: impl Into<String>) -> Endpoints {
        self.chain_id = Some(chain_id.into());
        self
    }

    /// [`Endpoints::patience_ms`] as a duration.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }
}
