//! A supplier's figures.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};
use std::time::Duration;

/// What is counted.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) requests: IntCounter,
    pub(crate) refused: IntCounter,
    pub(crate) tokens: IntCounter,
    pub(crate) running: IntGauge,
    /// Answers that wait for their turn.
    pub(crate) waiting: IntGauge,
    /// Tokens of prompts that were known already.
    pub(crate) reused: IntCounter,
    /// Tokens that were guessed ahead, and those of them that were then chosen.
    pub(crate) guessed: IntCounter,
    pub(crate) guessed_right: IntCounter,
    /// Pages of the cache that are in use or promised.
    pub(crate) cache_pages: IntGauge,
    /// Sets of boxes that a model ran on and that ended.
    pub(crate) epochs: IntCounter,
    /// Tokens that were read again because boxes were lost.
    pub(crate) reread: IntCounter,
    /// Until all boxes were ready again.
    pub(crate) recovery: Histogram,
    /// Answers whose server told another usage than the text has.
    pub(crate) usage_wrong: IntCounter,
    first_token: Histogram,
    between: Histogram,
    step: Histogram,
    batch: Histogram,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let histogram = |name: &str, help: &str, buckets: Vec<f64>| {
            let options = HistogramOpts::new(format!("lode_supplier_{name}"), help);
            Histogram::with_opts(options.buckets(buckets))
        };
        let seconds = prometheus::exponential_buckets(0.001, 2.0, 16)?;
        let sizes = prometheus::exponential_buckets(1.0, 2.0, 8)?;
        let metrics = Metrics {
            requests: IntCounter::new("lode_supplier_requests_total", "Requests that were taken")?,
            refused: IntCounter::new("lode_supplier_refused_total", "Requests that were refused")?,
            tokens: IntCounter::new("lode_supplier_tokens_total", "Tokens that were generated")?,
            running: IntGauge::new("lode_supplier_running", "Answers that are being made")?,
            waiting: IntGauge::new("lode_supplier_waiting", "Answers that wait for their turn")?,
            reused: IntCounter::new(
                "lode_supplier_prompt_tokens_reused_total",
                "Tokens of prompts that were not read again",
            )?,
            guessed: IntCounter::new(
                "lode_supplier_speculated_tokens_total",
                "Tokens that were guessed ahead",
            )?,
            guessed_right: IntCounter::new(
                "lode_supplier_speculated_tokens_accepted_total",
                "Tokens that were guessed ahead and then chosen",
            )?,
            cache_pages: IntGauge::new(
                "lode_supplier_cache_pages",
                "Pages of the cache that are in use or promised",
            )?,
            epochs: IntCounter::new(
                "lode_supplier_epochs_ended_total",
                "Sets of boxes that a model ran on and that ended",
            )?,
            reread: IntCounter::new(
                "lode_supplier_tokens_reread_total",
                "Tokens that were read again because boxes were lost",
            )?,
            recovery: histogram(
                "recovery_seconds",
                "Until all boxes of a model were ready",
                seconds.clone(),
            )?,
            usage_wrong: IntCounter::new(
                "lode_supplier_usage_wrong_total",
                "Answers whose server told another usage than the text has",
            )?,
            first_token: histogram("first_token_seconds", "Until the first text", seconds.clone())?,
            between: histogram(
                "between_tokens_seconds",
                "Between two texts of an answer",
                seconds.clone(),
            )?,
            step: histogram("step_seconds", "One step of the batch", seconds)?,
            batch: histogram("batch_size", "Sequences in a step", sizes)?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.tokens.clone()))?;
        registry.register(Box::new(metrics.running.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.reused.clone()))?;
        registry.register(Box::new(metrics.guessed.clone()))?;
        registry.register(Box::new(metrics.guessed_right.clone()))?;
        registry.register(Box::new(metrics.cache_pages.clone()))?;
        registry.register(Box::new(metrics.epochs.clone()))?;
        registry.register(Box::new(metrics.reread.clone()))?;
        registry.register(Box::new(metrics.recovery.clone()))?;
        registry.register(Box::new(metrics.usage_wrong.clone()))?;
        registry.register(Box::new(metrics.first_token.clone()))?;
        registry.register(Box::new(metrics.between.clone()))?;
        registry.register(Box::new(metrics.step.clone()))?;
        registry.register(Box::new(metrics.batch.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn step(&self, sequences: usize, took: Duration) {
        self.batch.observe(sequences as f64);
        self.step.observe(took.as_secs_f64());
    }

    pub(crate) fn between(&self, took: Duration) {
        self.between.observe(took.as_secs_f64());
    }

    pub(crate) fn first_token(&self, took: Duration) {
        self.first_token.observe(took.as_secs_f64());
    }
}
