//! The one thread that computes.

use crate::batch;
use crate::metrics::Metrics;
use crate::text::{Said, Voice};
use engine::{Cache, Candidate, Chunk, Model, Sampled, Sampling, Slot, sample};
use meter::Meter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// One answer to be made.
pub(crate) struct Job {
    pub(crate) prompt: Vec<u32>,
    pub(crate) max_tokens: u64,
    pub(crate) sampling: Sampling,
    pub(crate) stop: Vec<String>,
    pub(crate) logprobs: Option<usize>,
    /// Where pieces go: no more than one for each token. When nobody listens the answer ends.
    pub(crate) pieces: UnboundedSender<Piece>,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text { text: String, logprobs: Vec<Told> },
    End(Finish),
    Failed(String),
}

/// A token and what else might have been said.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) logprob: f32,
    pub(crate) top: Vec<(String, f32)>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::Length => "length",
        }
    }
}

/// What the thread works with.
pub(crate) struct Workshop {
    pub(crate) model: Model,
    pub(crate) meter: Arc<Meter>,
    pub(crate) sequences: usize,
    pub(crate) answer_limit: Duration,
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) metrics: Metrics,
}

/// An answer that is being made.
struct Sequence {
    job: Job,
    slot: Slot,
    /// Tokens that the model has not read.
    unread: Vec<u32>,
    voice: Voice,
    logprobs: Vec<Told>,
    since: Instant,
}

impl Workshop {
    /// Works until nobody can send jobs any more and all are done.
    pub(crate) fn run(self, jobs: &Receiver<Job>) {
        let mut cache = self.model.cache(self.sequences);
        let mut running: Vec<Sequence> = Vec::new();
        let mut turn = 0;
        while self.take_jobs(jobs, &mut cache, &mut running) {
            self.drop_finished(&mut cache, &mut running);
            if !running.is_empty() {
                turn += 1;
                self.step(&mut cache, &mut running, turn);
            }
            self.metrics.running.set(running.len() as i64);
        }
    }

    /// Takes jobs while there is room; waits for one when there is nothing to do. False at the end.
    fn take_jobs(
        &self,
        jobs: &Receiver<Job>,
        cache: &mut Cache,
        running: &mut Vec<Sequence>,
    ) -> bool {
        while cache.left() > 0 {
            let job = if running.is_empty() {
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return false,
                }
            } else {
                match jobs.try_recv() {
                    Ok(job) => job,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => return true,
                }
            };
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            let Ok(slot) = cache.take() else { return true };
            let (unread, voice) = (job.prompt.clone(), Voice::new(job.stop.clone()));
            let since = Instant::now();
            running.push(Sequence { job, slot, unread, voice, logprobs: Vec::new(), since });
        }
        true
    }

    /// Ends what nobody waits for any more, and what takes too long.
    fn drop_finished(&self, cache: &mut Cache, running: &mut Vec<Sequence>) {
        running.retain(|sequence| {
            let late = sequence.since.elapsed() > self.answer_limit;
            if late {
                let seconds = self.answer_limit.as_secs();
                sequence.tell(Piece::Failed(format!("it took longer than {seconds} s")));
            }
            let goes = late || sequence.job.pieces.is_closed() || sequence.unread.is_empty();
            if goes {
                cache.free(sequence.slot);
            }
            !goes
        });
    }

    fn step(&self, cache: &mut Cache, running: &mut [Sequence], turn: usize) {
        let waiting: Vec<usize> = running.iter().map(|sequence| sequence.unread.len()).collect();
        let shares = batch::shares(&waiting, turn);
        let chosen: Vec<(usize, usize)> =
            shares.into_iter().enumerate().filter(|(_, share)| *share > 0).collect();
        let chunk = |&(i, share): &(usize, usize)| Chunk {
            slot: running[i].slot,
            tokens: &running[i].unread[..share],
            wants_logits: share == running[i].unread.len(),
        };
        let chunks: Vec<Chunk<'_>> = chosen.iter().map(chunk).collect();
        let began = Instant::now();
        let outcome = self.model.step(cache, &chunks);
        self.metrics.step(chunks.len(), began.elapsed());
        match outcome {
            Ok(logits) => {
                for ((i, share), logits) in chosen.into_iter().zip(logits) {
                    running[i].unread.drain(..share);
                    if let Some(logits) = logits {
                        self.advance(&mut running[i], &logits);
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "a step failed");
                for (i, _) in chosen {
                    running[i].tell(Piece::Failed(error.to_string()));
                    running[i].unread.clear();
                }
            }
        }
    }

    /// Chooses the next token of one sequence.
    fn advance(&self, sequence: &mut Sequence, logits: &[f32]) {
        let position = sequence.voice.tokens().len() as u64;
        let top = sequence.job.logprobs.unwrap_or(0);
        let sampled =
            sample(logits, &sequence.job.sampling, position, sequence.voice.tokens(), top);
        let token = sampled.chosen.token;
        if Some(token) == self.meter.eos() {
            return self.finish(sequence, Finish::Stop);
        }
        self.metrics.tokens.inc();
        if sequence.job.logprobs.is_some() {
            sequence.logprobs.push(self.told(&sampled));
        }
        match sequence.voice.say(&self.meter, token) {
            Said::More(text) => {
                if !text.is_empty() {
                    let logprobs = std::mem::take(&mut sequence.logprobs);
                    sequence.tell(Piece::Text { text, logprobs });
                }
                if position + 1 >= sequence.job.max_tokens {
                    return self.finish(sequence, Finish::Length);
                }
                sequence.unread.push(token);
            }
            Said::Stopped(text) => {
                let logprobs = std::mem::take(&mut sequence.logprobs);
                sequence.tell(Piece::Text { text, logprobs });
                sequence.tell(Piece::End(Finish::Stop));
            }
        }
    }

    fn finish(&self, sequence: &mut Sequence, finish: Finish) {
        let text = sequence.voice.end(&self.meter);
        let logprobs = std::mem::take(&mut sequence.logprobs);
        if !text.is_empty() || !logprobs.is_empty() {
            sequence.tell(Piece::Text { text, logprobs });
        }
        sequence.tell(Piece::End(finish));
    }

    fn told(&self, sampled: &Sampled) -> Told {
        let text = |candidate: &Candidate| self.meter.token_text(candidate.token);
        Told {
            text: text(&sampled.chosen),
            logprob: sampled.chosen.logprob,
            top: sampled.top.iter().map(|c| (text(c), c.logprob)).collect(),
        }
    }
}

impl Sequence {
    fn tell(&self, piece: Piece) {
        // Whoever does not listen any more is found before the next step.
        let _gone = self.job.pieces.send(piece);
    }
}
