//! The one thread that computes.

pub(crate) mod groups;
pub(crate) mod head;

use crate::batch::{self, Pace};
use crate::grammar::Grammar;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::text::{Said, Voice};
use crate::tools::Call;
use engine::{Cache, Candidate, Chunk, Model, Room, Sampled, Sampling, Slot, sample};
use meter::Meter;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// One answer to be made.
pub(crate) struct Job {
    pub(crate) prompt: Vec<u32>,
    pub(crate) max_tokens: u64,
    pub(crate) sampling: Sampling,
    pub(crate) stop: Vec<String>,
    pub(crate) logprobs: Option<usize>,
    /// What the answer must look like.
    pub(crate) grammar: Option<Grammar>,
    /// When it was asked for.
    pub(crate) since: Instant,
    /// Where pieces go: no more than one for each token. When nobody listens the answer ends.
    pub(crate) pieces: UnboundedSender<Piece>,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text {
        text: String,
        logprobs: Vec<Told>,
    },
    Calls(Vec<Call>),
    End(Finish),
    Failed(String),
    /// It took longer than this.
    Late(Duration),
}

/// A token and what else might have been said.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) token: Token,
    pub(crate) top: Vec<Token>,
}

/// A token as it is told of.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Its bytes; `None`: it is no text.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) logprob: f32,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    Calls,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::Calls => "tool_calls",
        }
    }
}

/// What the thread works with.
pub(crate) struct Workshop {
    pub(crate) model: Model,
    pub(crate) meter: Arc<Meter>,
    pub(crate) room: Room,
    /// Memory for keys and values.
    pub(crate) cache_mib: usize,
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
}

impl Workshop {
    /// Works until nobody can send jobs any more and all are done.
    pub(crate) fn run(self, jobs: &Receiver<Job>) {
        let mut cache = self.model.cache_of(self.room);
        let mut queue = Queue::new(self.waiting.clone());
        let mut running: Vec<Sequence> = Vec::new();
        let (mut turn, mut pace) = (0, Pace::default());
        while queue.receive(jobs, running.is_empty()) {
            queue.drop_finished(self.answer_limit);
            self.drop_finished(&mut cache, &mut running);
            while let Some((job, slot, known)) =
                queue.admit(&mut cache, |prompt| running.iter().any(|s| s.is_reading(prompt)))
            {
                self.metrics.reused.inc_by(known as u64);
                running.push(Sequence::new(job, slot, known));
            }
            if !running.is_empty() {
                turn += 1;
                self.step(&mut cache, &mut running, turn, &mut pace);
            }
            self.metrics.running.set(running.len() as i64);
            self.metrics.cache_pages.set((self.room.pages - cache.left_pages()) as i64);
        }
    }

    /// Ends what nobody waits for any more, and what takes too long.
    fn drop_finished(&self, cache: &mut Cache, running: &mut Vec<Sequence>) {
        running.retain(|sequence| {
            let late = sequence.job.since.elapsed() > self.answer_limit;
            if late {
                sequence.job.tell(Piece::Late(self.answer_limit));
            }
            let goes = late || sequence.job.pieces.is_closed() || sequence.unread.is_empty();
            if goes {
                cache.free(sequence.slot);
            }
            !goes
        });
    }

    fn step(&self, cache: &mut Cache, running: &mut [Sequence], turn: usize, pace: &mut Pace) {
        let waiting: Vec<usize> = running.iter().map(|sequence| sequence.unread.len()).collect();
        let answers = waiting.iter().filter(|tokens| **tokens == 1).count();
        let shares = batch::shares(&waiting, pace.room(answers), turn);
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
        pace.saw(chosen.iter().map(|(_, share)| share).sum::<usize>() - answers, began.elapsed());
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
                    running[i].fail(error.to_string());
                }
            }
        }
    }

    /// Chooses the next token of one sequence.
    fn advance(&self, sequence: &mut Sequence, logits: &[f32]) {
        let allowed = match sequence.job.grammar.as_mut().map(Grammar::allowed).transpose() {
            Ok(allowed) => allowed,
            Err(reason) => return sequence.fail(reason),
        };
        let (job, answer) = (&sequence.job, sequence.voice.tokens());
        let said = engine::Said { prompt: &job.prompt, answer, allowed: allowed.as_deref() };
        let sampled = sample(logits, &job.sampling, said, job.logprobs);
        let token = sampled.chosen.token;
        if self.meter.ends(token) {
            return self.finish(sequence, Finish::Stop);
        }
        let done = match sequence.job.grammar.as_mut().map(|grammar| grammar.take(token)) {
            None => false,
            Some(Ok(done)) => done,
            Some(Err(reason)) => return sequence.fail(reason),
        };
        self.metrics.tokens.inc();
        if sequence.job.logprobs.is_some() {
            sequence.logprobs.push(self.told(&sampled));
        }
        match sequence.voice.say(&self.meter, token) {
            Said::More(text) => {
                if !text.is_empty() {
                    let logprobs = std::mem::take(&mut sequence.logprobs);
                    sequence.job.tell(Piece::Text { text, logprobs });
                }
                if done {
                    return self.finish(sequence, Finish::Stop);
                }
                if sequence.voice.tokens().len() as u64 >= sequence.job.max_tokens {
                    return self.finish(sequence, Finish::Length);
                }
                sequence.unread.push(token);
            }
            Said::Stopped(text) => {
                let logprobs = std::mem::take(&mut sequence.logprobs);
                sequence.job.tell(Piece::Text { text, logprobs });
                sequence.job.tell(Piece::End(Finish::Stop));
            }
        }
    }

    fn finish(&self, sequence: &mut Sequence, finish: Finish) {
        let text = sequence.voice.end(&self.meter);
        let logprobs = std::mem::take(&mut sequence.logprobs);
        if !text.is_empty() || !logprobs.is_empty() {
            sequence.job.tell(Piece::Text { text, logprobs });
        }
        sequence.job.tell(Piece::End(finish));
    }

    fn told(&self, sampled: &Sampled) -> Told {
        let token = |candidate: &Candidate| Token {
            text: self.meter.token_text(candidate.token),
            bytes: self.meter.token_bytes(candidate.token),
            logprob: candidate.logprob,
        };
        Told { token: token(&sampled.chosen), top: sampled.top.iter().map(token).collect() }
    }
}

impl Sequence {
    fn new(job: Job, slot: Slot, known: usize) -> Sequence {
        let (unread, voice) = (job.prompt[known..].to_vec(), Voice::new(job.stop.clone()));
        Sequence { job, slot, unread, voice, logprobs: Vec::new() }
    }

    /// Whether it still reads this very prompt.
    fn is_reading(&self, prompt: &[u32]) -> bool {
        self.unread.len() > 1 && self.job.prompt == prompt
    }

    /// Ends without an answer.
    fn fail(&mut self, reason: String) {
        self.job.tell(Piece::Failed(reason));
        self.unread.clear();
    }
}

impl Job {
    pub(crate) fn tell(&self, piece: Piece) {
        // Whoever does not listen any more is found before the next step.
        let _gone = self.pieces.send(piece);
    }
}
