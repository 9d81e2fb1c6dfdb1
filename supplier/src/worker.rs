//! The one thread that computes.

pub(crate) mod groups;
pub(crate) mod head;
mod portion;

use crate::admin::Dial;
use crate::author::{Author, Brief, Finish};
use crate::batch::{self, Pace};
use crate::guess::Guesser;
use crate::lost::Lost;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::shelf::Record;
use crate::tools::Call;
use engine::{Cache, Candidate, Chunk, Model, Room, Sampled, Slot};
use meter::Meter;
use portion::Portion;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// One answer to be made.
pub(crate) struct Job {
    pub(crate) brief: Brief,
    /// Where evidence of it goes, and which choice it is there.
    pub(crate) evidence: Option<(Record, usize)>,
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

/// What the thread works with.
pub(crate) struct Workshop {
    pub(crate) model: Model,
    pub(crate) meter: Arc<Meter>,
    pub(crate) room: Room,
    /// Memory for keys and values.
    pub(crate) cache_mib: usize,
    /// Tokens that are guessed ahead for an answer at most.
    pub(crate) speculation: usize,
    pub(crate) answer_limit: Duration,
    pub(crate) dial: Dial,
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) metrics: Metrics,
    pub(crate) lost: Lost,
}

/// An answer that is being made.
struct Sequence {
    author: Author,
    evidence: Option<(Record, usize)>,
    since: Instant,
    pieces: UnboundedSender<Piece>,
    slot: Slot,
    /// Tokens that the model has not read.
    unread: Vec<u32>,
    guesser: Guesser,
    /// When its last text went out.
    spoke: Option<Instant>,
    logprobs: Vec<Told>,
}

impl Workshop {
    /// Works until nobody can send jobs any more and all are done.
    pub(crate) fn run(self, mut cache: Cache, jobs: &Receiver<Job>) {
        let mut queue = Queue::new(self.waiting.clone());
        let mut running: Vec<Sequence> = Vec::new();
        let (mut turn, mut pace) = (0, Pace::default());
        while queue.receive(jobs, running.is_empty()) {
            queue.drop_finished(self.answer_limit);
            self.drop_finished(&mut cache, &mut running);
            while running.len() < self.dial.sequences()
                && let Some((job, slot, known)) =
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
            self.metrics.waiting.set(self.waiting.load(Ordering::Relaxed) as i64);
            self.metrics.cache_pages.set((self.room.pages - cache.left_pages()) as i64);
        }
    }

    /// Ends what nobody waits for any more, and what takes too long.
    fn drop_finished(&self, cache: &mut Cache, running: &mut Vec<Sequence>) {
        running.retain(|sequence| {
            let late = sequence.since.elapsed() > self.answer_limit;
            if late {
                sequence.tell(Piece::Late(self.answer_limit));
            }
            let goes = late || sequence.pieces.is_closed() || sequence.unread.is_empty();
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
        // With one row a step takes as long as reading the weights. Where there are more, each row costs as
        // much time as it could save.
        let most = if waiting == [1] { self.speculation } else { 0 };
        let chosen = shares.into_iter().enumerate().filter(|(_, share)| *share > 0);
        let portions: Vec<Portion> =
            chosen.map(|(i, share)| running[i].portion(i, share, most)).collect();
        let chunks: Vec<Chunk<'_>> =
            portions.iter().map(|portion| running[portion.at].chunk(cache, portion)).collect();
        let began = Instant::now();
        let outcome = self.model.rows(cache, &chunks);
        self.metrics.step(chunks.len(), began.elapsed());
        let read = portions.iter().map(Portion::known).sum::<usize>();
        pace.saw(read - answers, began.elapsed());
        match outcome {
            Ok(rows) => {
                let mut rows = rows.into_iter();
                for portion in portions {
                    let sequence = &mut running[portion.at];
                    sequence.unread.drain(..portion.known());
                    if portion.wants {
                        let count = 1 + portion.guesses().len();
                        let rows: Vec<Vec<f32>> = rows.by_ref().take(count).collect();
                        self.advance_over(cache, sequence, portion.guesses(), &rows);
                    }
                }
            }
            Err(error) => {
                self.lost.hear(&error);
                tracing::error!(%error, "a step failed");
                for portion in portions {
                    running[portion.at].fail(error.to_string());
                }
            }
        }
    }

    /// Chooses the next token of one sequence.
    fn advance(&self, sequence: &mut Sequence, logits: &[f32]) {
        let turn = match sequence.author.turn(&self.meter, logits) {
            Ok(turn) => turn,
            Err(reason) => return sequence.fail(reason),
        };
        if let Some((record, choice)) = &sequence.evidence {
            record.push(*choice, &turn.chosen);
        }
        if turn.spoken {
            self.metrics.tokens.inc();
            if sequence.author.brief().logprobs.is_some() {
                sequence.logprobs.push(self.told(&turn.sampled));
            }
        }
        let ends = turn.end.is_some();
        if !turn.text.is_empty() || (ends && !sequence.logprobs.is_empty()) {
            if let Some(spoke) = sequence.spoke.replace(Instant::now()) {
                self.metrics.between(spoke.elapsed());
            }
            let logprobs = std::mem::take(&mut sequence.logprobs);
            sequence.tell(Piece::Text { text: turn.text, logprobs });
        }
        match turn.end {
            Some(finish) => sequence.tell(Piece::End(finish)),
            None => sequence.unread.push(turn.chosen.token),
        }
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
        let Job { brief, evidence, since, pieces } = job;
        let unread = brief.prompt[known..].to_vec();
        let author = Author::new(brief);
        let (spoke, logprobs, guesser) = (None, Vec::new(), Guesser::default());
        Sequence { author, evidence, since, pieces, slot, unread, guesser, spoke, logprobs }
    }

    /// Whether it still reads this very prompt.
    fn is_reading(&self, prompt: &[u32]) -> bool {
        self.unread.len() > 1 && self.author.brief().prompt == prompt
    }

    /// Ends without an answer.
    fn fail(&mut self, reason: String) {
        self.tell(Piece::Failed(reason));
        self.unread.clear();
    }

    fn tell(&self, piece: Piece) {
        tell(&self.pieces, piece);
    }
}

impl Job {
    pub(crate) fn tell(&self, piece: Piece) {
        tell(&self.pieces, piece);
    }
}

fn tell(pieces: &UnboundedSender<Piece>, piece: Piece) {
    // Whoever does not listen any more is found before the next step.
    let _gone = pieces.send(piece);
}
