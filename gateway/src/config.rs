//! What an operator sets.

use chain_client::Endpoints;
use proto::service::ServiceId;
use proto::{Address, Amount, Ppm};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A commented configuration with the standard values, for `lode init gateway`.
pub const TEMPLATE: &str = include_str!("../gateway.toml");

/// A gateway's configuration. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The SQLite file of API keys, relays and receipts.
    pub books: PathBuf,
    pub keys: Keys,
    pub chain: Endpoints,
    /// A folder for each model that is sold: its `tokenizer.json` and template count tokens.
    pub models: Vec<PathBuf>,
    #[serde(flatten)]
    pub settings: Settings,
}

/// Where keys are. Nothing secret stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The folder of `lode keys`.
    pub folder: PathBuf,
    /// The name of the gateway's account, which opens sessions.
    pub gateway: String,
    /// The name of the relay key, which signs requests and acknowledgements.
    pub relay: String,
    /// A file that holds the password of both; without it they must not be sealed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// What a running gateway needs of its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whose escrow pays; none: the gateway's own account.
    pub app: Option<Address>,
    /// The services that are sold; none: all on chain for which there is a model.
    pub services: Vec<ServiceId>,
    /// Origins that a browser may call from; `["*"]`: all; none: no browser.
    pub cors_origins: Vec<String>,
    pub budget: Budget,
    pub limits: Limits,
    pub times: Times,
    pub records: Records,
}

/// What is locked in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// This much, or what there is when that is less. None: by share.
    pub amount: Option<Amount>,
    /// Part of the free escrow, and of what the gateway's stake still allows.
    pub share: Ppm,
}

/// How much runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests at once in all.
    pub requests: usize,
    /// Requests at once of one API key.
    pub requests_per_key: usize,
    /// Bytes of a request's body at most; a session's terms may allow less.
    pub request_bytes: usize,
    /// Bytes of an answer at most.
    pub answer_bytes: usize,
    /// Suppliers that are tried for one request at most.
    pub attempts: usize,
}

/// How long is waited, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// For a connection to a supplier.
    pub connect_ms: u64,
    /// For the first byte of an answer that is streamed.
    pub first_byte_ms: u64,
    /// For the next bytes of an answer that is streamed.
    pub idle_ms: u64,
    /// For a whole answer.
    pub total_ms: u64,
    /// For a request's body.
    pub body_ms: u64,
    /// An acknowledgement that no request carries within this goes by itself.
    pub ack_ms: u64,
    /// For running answers when the gateway stops.
    pub drain_ms: u64,
}

/// How long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// Days after which a relay's row and receipt are removed.
    pub keep_days: u32,
    /// Whether the proof of each relay is fetched once it is claimed, or only when it is asked for.
    pub fetch_proofs: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { amount: None, share: Ppm(100_000) }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests: 1024,
            requests_per_key: 256,
            request_bytes: 1 << 20,
            answer_bytes: 16 << 20,
            attempts: 3,
        }
    }
}

impl Default for Times {
    fn default() -> Times {
        Times {
            connect_ms: 3_000,
            first_byte_ms: 60_000,
            idle_ms: 60_000,
            total_ms: 600_000,
            body_ms: 30_000,
            ack_ms: 250,
            drain_ms: 30_000,
        }
    }
}

impl Default for Records {
    fn default() -> Records {
        Records { keep_days: 400, fetch_proofs: true }
    }
}

macro_rules! durations {
    ($($name:ident from $field:ident),*) => {
        impl Times {
            $(pub(crate) fn $name(&self) -> Duration {
                Duration::from_millis(self.$field)
            })*
        }
    };
}

durations!(
    connect from connect_ms, first_byte from first_byte_ms, idle from idle_ms,
    total from total_ms, body from body_ms, ack from ack_ms, drain from drain_ms
);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_standard_values() {
        let config: Config = daemon::config::parse(TEMPLATE).unwrap();
        assert_eq!(config.settings.limits, Limits::default());
        assert_eq!(config.settings.times, Times::default());
        assert_eq!(config.settings.records, Records::default());
        assert_eq!(config.settings.budget, Budget::default());
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let text = TEMPLATE.replace("keep_days", "keep_dayz");
        assert!(daemon::config::parse::<Config>(&text).is_err());
    }
}
