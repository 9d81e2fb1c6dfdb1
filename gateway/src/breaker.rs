//! Keeps requests away from a supplier that fails: one match, no clock of its own.
//!
//! ```text
//!  closed --failures--> open --time--> half open --success--> closed
//!                         ^------------- failure ------------'
//! ```

use std::time::{Duration, Instant};

/// Failures in a row after which a supplier is left alone.
pub const FAILURES_MAX: u32 = 3;

/// How long a supplier is left alone the first time.
pub const REST_FIRST: Duration = Duration::from_secs(1);

/// How long it is left alone at most, after many such times: a session lasts minutes, so longer
/// would be for good.
pub const REST_MAX: Duration = Duration::from_secs(30);

/// Whether a supplier is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// It is, after `failures` in a row.
    Closed { failures: u32 },
    /// It is not before `until`; next time it rests for `rest`.
    Open { until: Instant, rest: Duration },
    /// One request tries it. A probe that was never heard of again counts as failed at `until`.
    HalfOpen { until: Instant, rest: Duration },
}

/// What was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was sent.
    Asked,
    Succeeded,
    Failed,
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a request may be sent.
    pub fn allows(&self, now: Instant) -> bool {
        match self {
            Breaker::Closed { .. } => true,
            Breaker::Open { until, .. } | Breaker::HalfOpen { until, .. } => now >= *until,
        }
    }

    /// What follows from `event`.
    #[must_use]
    pub fn after(self, event: Event, now: Instant) -> Breaker {
        match (self, event) {
            (Breaker::Closed { .. }, Event::Asked) => self,
            (Breaker::Closed { failures }, Event::Failed) if failures + 1 >= FAILURES_MAX => {
                Breaker::Open { until: now + REST_FIRST, rest: REST_FIRST }
            }
            (Breaker::Closed { failures }, Event::Failed) => {
                Breaker::Closed { failures: failures + 1 }
            }
            (Breaker::Open { rest, .. } | Breaker::HalfOpen { rest, .. }, Event::Asked) => {
                Breaker::HalfOpen { until: now + REST_MAX, rest }
            }
            // A request from before the rest says nothing about how it is after it.
            (Breaker::Open { .. }, Event::Failed) => self,
            (Breaker::HalfOpen { rest, .. }, Event::Failed) => {
                let rest = (rest * 2).min(REST_MAX);
                Breaker::Open { until: now + rest, rest }
            }
            (_, Event::Succeeded) => Breaker::Closed { failures: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: &[Event], now: Instant) -> Breaker {
        events.iter().fold(Breaker::default(), |breaker, event| breaker.after(*event, now))
    }

    #[test]
    fn a_supplier_that_fails_again_and_again_is_left_alone_for_longer() {
        let now = Instant::now();
        let open = run(&[Event::Failed; FAILURES_MAX as usize], now);
        assert!(!open.allows(now) && open.allows(now + REST_FIRST));
        let later = now + REST_FIRST;
        let probing = open.after(Event::Asked, later);
        assert!(!probing.allows(later), "one probe at a time");
        let open = probing.after(Event::Failed, later);
        assert!(!open.allows(later + REST_FIRST) && open.allows(later + REST_FIRST * 2));
    }

    #[test]
    fn the_rest_has_a_bound() {
        let mut now = Instant::now();
        let mut breaker = run(&[Event::Failed; FAILURES_MAX as usize], now);
        for _ in 0..20 {
            now += REST_MAX;
            assert!(breaker.allows(now));
            breaker = breaker.after(Event::Asked, now).after(Event::Failed, now);
        }
        assert!(breaker.allows(now + REST_MAX));
    }

    #[test]
    fn one_success_forgets_the_failures() {
        let now = Instant::now();
        let events = [Event::Failed, Event::Failed, Event::Succeeded, Event::Failed, Event::Failed];
        assert!(run(&events, now).allows(now));
    }

    #[test]
    fn a_probe_that_is_lost_does_not_close_the_door_for_good() {
        let now = Instant::now();
        let open = run(&[Event::Failed; FAILURES_MAX as usize], now);
        let probing = open.after(Event::Asked, now + REST_FIRST);
        assert!(probing.allows(now + REST_FIRST + REST_MAX));
    }
}
