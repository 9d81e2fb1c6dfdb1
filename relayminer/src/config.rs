//! What a relay miner is told.

use crate::forward::Patience;
use crate::reprice::Asks;
use chain_client::Endpoints;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A commented configuration with all defaults, for `lode init relayminer`.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The configuration of a relay miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where gateways send relays.
    pub listen: SocketAddr,
    /// Where `lode payouts` asks; it answers whoever can reach it.
    pub admin: SocketAddr,
    /// The folder of books.
    pub home: PathBuf,
    pub backend: Backend,
    pub keys: Keys,
    pub chain: Endpoints,
    /// A folder for each model that is served: its `tokenizer.json` and template count tokens.
    pub models: Vec<PathBuf>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub times: Times,
    /// Blocks for which a book is kept once it is settled: receipts and proofs come from it.
    #[serde(default = "keep_settled")]
    pub keep_settled: u64,
    /// The least price of services, as a reload makes it so on the chain; others stay as they are.
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub asks: Asks,
}

/// The OpenAI-compatible server behind the relay miner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Its address without `/v1`, such as `http://127.0.0.1:9100`.
    pub url: String,
    /// A file that holds its API key, if it wants one.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
}

/// Where keys are. Nothing secret stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The folder of `lode keys`.
    pub folder: PathBuf,
    /// The name of the operator's account, which sends claims and proofs.
    pub operator: String,
    /// The name of the relay key, which signs receipts.
    pub relay: String,
    /// A file that holds the password of both; without it they must not be sealed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// Bounds of what is taken at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Relays that run at once, of all gateways.
    pub running: usize,
    /// Relays that run at once of one gateway.
    pub running_per_gateway: usize,
    /// What is kept for auditors, in MiB: requests, answers and evidence of unsettled sessions.
    pub evidence_mib: u64,
}

/// How long things may take, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// Until the whole request is there.
    pub request_ms: u64,
    /// Until the backend takes a connection.
    pub connect_ms: u64,
    /// Until the backend's first byte: it may have to read a long prompt.
    pub first_byte_ms: u64,
    /// Between two pieces of the backend's answer.
    pub idle_ms: u64,
    /// Until a gateway takes the next piece of an answer.
    pub reader_ms: u64,
    /// Until running relays are cut when the relay miner stops.
    pub drain_ms: u64,
    /// Without word of the chain until no relay is let in: windows cannot be told without its height.
    pub chain_silence_ms: u64,
}

fn keep_settled() -> u64 {
    10_000
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { running: 512, running_per_gateway: 256, evidence_mib: 4096 }
    }
}

impl Default for Times {
    fn default() -> Times {
        Times {
            request_ms: 30_000,
            connect_ms: 5_000,
            first_byte_ms: 120_000,
            idle_ms: 60_000,
            reader_ms: 60_000,
            drain_ms: 8_000,
            chain_silence_ms: 60_000,
        }
    }
}

impl Times {
    /// How long the backend may take.
    pub fn patience(&self) -> Patience {
        Patience {
            connect: Duration::from_millis(self.connect_ms),
            first_byte: Duration::from_millis(self.first_byte_ms),
            idle: Duration::from_millis(self.idle_ms),
        }
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL may hold a password.
        let host = self.url.rsplit('@').next().unwrap_or_default();
        f.debug_struct("Backend").field("url", &host).finish_non_exhaustive()
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigRefused {
    #[error("the configuration cannot be read: {0}")]
    Syntax(String),
    #[error("{name} is {value}, but must be at least 1")]
    Zero { name: &'static str, value: u64 },
    #[error("backend.url is {0:?}, but must be http:// or https:// and a host, without /v1")]
    Backend(String),
    #[error("chain.rpc names no node")]
    NoNode,
    #[error("models names no folder: without a tokenizer nothing can be counted")]
    NoModel,
}

impl Config {
    /// Reads and checks TOML. Unknown keys are errors.
    pub fn parse(text: &str) -> Result<Config, ConfigRefused> {
        let config: Config = daemon::config::parse(text).map_err(ConfigRefused::Syntax)?;
        config.check()?;
        Ok(config)
    }

    /// Whether a relay miner can run on it.
    pub fn check(&self) -> Result<(), ConfigRefused> {
        let Limits { running, running_per_gateway, evidence_mib: _ } = self.limits;
        let t = &self.times;
        let positive = [
            ("limits.running", running as u64),
            ("limits.running_per_gateway", running_per_gateway as u64),
            ("times.request_ms", t.request_ms),
            ("times.connect_ms", t.connect_ms),
            ("times.first_byte_ms", t.first_byte_ms),
            ("times.idle_ms", t.idle_ms),
            ("times.reader_ms", t.reader_ms),
            ("times.chain_silence_ms", t.chain_silence_ms),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigRefused::Zero { name, value });
        }
        let url = &self.backend.url;
        if proto::supplier::check_endpoint(url).is_err()
            || url.trim_end_matches('/').ends_with("/v1")
        {
            return Err(ConfigRefused::Backend(url.clone()));
        }
        if self.chain.rpc.is_empty() {
            return Err(ConfigRefused::NoNode);
        }
        if self.models.is_empty() { Err(ConfigRefused::NoModel) } else { Ok(()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(change: impl FnOnce(&str) -> String, outcome: &Expect) {
        let text = match Config::parse(&change(TEMPLATE)) {
            Ok(_) => "ok".to_owned(),
            Err(refused) => refused.to_string(),
        };
        outcome.assert_eq(text.lines().next().unwrap_or_default());
    }

    #[test]
    fn the_template_is_a_configuration_and_says_the_defaults() {
        let config = Config::parse(TEMPLATE).unwrap();
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.times, Times::default());
        assert_eq!(config.keep_settled, keep_settled());
        assert!(config.listen.ip().is_loopback() && config.admin.ip().is_loopback());
    }

    #[test]
    fn what_cannot_run_is_refused_by_name() {
        check(|text| text.into(), &expect!["ok"]);
        check(
            |text| text.replace("running = 512", "running = 0"),
            &expect!["limits.running is 0, but must be at least 1"],
        );
        check(
            |text| text.replace("127.0.0.1:9100\"", "127.0.0.1:9100/v1\""),
            &expect![[
                r#"backend.url is "http://127.0.0.1:9100/v1", but must be http:// or https:// and a host, without /v1"#
            ]],
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = TEMPLATE.replace("[limits]", "[limits]\nruning = 3");
        assert!(Config::parse(&text).unwrap_err().to_string().contains("runing"));
    }
}
