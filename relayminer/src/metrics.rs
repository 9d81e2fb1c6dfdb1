//! Figures for Prometheus.

use crate::admit::Refused;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use proto::relay::{Receipt, Status};

/// What a relay miner counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    relays: IntCounterVec,
    refused: IntCounterVec,
    cu: IntCounter,
    tokens: IntCounterVec,
    seconds: Histogram,
    running: IntGauge,
    sessions: IntGauge,
    height: IntGauge,
    evidence: IntGauge,
    asks: IntCounterVec,
    sent: IntCounterVec,
}

impl Metrics {
    /// All figures at zero, in a registry of their own.
    pub(crate) fn new() -> Result<Metrics, prometheus::Error> {
        let registry = Registry::new_custom(Some("lode_miner".into()), None)?;
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
        let cu = IntCounter::new("cu_total", "Compute units of signed receipts")?;
        registry.register(Box::new(cu.clone()))?;
        let buckets = vec![0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];
        let seconds = HistogramOpts::new("relay_seconds", "How long relays took").buckets(buckets);
        let seconds = Histogram::with_opts(seconds)?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Metrics {
            relays: counters("relays_total", "Relays that ended, by status", "status")?,
            refused: counters("refused_total", "Relays that were not let in, by code", "code")?,
            tokens: counters("tokens_total", "Tokens of signed receipts, by kind", "kind")?,
            sent: counters("sent_total", "Messages to the chain, by kind and outcome", "kind")?,
            asks: counters("asks_total", "What auditors asked for, by outcome", "outcome")?,
            running: gauge("relays_running", "Relays that run")?,
            sessions: gauge("sessions", "Sessions that are known")?,
            evidence: gauge("evidence_bytes", "Bytes that are kept for auditors")?,
            height: gauge("height", "The last known height of the chain")?,
            cu,
            seconds,
            registry,
        })
    }

    /// Where they are gathered.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn ended(&self, receipt: &Receipt) {
        let status = match receipt.status {
            Status::Completed => "completed",
            Status::Cut => "cut",
            Status::Failed => "failed",
        };
        self.relays.with_label_values(&[status]).inc();
        self.cu.inc_by(receipt.cu.0);
        self.tokens.with_label_values(&["in"]).inc_by(receipt.usage.fresh_in);
        self.tokens.with_label_values(&["out"]).inc_by(receipt.usage.out);
        let took = receipt.finished_at.0.saturating_sub(receipt.started_at.0);
        self.seconds.observe(took as f64 / 1000.0);
    }

    pub(crate) fn refused(&self, refused: &Refused) {
        self.refused.with_label_values(&[refused.code().1]).inc();
    }

    pub(crate) fn asked(&self, outcome: &'static str) {
        self.asks.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn sent(&self, kind: &'static str, count: usize) {
        self.sent.with_label_values(&[kind]).inc_by(count as u64);
    }

    pub(crate) fn keeps(&self, bytes: u64) {
        self.evidence.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(crate) fn observe(&self, height: u64, sessions: usize, running: usize) {
        self.height.set(i64::try_from(height).unwrap_or(i64::MAX));
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        self.running.set(i64::try_from(running).unwrap_or(i64::MAX));
    }
}
