//! Figures for `/metrics`.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Seconds to the first byte, from a local cache hit to a long prompt.
const FIRST_BYTE_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What a gateway counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub registry: Registry,
    /// Relays that ended, by status.
    pub relays: IntCounterVec,
    /// Requests that were refused, by code.
    pub refused: IntCounterVec,
    /// Attempts that were made again elsewhere.
    pub retries: IntCounter,
    /// Receipts that were not true, by supplier.
    pub lies: IntCounterVec,
    pub prompt_tokens: IntCounter,
    pub completion_tokens: IntCounter,
    pub cu: IntCounter,
    pub running: IntGauge,
    pub first_byte: Histogram,
    /// What a session's budget still buys, by service.
    pub budget_left: IntGaugeVec,
    pub height: IntGauge,
    /// Acknowledgements that went by themselves.
    pub acks: IntCounter,
}

impl Metrics {
    /// Figures in a registry of their own.
    pub(crate) fn new() -> Result<Metrics, prometheus::Error> {
        let first_byte = HistogramOpts::new(
            "lode_gateway_first_byte_seconds",
            "time from a request to the first byte of its answer",
        );
        let metrics = Metrics {
            registry: Registry::new(),
            relays: by("relays_total", "relays that ended", "status")?,
            refused: by("refused_total", "requests that were refused", "code")?,
            retries: count("retries_total", "attempts that were made again elsewhere")?,
            lies: by("lies_total", "receipts that were not true", "supplier")?,
            prompt_tokens: count("prompt_tokens_total", "billed tokens of prompts")?,
            completion_tokens: count("completion_tokens_total", "billed tokens of answers")?,
            cu: count("cu_total", "billed compute units")?,
            running: IntGauge::new("lode_gateway_running", "requests that run")?,
            first_byte: Histogram::with_opts(first_byte.buckets(FIRST_BYTE_BUCKETS.to_vec()))?,
            budget_left: IntGaugeVec::new(
                Opts::new("lode_gateway_budget_left_cu", "what a session's budget still buys"),
                &["service"],
            )?,
            height: IntGauge::new("lode_gateway_height", "height of the chain")?,
            acks: count("acks_total", "acknowledgements that no request carried")?,
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let registry = &self.registry;
        for counter in [&self.relays, &self.refused, &self.lies] {
            registry.register(Box::new(counter.clone()))?;
        }
        for counter in
            [&self.retries, &self.prompt_tokens, &self.completion_tokens, &self.cu, &self.acks]
        {
            registry.register(Box::new(counter.clone()))?;
        }
        for gauge in [&self.running, &self.height] {
            registry.register(Box::new(gauge.clone()))?;
        }
        registry.register(Box::new(self.budget_left.clone()))?;
        registry.register(Box::new(self.first_byte.clone()))
    }
}

fn count(name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    IntCounter::new(format!("lode_gateway_{name}"), help)
}

fn by(name: &str, help: &str, label: &str) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(format!("lode_gateway_{name}"), help), &[label])
}
