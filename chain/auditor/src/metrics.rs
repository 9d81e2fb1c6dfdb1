//! Figures for Prometheus.

use crate::journal::Entry;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use proto::audit::Identity;

/// What an auditor counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    verdicts: IntCounterVec,
    sent: IntCounterVec,
    refused: IntCounterVec,
    tries: IntCounterVec,
    excess: IntCounter,
    dockets: IntGauge,
    bond: IntGauge,
    height: IntGauge,
}

impl Metrics {
    /// All figures at zero, in a registry of their own.
    pub(crate) fn new() -> Result<Metrics, prometheus::Error> {
        let registry = Registry::new_custom(Some("lode_auditor".into()), None)?;
        let counters = |name: &str, help: &str, label: &str| {
            let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let excess = IntCounter::new("excess_cu_total", "Compute units billed too many")?;
        registry.register(Box::new(excess.clone()))?;
        Ok(Metrics {
            verdicts: counters("verdicts_total", "Verdicts, by which model ran", "identity")?,
            sent: counters("sent_total", "What the chain took, by kind", "kind")?,
            refused: counters("refused_total", "What the chain did not take, by kind", "kind")?,
            tries: counters("asks_total", "Asks of suppliers, by outcome", "outcome")?,
            dockets: gauge("dockets", "Dockets on whose panel the auditor is")?,
            bond: gauge("bond", "What is bonded, in the smallest unit of the stake's coin")?,
            height: gauge("height", "The last known height of the chain")?,
            excess,
            registry,
        })
    }

    /// Where they are gathered.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn found(&self, entry: &Entry) {
        self.verdicts.with_label_values(&[name(entry.verdict.identity)]).inc();
        self.excess.inc_by(entry.excess.0);
    }

    pub(crate) fn sent(&self, kind: &'static str, taken: bool, count: usize) {
        let counters = if taken { &self.sent } else { &self.refused };
        counters.with_label_values(&[kind]).inc_by(count as u64);
    }

    pub(crate) fn asked(&self, shown: bool) {
        self.tries.with_label_values(&[if shown { "shown" } else { "refused" }]).inc();
    }

    pub(crate) fn observe(&self, height: u64, dockets: usize) {
        self.height.set(i64::try_from(height).unwrap_or(i64::MAX));
        self.dockets.set(i64::try_from(dockets).unwrap_or(i64::MAX));
    }

    pub(crate) fn bonded(&self, bond: u128) {
        self.bond.set(i64::try_from(bond).unwrap_or(i64::MAX));
    }
}

/// The word for which model ran.
pub(crate) fn name(identity: Identity) -> &'static str {
    match identity {
        Identity::Same => "same",
        Identity::Unsure => "unsure",
        Identity::Unlike => "unlike",
        Identity::Differs => "differs",
        Identity::Inflated => "inflated",
        Identity::Withheld => "withheld",
    }
}
