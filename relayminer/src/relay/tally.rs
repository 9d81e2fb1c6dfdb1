//! What of an answer was delivered so far, and what that would be billed.

use crate::count::{Count, Ending};
use crate::receipt::{Outcome, Times};
use proto::relay::Status;
use proto::session::Terms;
use proto::transcript::Transcript;
use proto::usage::CuWeights;
use proto::{Cu, Digest, Time, Usage};

/// Bytes of one answer at most: its text is kept to be counted.
const ANSWER_MAX: u64 = 64 << 20;

/// Output tokens beyond the reservation that still pass, unbilled: where a supplier cuts its tokens
/// may differ from the listed tokenizer's way by a few at the end.
const SLACK: u64 = 16;

/// Bytes of an answer between two counts at least: some twenty tokens of a stream. What flows by
/// uncounted beyond the reservation is not billed.
const COUNT_EVERY: u64 = 4096;

/// Why a relay ended.
#[derive(Debug)]
pub(super) enum Why {
    /// The answer came to its end.
    End,
    /// The supplier's server said that it failed.
    Refused,
    /// The supplier's server gave no answer, or broke it off.
    Upstream,
    /// The gateway reads no more.
    Gone,
    /// The deadline came, the relay miner stops, or the answer is longer than it may be.
    Cut,
}

/// The count of one relay.
pub(super) struct Tally {
    count: Box<dyn Count>,
    transcript: Transcript,
    weights: CuWeights,
    max: Cu,
    prompt: u64,
    times: Times,
    bytes: u64,
    /// Output tokens, and the bytes that had come when they were counted.
    out: (u64, u64),
    checkpoint_cu: u64,
    /// From which weight on the next checkpoint is due.
    checkpoint_at: u64,
}

impl Tally {
    pub(super) fn new(
        terms: &Terms,
        max: Cu,
        prompt: u64,
        count: Box<dyn Count>,
        now: Time,
    ) -> Tally {
        let mut tally = Tally {
            count,
            transcript: Transcript::new(),
            weights: terms.cu_weights,
            max,
            prompt,
            times: Times { started_at: now, ..Times::default() },
            bytes: 0,
            out: (0, 0),
            checkpoint_cu: terms.checkpoint_cu.max(1),
            checkpoint_at: 0,
        };
        tally.checkpoint_at = tally.weight(0).saturating_add(tally.checkpoint_cu);
        tally
    }

    /// Takes a piece that was delivered.
    pub(super) fn take(&mut self, data: &[u8], now: Time) {
        if self.bytes == 0 {
            self.times.first_token_at = now;
        }
        self.bytes += data.len() as u64;
        self.transcript.push(data);
        self.count.push(data);
    }

    /// Whether more was delivered than may be.
    pub(super) fn is_over(&mut self) -> bool {
        let slack = SLACK * u64::from(self.weights.out);
        self.bytes > ANSWER_MAX || self.passes(self.max.0.saturating_add(slack))
    }

    /// Whether another checkpoint is due; it counts as made.
    pub(super) fn is_checkpoint(&mut self) -> bool {
        let due = self.checkpoint_at < self.max.0 && self.passes(self.checkpoint_at);
        if due {
            self.checkpoint_at = self.weight(self.out.0).saturating_add(self.checkpoint_cu);
        }
        due
    }

    /// Whether what was delivered weighs more than `weight`, as far as it was counted.
    fn passes(&mut self, weight: u64) -> bool {
        let fresh = self.bytes - self.out.1;
        // A token has a byte at least, and a count takes as long as the text is: most pieces go
        // without.
        let most = self.out.0.saturating_add(fresh);
        if self.weight(most) > weight && fresh >= COUNT_EVERY.max(self.bytes / 8) {
            self.out = (self.count.out(), self.bytes);
        }
        self.weight(self.out.0) > weight
    }

    fn weight(&self, out: u64) -> u64 {
        let usage = Usage { fresh_in: self.prompt, cached_in: 0, out };
        self.weights.weigh(usage).map_or(u64::MAX, |cu| cu.0)
    }

    /// What a relay that ended so is.
    pub(super) fn status(&mut self, why: &Why) -> Status {
        match (why, self.count.ending()) {
            (Why::End, Ending::Whole) => Status::Completed,
            (Why::End, Ending::Open) | (Why::Gone | Why::Cut, _) => Status::Cut,
            (Why::End, Ending::Garbage) | (Why::Refused, _) => Status::Failed,
            (Why::Upstream, _) if self.count.out() > 0 => Status::Cut,
            (Why::Upstream, _) => Status::Failed,
        }
    }

    /// What the relay is billed if it ends here with `status`. Where nothing was delivered, nothing is.
    pub(super) fn outcome(&mut self, status: Status, now: Time) -> Outcome {
        let usage = match self.bytes {
            0 => Usage::default(),
            _ => Usage { fresh_in: self.prompt, cached_in: 0, out: self.count.out() },
        };
        let times = Times { finished_at: now, ..self.times };
        let (answer, evidence_root) = (self.transcript.commitment(), Digest::default());
        Outcome { status, usage, answer, evidence_root, times }
    }
}
