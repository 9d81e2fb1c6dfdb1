//! What a stage measures: how long its steps take and wait, and what goes over its links.

use axum::routing::get;
use axum::{Json, Router};
use daemon::health::Health;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge};
use prometheus::{Opts, Registry};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The figures of a stage.
#[derive(Clone)]
pub(super) struct Figures {
    registry: Registry,
    step: Histogram,
    wait: Histogram,
    rows: IntCounter,
    queued: IntGauge,
    epoch: IntGauge,
    layers: IntGauge,
    sent: IntCounterVec,
    received: IntCounterVec,
    onward: Gauge,
    onward_micros: Arc<AtomicU64>,
}

/// Whom a link goes to, as figures name it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Head,
    Before,
    After,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Head => "head",
            Side::Before => "before",
            Side::After => "after",
        }
    }
}

impl Figures {
    pub(super) fn new() -> Result<Figures, prometheus::Error> {
        let seconds = prometheus::exponential_buckets(0.0001, 2.0, 18)?;
        let histogram = |name: &str, help: &str| {
            let options = HistogramOpts::new(format!("lode_stage_{name}"), help);
            Histogram::with_opts(options.buckets(seconds.clone()))
        };
        let bytes = |name: &str, help: &str| {
            IntCounterVec::new(Opts::new(format!("lode_stage_{name}_bytes_total"), help), &["link"])
        };
        let figures = Figures {
            registry: Registry::new(),
            step: histogram("step_seconds", "Computing of one step")?,
            wait: histogram("wait_seconds", "How long rows waited for their turn")?,
            rows: IntCounter::new("lode_stage_rows_total", "Rows that were computed")?,
            queued: IntGauge::new("lode_stage_queued", "Steps that wait for their turn")?,
            epoch: IntGauge::new("lode_stage_epoch", "The epoch of the order that counts")?,
            layers: IntGauge::new("lode_stage_layers", "Layers that are loaded")?,
            sent: bytes("sent", "Bytes of frames that were sent")?,
            received: bytes("received", "Bytes of frames that came")?,
            onward: Gauge::new("lode_stage_onward_seconds", "To the box after and back")?,
            onward_micros: Arc::default(),
        };
        figures.register()?;
        Ok(figures)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(self.step.clone()))?;
        self.registry.register(Box::new(self.wait.clone()))?;
        self.registry.register(Box::new(self.rows.clone()))?;
        self.registry.register(Box::new(self.queued.clone()))?;
        self.registry.register(Box::new(self.epoch.clone()))?;
        self.registry.register(Box::new(self.layers.clone()))?;
        self.registry.register(Box::new(self.sent.clone()))?;
        self.registry.register(Box::new(self.received.clone()))?;
        self.registry.register(Box::new(self.onward.clone()))
    }

    /// `/metrics`, `/healthz`, `/readyz` and `/status`.
    pub(super) fn router(&self) -> Router {
        let figures = self.clone();
        let status = async move || Json(figures.json());
        Health::new(self.registry.clone(), || Ok(())).router().route("/status", get(status))
    }

    fn json(&self) -> Value {
        let bytes = |of: &IntCounterVec, side: Side| of.with_label_values(&[side.name()]).get();
        let link = |side| json!({ "sent_bytes": bytes(&self.sent, side), "received_bytes": bytes(&self.received, side) });
        let after = match self.onward_micros.load(Ordering::Relaxed) {
            0 => Value::Null,
            micros => (micros as f64 / 1e3).into(),
        };
        json!({
            "epoch": self.epoch.get(),
            "layers": self.layers.get(),
            "queued": self.queued.get(),
            "rows": self.rows.get(),
            "steps": self.step.get_sample_count(),
            "step_ms": mean_ms(&self.step),
            "wait_ms": mean_ms(&self.wait),
            "round_trip_after_ms": after,
            "links": { "head": link(Side::Head), "before": link(Side::Before), "after": link(Side::After) },
        })
    }

    pub(super) fn step(&self, rows: usize, waited: Duration, took: Duration) {
        self.rows.inc_by(rows as u64);
        self.wait.observe(waited.as_secs_f64());
        self.step.observe(took.as_secs_f64());
    }

    pub(super) fn queued(&self, steps: usize) {
        self.queued.set(steps as i64);
    }

    pub(super) fn epoch(&self, epoch: u64) {
        self.epoch.set(epoch as i64);
        self.after(Duration::ZERO);
    }

    pub(super) fn layers(&self, layers: usize) {
        self.layers.set(layers as i64);
    }

    pub(super) fn sent(&self, to: Side, bytes: u64) {
        self.sent.with_label_values(&[to.name()]).inc_by(bytes);
    }

    pub(super) fn received(&self, from: Side, bytes: u64) {
        self.received.with_label_values(&[from.name()]).inc_by(bytes);
    }

    /// So far it is to the box after and back; zero: not known.
    pub(super) fn after(&self, round_trip: Duration) {
        self.onward.set(round_trip.as_secs_f64());
        self.onward_micros.store(round_trip.as_micros() as u64, Ordering::Relaxed);
    }

    /// Microseconds to the box after and back; 0: not known.
    pub(super) fn onward_micros(&self) -> u64 {
        self.onward_micros.load(Ordering::Relaxed)
    }
}

/// The mean of what was observed, in milliseconds.
pub(crate) fn mean_ms(of: &Histogram) -> f64 {
    of.get_sample_sum() * 1e3 / of.get_sample_count().max(1) as f64
}
