//! What is measured of each box and each link of a pipeline.

use super::Layout;
use crate::stage::mean_ms;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The name of the head among the boxes.
const HEAD: &str = "head";

/// The figures of all boxes.
#[derive(Clone)]
pub(crate) struct Board {
    head: Seat,
    boxes: Arc<[Seat]>,
    /// What a step takes beside computing: its ways, and waiting for boxes that are busy.
    between: Histogram,
    in_flight: IntGauge,
    groups: IntGauge,
    epoch: IntGauge,
    ready: IntGauge,
}

/// The figures of one box, and of the link to it.
#[derive(Clone)]
pub(crate) struct Seat {
    address: Arc<str>,
    step: Histogram,
    first: IntGauge,
    layers: IntGauge,
    pub(crate) round_trip: Gauge,
    /// To the box after and back.
    pub(crate) onward: Gauge,
    pub(crate) sent: IntCounter,
    pub(crate) received: IntCounter,
}

/// The vectors that boxes' figures are taken from.
struct Vectors {
    step: HistogramVec,
    /// First layer, and how many.
    layers: [IntGaugeVec; 2],
    /// Round trips: from the head, and to the box after.
    trips: [GaugeVec; 2],
    /// Bytes sent and received.
    bytes: [IntCounterVec; 2],
}

impl Vectors {
    fn new(registry: &Registry) -> Result<Vectors, prometheus::Error> {
        let options = |name: &str, help: &str| Opts::new(format!("lode_supplier_box_{name}"), help);
        let gauge = |name: &str, help: &str| GaugeVec::new(options(name, help), &["box"]);
        let whole = |name: &str, help: &str| IntGaugeVec::new(options(name, help), &["box"]);
        let counter = |name: &str, help: &str| IntCounterVec::new(options(name, help), &["box"]);
        let help = "Computing of one step, as the box says";
        let seconds = HistogramOpts::new("lode_supplier_box_step_seconds", help);
        let seconds = seconds.buckets(prometheus::exponential_buckets(0.0001, 2.0, 18)?);
        let vectors = Vectors {
            step: HistogramVec::new(seconds, &["box"])?,
            layers: [
                whole("first_layer", "The first of its layers")?,
                whole("layers", "Layers that it runs")?,
            ],
            trips: [
                gauge(
                    "round_trip_seconds",
                    "From the head to the box and back, without computing",
                )?,
                gauge("onward_seconds", "From the box to the one after and back, as the box says")?,
            ],
            bytes: [
                counter("sent_bytes_total", "Bytes that the head sent to the box")?,
                counter("received_bytes_total", "Bytes that the head got from the box")?,
            ],
        };
        registry.register(Box::new(vectors.step.clone()))?;
        for of in &vectors.layers {
            registry.register(Box::new(of.clone()))?;
        }
        for of in &vectors.trips {
            registry.register(Box::new(of.clone()))?;
        }
        for of in &vectors.bytes {
            registry.register(Box::new(of.clone()))?;
        }
        Ok(vectors)
    }

    fn seat(&self, address: &str) -> Seat {
        let label = &[address];
        Seat {
            address: address.into(),
            step: self.step.with_label_values(label),
            first: self.layers[0].with_label_values(label),
            layers: self.layers[1].with_label_values(label),
            round_trip: self.trips[0].with_label_values(label),
            onward: self.trips[1].with_label_values(label),
            sent: self.bytes[0].with_label_values(label),
            received: self.bytes[1].with_label_values(label),
        }
    }
}

impl Board {
    /// A board for boxes at these addresses.
    pub(crate) fn new<'a>(
        registry: &Registry,
        addresses: impl Iterator<Item = &'a str>,
    ) -> Result<Board, prometheus::Error> {
        let vectors = Vectors::new(registry)?;
        let seconds = prometheus::exponential_buckets(0.0001, 2.0, 18)?;
        let help = "What a step takes beside computing: ways, and waiting for boxes";
        let between = HistogramOpts::new("lode_supplier_between_boxes_seconds", help);
        let gauge = |name: &str, help: &str| IntGauge::new(format!("lode_supplier_{name}"), help);
        let board = Board {
            head: vectors.seat(HEAD),
            boxes: addresses.map(|address| vectors.seat(address)).collect(),
            between: Histogram::with_opts(between.buckets(seconds))?,
            in_flight: gauge("steps_in_flight", "Steps that are on their way")?,
            groups: gauge("groups", "Groups into which answers are parted")?,
            epoch: gauge("epoch", "Which set of boxes runs the model")?,
            ready: gauge("boxes_ready", "1 when all layers have their place")?,
        };
        registry.register(Box::new(board.between.clone()))?;
        for of in [&board.in_flight, &board.groups, &board.epoch, &board.ready] {
            registry.register(Box::new(of.clone()))?;
        }
        Ok(board)
    }

    /// The figures of box number `who`.
    pub(crate) fn seat(&self, who: usize) -> Seat {
        self.boxes[who].clone()
    }

    /// Where layers are from now on.
    pub(crate) fn placed(&self, epoch: u64, layout: &Layout) {
        self.epoch.set(epoch as i64);
        self.head.place(0, layout.head);
        self.boxes.iter().for_each(|seat| seat.place(0, 0));
        for (who, layers) in &layout.stages {
            self.boxes[*who].place(layers.start, layers.len());
        }
    }

    /// Whether steps can go, how many are on their way, in how many groups.
    pub(crate) fn now(&self, ready: bool, in_flight: usize, groups: usize) {
        self.ready.set(i64::from(ready));
        self.in_flight.set(in_flight as i64);
        self.groups.set(groups as i64);
    }

    /// A step is back. `spent`: what boxes say that they computed, in microseconds, the head first.
    pub(crate) fn landed(&self, layout: &Layout, spent: &[u32], took: Duration) {
        let seats = layout.stages.iter().map(|(who, _)| &self.boxes[*who]);
        let mut computed = Duration::ZERO;
        for (seat, micros) in std::iter::once(&self.head).chain(seats).zip(spent) {
            let one = Duration::from_micros(u64::from(*micros));
            seat.step.observe(one.as_secs_f64());
            computed += one;
        }
        self.between.observe(took.saturating_sub(computed).as_secs_f64());
    }

    /// All of it, for the owner.
    pub(crate) fn json(&self) -> Value {
        let all = std::iter::once(&self.head).chain(self.boxes.iter());
        json!({
            "epoch": self.epoch.get(),
            "ready": self.ready.get() == 1,
            "steps_in_flight": self.in_flight.get(),
            "groups": self.groups.get(),
            "steps": self.between.get_sample_count(),
            "between_boxes_ms": mean_ms(&self.between),
            "boxes": all.map(Seat::json).collect::<Vec<Value>>(),
        })
    }
}

impl Seat {
    fn place(&self, first: usize, layers: usize) {
        self.first.set(first as i64);
        self.layers.set(layers as i64);
    }

    fn json(&self) -> Value {
        let (first, layers) = (self.first.get(), self.layers.get());
        let mut told = json!({
            "box": &*self.address,
            "layers": if layers == 0 { Value::Null } else { format!("{first}..{}", first + layers).into() },
            "steps": self.step.get_sample_count(),
            "step_ms": mean_ms(&self.step),
        });
        if &*self.address != HEAD {
            told["round_trip_ms"] = (self.round_trip.get() * 1e3).into();
            told["onward_round_trip_ms"] = (self.onward.get() * 1e3).into();
            told["sent_bytes"] = self.sent.get().into();
            told["received_bytes"] = self.received.get().into();
        }
        told
    }
}
