//! How often a key may ask: the generic cell rate algorithm (ITU-T I.371), which needs one number.

use std::time::{Duration, Instant};

/// Part of a minute's requests that may come at once.
const BURST_PARTS: u32 = 6;

/// A bound on requests a minute. Up to a sixth of them may come at once, and at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_minute: u32,
    /// When the bound would be empty again; `None` before the first request.
    empty_at: Option<Instant>,
}

impl Rate {
    /// Nothing asked so far.
    pub fn new(per_minute: u32) -> Rate {
        Rate { per_minute: per_minute.max(1), empty_at: None }
    }

    /// The bound.
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Takes a request at `now`, or tells how long to wait.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let each = Duration::from_secs(60) / self.per_minute;
        let burst = each * (self.per_minute / BURST_PARTS).max(1);
        let empty_at = self.empty_at.map_or(now, |at| at.max(now)) + each;
        let ahead = empty_at - now;
        if ahead > burst {
            return Err(ahead - burst);
        }
        self.empty_at = Some(empty_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_minute_no_more_pass_than_allowed_and_a_burst() {
        let (mut rate, start) = (Rate::new(60), Instant::now());
        let mut passed = 0;
        for tick in 0..600 {
            passed += u32::from(rate.take(start + Duration::from_millis(tick * 100)).is_ok());
        }
        assert_eq!(passed, 60 + 9, "sixty, and the burst of ten that came first");
    }

    #[test]
    fn who_waits_as_told_passes() {
        let (mut rate, now) = (Rate::new(6), Instant::now());
        assert_eq!(rate.take(now), Ok(()));
        let wait = rate.take(now).expect_err("one at once");
        assert_eq!(wait, Duration::from_secs(10));
        assert_eq!(rate.take(now + wait), Ok(()));
    }
}
