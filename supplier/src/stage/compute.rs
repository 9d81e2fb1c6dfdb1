//! The one thread of a stage that computes.

use super::figures::Figures;
use super::{CREDITS, Parts};
use crate::link::{Frame, HOPS_MAX, Order, Rows, Yield};
use engine::{Device, Model, Part, Residual, Store, last_rows};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// What the thread is told.
enum Work {
    /// Be ready for this order's rows, and send what becomes of them there.
    Load { order: Order, onward: mpsc::Sender<Frame>, told: oneshot::Sender<Result<(), String>> },
    /// Rows, and when they came.
    Rows(Rows, Instant),
}

/// The way to the thread. It ends when nobody can tell it anything any more.
#[derive(Clone)]
pub(super) struct Compute {
    work: Sender<Work>,
    state: Arc<State>,
    figures: Figures,
}

/// What others may know of the thread.
#[derive(Default)]
struct State {
    /// Rows of other epochs are not computed.
    epoch: AtomicU64,
    /// The last step that was passed on.
    done: AtomicU64,
    queued: AtomicUsize,
}

impl Compute {
    /// Starts the thread; with fixed layers they are loaded at once.
    pub(super) fn start(parts: &Parts, figures: Figures) -> std::io::Result<Compute> {
        let (work, received) = channel();
        let state = Arc::new(State::default());
        let mut thread = Thread {
            model: parts.model.clone(),
            device: parts.device,
            cache_bytes: parts.cache_bytes,
            state: state.clone(),
            figures: figures.clone(),
            loaded: None,
            running: None,
        };
        let fixed = parts.fixed.clone();
        std::thread::Builder::new().name("compute".to_owned()).spawn(move || {
            if let Some(layers) = fixed
                && let Err(error) = thread.load(layers, Residual::F32)
            {
                tracing::error!(%error, "the layers were not loaded");
            }
            thread.run(&received);
        })?;
        Ok(Compute { work, state, figures })
    }

    /// Ends all work for earlier epochs.
    pub(super) fn begin(&self, epoch: u64) {
        self.state.epoch.store(epoch, Ordering::Relaxed);
        self.state.done.store(0, Ordering::Relaxed);
        self.figures.epoch(epoch);
    }

    /// Loads what an order names; ends when it is there.
    pub(super) async fn load(
        &self,
        order: Order,
        onward: mpsc::Sender<Frame>,
    ) -> Result<(), String> {
        let (told, outcome) = oneshot::channel();
        let gone = || "the computing thread has ended".to_owned();
        self.work.send(Work::Load { order, onward, told }).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// Queues rows, unless more wait than a head may have sent.
    pub(super) fn take(&self, rows: Rows) -> Result<(), String> {
        if self.state.queued.fetch_add(1, Ordering::Relaxed) >= CREDITS {
            self.state.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(format!("more than {CREDITS} steps were sent ahead"));
        }
        self.figures.queued(self.state.queued.load(Ordering::Relaxed));
        let work = Work::Rows(rows, Instant::now());
        self.work.send(work).map_err(|_| "the computing thread has ended".to_owned())
    }

    /// The running epoch, and its last step that was passed on.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.state.epoch.load(Ordering::Relaxed), self.state.done.load(Ordering::Relaxed))
    }
}

/// What the thread has.
struct Thread {
    model: PathBuf,
    device: Device,
    cache_bytes: u64,
    state: Arc<State>,
    figures: Figures,
    loaded: Option<Model>,
    running: Option<Running>,
}

/// An order that is carried out.
struct Running {
    order: Order,
    store: Store,
    onward: mpsc::Sender<Frame>,
}

impl Thread {
    fn run(&mut self, work: &Receiver<Work>) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Load { order, onward, told } => {
                    // Whoever asked may have gone.
                    let _gone = told.send(self.obey(order, onward));
                }
                Work::Rows(rows, came) => {
                    let queued = self.state.queued.fetch_sub(1, Ordering::Relaxed) - 1;
                    self.figures.queued(queued);
                    self.compute(rows, came);
                }
            }
        }
    }

    fn obey(&mut self, order: Order, onward: mpsc::Sender<Frame>) -> Result<(), String> {
        self.running = None;
        let budget = self.cache_bytes;
        let layers = order.layers.start as usize..order.layers.end as usize;
        let model = self.load(layers, order.residual)?;
        let needed = model.page_bytes() as u64 * u64::from(order.pages);
        if needed > budget {
            return Err(format!(
                "{} pages of keys and values take {needed} bytes, but {} may be used",
                order.pages, budget
            ));
        }
        let mut store = model.store(order.pages as usize);
        model.reserve_store(&mut store).map_err(|error| error.to_string())?;
        self.running = Some(Running { order, store, onward });
        Ok(())
    }

    fn load(&mut self, layers: Range<usize>, residual: Residual) -> Result<&Model, String> {
        let part = Part::layers(layers, residual);
        if self.loaded.as_ref().is_none_or(|loaded| *loaded.part() != part) {
            // Two parts side by side might not fit.
            self.loaded = None;
            self.figures.layers(0);
            let model = Model::load_on(&self.model, &part, self.device);
            let model = model.map_err(|error| error.to_string())?;
            let (layers, bytes) = (&part.layers, model.report().bytes());
            tracing::info!(?layers, bytes, took = ?model.report().took, "layers are loaded");
            self.figures.layers(layers.len());
            self.loaded = Some(model);
        }
        self.loaded.as_ref().ok_or_else(|| "no layers are loaded".to_owned())
    }

    /// Runs rows through the layers and passes them on; says what is wrong with them otherwise.
    fn compute(&mut self, mut rows: Rows, came: Instant) {
        let (Some(running), Some(model)) = (&mut self.running, &self.loaded) else { return };
        let epoch = running.order.epoch;
        if rows.epoch != epoch || self.state.epoch.load(Ordering::Relaxed) != epoch {
            return;
        }
        let (began, waited) = (Instant::now(), came.elapsed());
        let (step, count) = (rows.step, rows.x.len() / model.hidden().max(1));
        let passed = match rows.residual == running.order.residual && rows.spent.len() < HOPS_MAX {
            true => {
                model.pass(&mut running.store, &rows.spans, &mut rows.x).map_err(|e| e.to_string())
            }
            false => Err("rows came in another form than was ordered".to_owned()),
        };
        let took = began.elapsed();
        self.figures.step(count, waited, took);
        rows.spent.push(took.as_micros().min(u128::from(u32::MAX)) as u32);
        let frame = match passed {
            Ok(()) if running.order.after.is_some() => Frame::Rows(rows),
            Ok(()) => {
                let x = last_rows(&rows.spans, model.hidden(), &rows.x);
                let Rows { epoch, step, spent, residual, .. } = rows;
                Frame::Yield(Yield { epoch, step, spent, residual, x })
            }
            Err(reason) => Frame::Broken { epoch, reason },
        };
        // A full way onward holds this thread, and so the boxes before. Its other end goes when the
        // connection is stuck or a new order comes.
        if running.onward.blocking_send(frame).is_ok() {
            self.state.done.store(step, Ordering::Relaxed);
        }
    }
}
