//! What an auditor is told.

use chain_client::Endpoints;
use proto::Coin;
use proto::service::ServiceId;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A commented configuration with all defaults, for `lode init auditor`.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The configuration of an auditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where health, figures and `/status` are told.
    pub listen: SocketAddr,
    /// The folder of the journal and of exhibits.
    pub home: PathBuf,
    /// The home of the validator beside which this runs, of either engine: its beacon key is read.
    pub validator: PathBuf,
    /// Bond so much, or add to the bond up to it, at the start. Without it nothing is bonded.
    #[serde(default)]
    pub bond: Option<Coin>,
    pub keys: Keys,
    pub chain: Endpoints,
    /// The listed models that this auditor has. Without a service's the identity stays unsure.
    #[serde(default)]
    pub models: Vec<Listed>,
    #[serde(default)]
    pub quality: Quality,
    #[serde(default)]
    pub limits: Limits,
}

/// Where keys are. Nothing secret stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The folder of `lode keys`.
    pub folder: PathBuf,
    /// The name of the validator's account, which bonds, commits and reveals.
    pub account: String,
    /// A file that holds its password; without it it must not be sealed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// A listed model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub service: ServiceId,
    pub folder: PathBuf,
}

/// With what the quality of answers is measured; with neither there is none in a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// The folder of a cross-encoder.
    pub cross_encoder: Option<PathBuf>,
    pub judge: Option<JudgeAt>,
    /// Whether another judge is shown what the listed model itself says.
    pub reference: bool,
    /// How much the judge's mark counts where there are both, per mille.
    pub lambda: u16,
    /// How many audits per mille are judged that the cross-encoder does not doubt.
    pub judged: u16,
}

impl Default for Quality {
    fn default() -> Quality {
        Quality { cross_encoder: None, judge: None, reference: true, lambda: 500, judged: 1_000 }
    }
}

impl Quality {
    /// Whether the listed models read: as judges, or for another judge to compare with.
    pub fn reads(&self) -> bool {
        match self.judge {
            None => false,
            Some(JudgeAt::Listed) => true,
            Some(JudgeAt::Folder(_) | JudgeAt::Server { .. }) => self.reference,
        }
    }
}

/// Who the judge is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum JudgeAt {
    /// The listed model itself, which reads answers that it should have given.
    Listed,
    /// A folder with a model for the built-in engine.
    Folder(PathBuf),
    /// An OpenAI-compatible server.
    Server { url: String, model: String },
}

/// Bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Audits that are fetched and judged at once.
    pub running: usize,
    /// Cores that compute; 0: all but one.
    pub threads: usize,
    /// Milliseconds that a supplier may take for one exhibit.
    pub fetch_ms: u64,
    /// Blocks for which exhibits and verdicts are kept.
    pub keep: u64,
    /// What exhibits may take on the disk, in MiB; the oldest go first.
    pub exhibits_mib: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { running: 2, threads: 0, fetch_ms: 20_000, keep: 10_000, exhibits_mib: 1_024 }
    }
}

/// Why a configuration is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRefused {
    #[error("{name} is 0, but must be at least 1")]
    Zero { name: &'static str },
    #[error("chain.rpc names no node")]
    NoNode,
    #[error("quality.{name} is {value}, but is per mille: at most 1000")]
    PerMille { name: &'static str, value: u16 },
    #[error("bond is {0}, but only the stake's coin is bonded")]
    Bond(Coin),
    #[error("models names {0} twice: a service has one listed model")]
    Twice(ServiceId),
}

impl Config {
    /// Whether an auditor can run on it.
    pub fn check(&self) -> Result<(), ConfigRefused> {
        let Limits { running, fetch_ms, keep, exhibits_mib, threads: _ } = self.limits;
        let positive = [
            ("limits.running", running as u64),
            ("limits.fetch_ms", fetch_ms),
            ("limits.keep", keep),
            ("limits.exhibits_mib", exhibits_mib),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigRefused::Zero { name });
        }
        if self.chain.rpc.is_empty() {
            return Err(ConfigRefused::NoNode);
        }
        let Quality { lambda, judged, .. } = self.quality;
        for (name, value) in [("lambda", lambda), ("judged", judged)] {
            if value > 1_000 {
                return Err(ConfigRefused::PerMille { name, value });
            }
        }
        if let Some(bond) = self.bond.as_ref().filter(|bond| **bond != Coin::stake(bond.amount)) {
            return Err(ConfigRefused::Bond(bond.clone()));
        }
        let mut seen = std::collections::BTreeSet::new();
        match self.models.iter().find(|model| !seen.insert(&model.service)) {
            Some(twice) => Err(ConfigRefused::Twice(twice.service.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        daemon::config::parse(text).unwrap()
    }

    #[test]
    fn the_template_is_a_configuration_and_says_the_defaults() {
        let config = read(TEMPLATE);
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.quality, Quality::default());
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn listed_models_read_where_they_judge_or_are_compared_with() {
        let reads =
            |judge: &str| read(&TEMPLATE.replace("# judge = \"listed\"", judge)).quality.reads();
        let cases = ["", "judge = \"listed\"", "judge = { folder = \"j\" }"];
        assert_eq!(cases.map(reads), [false, true, true]);
        let alone = "judge = { folder = \"j\" }\nreference = false";
        let text = TEMPLATE.replace("reference = true\n", "");
        assert!(!read(&text.replace("# judge = \"listed\"", alone)).quality.reads());
    }

    #[test]
    fn what_cannot_run_is_refused_by_name() {
        let refused = |from: &str, to: &str| {
            let changed = TEMPLATE.replace(from, to);
            assert_ne!(changed, TEMPLATE, "{from}");
            read(&changed).check().unwrap_err().to_string()
        };
        assert!(refused("running = 2", "running = 0").starts_with("limits.running"));
        assert!(refused("lambda = 500", "lambda = 1001").contains("per mille"));
        assert!(refused("judged = 1000", "judged = 1001").starts_with("quality.judged"));
        let twice = "[[models]]\nservice = \"demo\"\nfolder = \"a\"\n\n[[models]]";
        assert!(refused("[[models]]", twice).contains("demo twice"));
    }
}
