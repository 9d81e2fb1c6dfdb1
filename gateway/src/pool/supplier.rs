//! A supplier as this gateway knows it, over sessions.

use crate::breaker::{Breaker, Event};
use crate::choose::{Candidate, Standing};
use proto::Address;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much the last request counts in what is smoothed.
const LAST_COUNTS: f64 = 0.2;

/// A supplier's health.
#[derive(Debug)]
pub struct Supplier {
    pub operator: Address,
    running: AtomicU32,
    health: Mutex<Health>,
}

#[derive(Clone, Copy, Debug)]
struct Health {
    latency: Option<f64>,
    success: f64,
    breaker: Breaker,
}

/// A request that runs at a supplier, until it is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Supplier>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Supplier {
    /// A supplier of which nothing is known.
    pub fn new(operator: Address) -> Supplier {
        let health = Health { latency: None, success: 1.0, breaker: Breaker::default() };
        Supplier { operator, running: AtomicU32::new(0), health: Mutex::new(health) }
    }

    /// What counts for choosing it.
    pub fn candidate(&self, standing: Standing, now: Instant) -> Candidate {
        let health = *self.lock();
        let rests = standing == Standing::Ready && !health.breaker.allows(now);
        Candidate {
            latency: health.latency,
            success: health.success,
            running: self.running.load(Ordering::Acquire),
            standing: if rests { Standing::Resting } else { standing },
        }
    }

    /// A request goes there.
    pub fn ask(self: &Arc<Self>, now: Instant) -> Busy {
        self.running.fetch_add(1, Ordering::AcqRel);
        self.learn(Event::Asked, now);
        Busy(self.clone())
    }

    /// An answer began after `latency`.
    pub fn answered(&self, latency: Duration, now: Instant) {
        let millis = latency.as_secs_f64() * 1_000.0;
        let mut health = self.lock();
        let before = health.latency.unwrap_or(millis);
        health.latency = Some(before + LAST_COUNTS * (millis - before));
        health.success += LAST_COUNTS * (1.0 - health.success);
        health.breaker = health.breaker.after(Event::Succeeded, now);
    }

    /// It failed, or lied.
    pub fn failed(&self, now: Instant) {
        let mut health = self.lock();
        health.success -= LAST_COUNTS * health.success;
        health.breaker = health.breaker.after(Event::Failed, now);
    }

    /// Whether requests may be sent there.
    pub fn is_reachable(&self, now: Instant) -> bool {
        self.lock().breaker.allows(now)
    }

    fn learn(&self, event: Event, now: Instant) {
        let mut health = self.lock();
        health.breaker = health.breaker.after(event, now);
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
