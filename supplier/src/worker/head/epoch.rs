//! From one set of boxes to the next.

use super::{Head, Rider, State};
use crate::crew::{Candidate, Layout, Own, layout};
use crate::link::{Frame, Order};
use crate::pipeline::cost;
use crate::queue::Queue;
use crate::worker::Piece;
use crate::worker::groups::Station;
use engine::{Model, PAGE, Part, Residual, Room};
use std::time::{Duration, Instant};

/// Rows for which boxes are compared.
const USUAL: f64 = 8.0;

/// After an attempt that failed comes the next, after this and then after twice as long each time.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_MAX: Duration = Duration::from_secs(2);

impl Head {
    /// Looks at what is due.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        match &self.state {
            State::Waiting { again } if now >= *again => self.attempt(),
            State::Loading { until, missing } if now >= *until => {
                for who in missing.clone() {
                    self.give_up(who, "it did not load its layers in time".to_owned());
                }
            }
            State::Running => self.find_late(now),
            State::Waiting { .. } | State::Loading { .. } => {}
        }
    }

    /// Gives up the box that holds a step which should be back.
    fn find_late(&mut self, now: Instant) {
        let limit = Duration::from_millis(self.pipeline.settings.step_ms);
        let done = |(who, _): &(usize, _)| self.boxes[*who].member.pulse.done(self.epoch);
        let passed_on = self.layout.stages.iter().map(done).sum();
        if passed_on != self.moved.0 {
            self.moved = (passed_on, now);
        }
        let Some(flight) = self.flights.front() else { return };
        if now < flight.sent.max(self.moved.1) + limit {
            return;
        }
        let step = flight.step;
        let passed = |who: usize| self.boxes[who].member.pulse.done(self.epoch) >= step;
        let holder = self.layout.stages.iter().map(|(who, _)| *who).find(|who| !passed(*who));
        // When all say that they passed it on, it was lost behind the last.
        let holder = holder.or(self.layout.stages.last().map(|(who, _)| *who));
        match holder {
            Some(who) => self.give_up(who, format!("step {step} got no further for {limit:?}")),
            None => self.end_epoch("a step is late"),
        }
    }

    /// The epoch ends: what boxes know of answers is to be made again.
    pub(super) fn end_epoch(&mut self, reason: &str) {
        let read: usize = self.riders.iter().filter(|r| r.seated).map(|r| r.log().len()).sum();
        tracing::warn!(
            reason,
            epoch = self.epoch,
            answers = self.riders.len(),
            tokens = read,
            "an epoch ends"
        );
        self.shop.metrics.epochs.inc();
        self.shop.metrics.reread.inc_by(read as u64);
        self.flights.clear();
        for rider in &mut self.riders {
            rider.rewind();
        }
        if matches!(self.state, State::Running) {
            (self.well, self.attempts) = (Instant::now(), 0);
        }
        self.wait();
    }

    fn wait(&mut self) {
        let pause = match self.attempts {
            0 => Duration::ZERO,
            n => (AGAIN * 2u32.saturating_pow(n - 1).min(1_000)).min(AGAIN_MAX),
        };
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Waiting { again: Instant::now() + pause };
    }

    /// The layout for the boxes that are there now.
    fn layout_now(&self) -> Option<Layout> {
        let outline = &self.pipeline.outline;
        let candidate = |(who, box_): (usize, &super::Box_)| {
            let about = box_.about.as_ref()?;
            let only = about.fixed.as_ref().map(|f| f.start as usize..f.end as usize);
            Some(Candidate {
                who,
                only: only.is_some(),
                wish: only.or(box_.wish.clone()),
                most: (about.weights_bytes as usize) / outline.layer_bytes.max(1),
                cost: cost(&about.curve, USUAL),
            })
        };
        let there: Vec<Candidate> = self.boxes.iter().enumerate().filter_map(candidate).collect();
        let own = Own {
            layers: self.pipeline.settings.layers,
            most: self.pipeline.most,
            cost: cost(&self.pipeline.curve, USUAL),
            alone: self.pipeline.settings.alone,
        };
        layout(outline.layers, own, &there)
    }

    /// Whether boxes that are not there yet should be waited for.
    fn gathers(&self) -> bool {
        let gather = Duration::from_millis(self.pipeline.settings.gather_ms);
        let begins = self.epoch == 0 || self.layout.stages.is_empty();
        begins && self.well.elapsed() < gather && self.boxes.iter().any(|b| b.about.is_none())
    }

    fn attempt(&mut self) {
        let layout = if self.gathers() { None } else { self.layout_now() };
        let Some(layout) = layout else {
            self.state = State::Waiting { again: Instant::now() + AGAIN };
            return;
        };
        self.epoch += 1;
        let residual: Residual = self.pipeline.settings.residual.into();
        let part = Part::head(layout.head, residual);
        if *self.shop.model.part() != part {
            match Model::load_part(&self.pipeline.folder, &part) {
                Ok(model) => self.shop.model = model,
                Err(error) => {
                    tracing::error!(%error, "the head's own layers were not loaded");
                    return self.wait();
                }
            }
        }
        self.layout = layout;
        self.board.placed(self.epoch, &self.layout);
        self.room = Room { sequences: self.shop.room.sequences, pages: self.pages() };
        self.cache = self.shop.model.cache_of(self.room);
        self.stations = self.stations();
        let until = Instant::now() + Duration::from_secs(self.pipeline.settings.load_s);
        let missing = self.layout.stages.iter().map(|(who, _)| *who).collect();
        self.state = State::Loading { until, missing };
        tracing::info!(epoch = self.epoch, layout = %self.told(), pages = self.room.pages, "layers find their places");
        self.order(residual);
        self.begin_when_ready();
    }

    /// Pages that the memory of every box holds.
    fn pages(&self) -> usize {
        let page = |layers: usize| (layers * PAGE * self.pipeline.outline.kv_bytes).max(1);
        let context = self.pipeline.outline.context.div_ceil(PAGE);
        let most = self.shop.room.sequences.saturating_mul(context);
        let own = (self.shop.cache_mib << 20) / page(self.layout.head);
        let of = |(who, layers): &(usize, std::ops::Range<usize>)| {
            let about = self.boxes[*who].about.as_ref();
            about.map_or(0, |about| about.cache_bytes as usize / page(layers.len()))
        };
        self.layout.stages.iter().map(of).fold(own.min(most), usize::min)
    }

    fn stations(&self) -> Vec<Station> {
        let (curve, ends) = (self.pipeline.curve.clone(), self.pipeline.ends.clone());
        let head = Station { curve, layers: self.layout.head, ends };
        let of = |(who, layers): &(usize, std::ops::Range<usize>)| Station {
            curve: self.boxes[*who].about.iter().flat_map(|about| about.curve.clone()).collect(),
            layers: layers.len(),
            ends: Vec::new(),
        };
        std::iter::once(head).chain(self.layout.stages.iter().map(of)).collect()
    }

    /// Tells every box its layers and its neighbours.
    fn order(&mut self, residual: Residual) {
        let stages = self.layout.stages.clone();
        for (i, (who, layers)) in stages.iter().enumerate() {
            let member = |i: usize| &self.boxes[stages[i].0].member;
            let order = Order {
                epoch: self.epoch,
                fingerprint: self.pipeline.outline.fingerprint,
                layers: layers.start as u32..layers.end as u32,
                residual,
                pages: self.room.pages as u32,
                before: i.checked_sub(1).map(|i| member(i).key),
                after: (i + 1 < stages.len())
                    .then(|| (member(i + 1).key, member(i + 1).address.clone())),
            };
            let box_ = &self.boxes[*who];
            if !box_.member.say(box_.turn, Frame::Order(order)) {
                return self.give_up(*who, "it takes no orders".to_owned());
            }
        }
    }

    /// A box has loaded its layers and reaches the one after it.
    pub(super) fn ready(&mut self, who: usize) {
        if let State::Loading { missing, .. } = &mut self.state {
            missing.remove(&who);
        }
        self.begin_when_ready();
    }

    fn begin_when_ready(&mut self) {
        if matches!(&self.state, State::Loading { missing, .. } if missing.is_empty()) {
            self.state = State::Running;
            let after = self.well.elapsed();
            self.shop.metrics.recovery.observe(after.as_secs_f64());
            tracing::info!(epoch = self.epoch, ?after, "all boxes are ready");
        }
    }

    /// With nothing to do, boxes that came meanwhile get their share.
    pub(super) fn replan_when_idle(&mut self, queue: &Queue) {
        let idle = self.riders.is_empty() && queue.is_empty() && self.flights.is_empty();
        let better = |layout: &Layout| {
            *layout != self.layout && layout.stages.len() > self.layout.stages.len()
        };
        if idle && self.layout_now().is_some_and(|layout| better(&layout)) {
            tracing::info!("a stage came back");
            (self.well, self.attempts) = (Instant::now(), 0);
            self.wait();
        }
    }

    /// Fails what waits when there has been no place for the layers for too long.
    pub(super) fn fail_hopeless(&mut self, queue: &mut Queue) {
        let limit = Duration::from_secs(self.pipeline.settings.recover_s);
        if !matches!(self.state, State::Waiting { .. }) || self.well.elapsed() < limit {
            return;
        }
        let there = self.boxes.iter().filter(|box_| box_.about.is_some()).count();
        let reason = format!(
            "the model's {} layers have no place: {there} of {} stages are there; start the others again",
            self.pipeline.outline.layers,
            self.boxes.len()
        );
        for rider in self.riders.drain(..) {
            rider.sequence.tell(Piece::Failed(reason.clone()));
        }
        queue.fail_all(&reason);
    }

    /// The layout, as people read it.
    fn told(&self) -> String {
        let stage = |(who, layers): &(usize, std::ops::Range<usize>)| {
            format!(", {}..{} at {}", layers.start, layers.end, self.boxes[*who].member.address)
        };
        let stages: String = self.layout.stages.iter().map(stage).collect();
        format!("0..{} here{stages}", self.layout.head)
    }
}

impl Rider {
    /// All tokens that the model has read or is to read.
    pub(super) fn log(&self) -> Vec<u32> {
        let Rider { sequence, .. } = self;
        sequence.author.tokens()
    }

    /// What was read is forgotten, and is to be read again.
    fn rewind(&mut self) {
        let ended = self.sequence.unread.is_empty() && !self.asked;
        if !ended {
            self.sequence.unread = self.log();
        }
        (self.seated, self.asked) = (false, false);
    }
}
