//! Answers that wait for room.

use crate::worker::{Job, Piece};
use engine::{Cache, Full, PAGE, Slot};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

/// Jobs in the order in which they came. The first one waits until it fits, so none is passed over
/// forever.
pub(crate) struct Queue {
    jobs: VecDeque<Job>,
    /// How many wait, for those who ask before they send one.
    waiting: Arc<AtomicUsize>,
    open: bool,
}

impl Queue {
    pub(crate) fn new(waiting: Arc<AtomicUsize>) -> Queue {
        Queue { jobs: VecDeque::new(), waiting, open: true }
    }

    /// Takes what was sent; waits for something when `idle`. False when nothing will come any more.
    pub(crate) fn receive(&mut self, jobs: &Receiver<Job>, idle: bool) -> bool {
        if idle && self.jobs.is_empty() {
            match jobs.recv() {
                Ok(job) => self.jobs.push_back(job),
                Err(_) => return false,
            }
        }
        loop {
            match jobs.try_recv() {
                Ok(job) => self.jobs.push_back(job),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.open = false;
                    break;
                }
            }
        }
        self.open || !self.jobs.is_empty() || !idle
    }

    /// One more waits.
    pub(crate) fn push(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Fails all that wait.
    pub(crate) fn fail_all(&mut self, reason: &str) {
        while let Some(job) = self.pop() {
            job.tell(Piece::Failed(reason.to_owned()));
        }
    }

    /// Drops what nobody waits for any more, and what waited too long.
    pub(crate) fn drop_finished(&mut self, limit: Duration) {
        let waiting = &self.waiting;
        self.jobs.retain(|job| {
            let late = job.since.elapsed() > limit;
            if late {
                job.tell(Piece::Late(limit));
            }
            let goes = late || job.pieces.is_closed();
            if goes {
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            !goes
        });
    }

    /// The next job that there is room for, with its place and how much of its prompt is known. A
    /// prompt that `is_read` for another answer just now waits until it is known: several choices
    /// of one request read it once.
    pub(crate) fn admit(
        &mut self,
        cache: &mut Cache,
        is_read: impl Fn(&[u32]) -> bool,
    ) -> Option<(Job, Slot, usize)> {
        loop {
            let first = self.jobs.front()?;
            if first.brief.prompt.len() > PAGE && is_read(&first.brief.prompt) {
                return None;
            }
            let tokens = first.brief.prompt.len() + first.brief.max_tokens as usize;
            match cache.take_for(&first.brief.prompt, tokens) {
                Ok((slot, known)) => {
                    return Some((self.pop()?, slot, known));
                }
                Err(Full::Sequences(_) | Full::Pages { .. }) => return None,
                Err(never @ Full::Never { .. }) => {
                    let job = self.pop()?;
                    job.tell(Piece::Failed(never.to_string()));
                }
            }
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(job)
    }
}
