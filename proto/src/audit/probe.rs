//! Apps whose traffic nobody reads, and probes among them.
//!
//! A session of such an app is not audited, unless it turns out to be a probe: an operator that
//! governance lists committed to that before the session began, and shows it when audits are drawn.
//! Until then it is a session like any other.

use crate::keys::Address;
use crate::seed;
use crate::units::{Amount, Digest, Height};
use serde::{Deserialize, Serialize};

/// Which traffic of an app auditors may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audited {
    /// The app did not say: as the parameters have it.
    #[default]
    Unchosen,
    /// Relays that are drawn are read by the auditors that are drawn.
    Full,
    /// None, but of sessions that turn out to be probes.
    Probes,
}

impl Audited {
    /// This, or `otherwise` where nothing was chosen.
    pub fn or(self, otherwise: Audited) -> Audited {
        if self == Audited::Unchosen { otherwise } else { self }
    }
}

/// What an app chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub app: Address,
    pub audited: Audited,
}

/// A commitment to sessions that will be probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub operator: Address,
    pub commitment: Digest,
    pub planted_at: Height,
    pub deposit: Amount,
}

/// What became of an operator's probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prober {
    pub operator: Address,
    pub planted: u64,
    pub opened: u64,
    pub unopened: u64,
}

impl Prober {
    /// That of somebody who planted nothing yet.
    pub fn new(operator: Address) -> Prober {
        Prober { operator, planted: 0, opened: 0, unopened: 0 }
    }
}

/// What an operator commits to before `start`: the sessions of `app` that begin then are a probe.
pub fn commitment(salt: &Digest, operator: &Address, app: &Address, start: Height) -> Digest {
    let parts: [&[u8]; 4] = [&salt.0, &operator.0, &app.0, &start.0.to_be_bytes()];
    seed::hash("lode/audit/probe", &parts)
}
