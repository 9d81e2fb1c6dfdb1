//! The computing thread of a head: the model's layers are spread over several boxes.
//!
//! ```text
//! waiting ──boxes for all layers──> loading ──all are ready──> running
//!    ^                                 │                          │
//!    └──────── a box is lost, refuses, is late, talks nonsense ───┘
//! ```
//!
//! Each attempt is an epoch. What boxes hold belongs to their epoch; when one ends, all that they
//! know of the answers under way is made again from the tokens, which are here. Numbers do not
//! depend on where they are computed, so answers go on with the very bytes that they would have had.
//!
//! Steps are sent ahead: pieces of prompts follow one another without waiting, and answers go in
//! groups. Every box takes steps in the order in which they were sent, so pages can be shared and
//! used again as soon as that is decided here.

mod batches;
mod epoch;

use super::groups::Station;
use super::{Job, Piece, Sequence, Workshop};
use crate::batch::Pace;
use crate::crew::{Board, Layout, Member, News};
use crate::link::{About, Frame};
use crate::pipeline::Pipeline;
use crate::queue::Queue;
use engine::{Cache, Room};
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// What the thread learns.
pub(crate) enum Event {
    Job(Box<Job>),
    NoMoreJobs,
    News(News),
}

/// How often the thread looks at its deadlines when nothing happens.
const LOOK: Duration = Duration::from_millis(100);

/// An answer that is being made.
struct Rider {
    id: u64,
    sequence: Sequence,
    /// Whether it has a place in the cache of this epoch.
    seated: bool,
    /// Whether a step is on its way whose logits say its next token.
    asked: bool,
}

/// A step on its way.
struct Flight {
    step: u64,
    /// Who is in it, and the guesses of those that wait for logits.
    riders: Vec<(u64, Option<Vec<u32>>)>,
    /// Answers that go on in it.
    answers: usize,
    /// Tokens of prompts in it.
    prompts: usize,
    sent: Instant,
}

/// What is known of one box.
struct Box_ {
    member: Member,
    wish: Option<std::ops::Range<usize>>,
    turn: u64,
    /// What it said of itself, while it is connected.
    about: Option<About>,
}

/// How far the boxes are.
enum State {
    /// Layers have no place, or it is not tried yet.
    Waiting {
        again: Instant,
    },
    Loading {
        until: Instant,
        missing: BTreeSet<usize>,
    },
    Running,
}

/// The head of a model over several boxes.
pub(crate) struct Head {
    pub(crate) shop: Workshop,
    pipeline: Pipeline,
    boxes: Vec<Box_>,
    board: Board,
    /// Groups into which answers were last parted.
    groups: usize,
    state: State,
    epoch: u64,
    step: u64,
    next_rider: u64,
    turn: usize,
    layout: Layout,
    stations: Vec<Station>,
    cache: Cache,
    room: Room,
    riders: Vec<Rider>,
    flights: VecDeque<Flight>,
    /// Steps that boxes have passed on in this epoch, added up, and when that last changed.
    moved: (u64, Instant),
    pace: Pace,
    /// When steps were last possible, or the head began.
    well: Instant,
    /// Attempts since then.
    attempts: u32,
}

impl Head {
    pub(crate) fn new(
        shop: Workshop,
        pipeline: Pipeline,
        (members, board): (Vec<Member>, Board),
    ) -> Head {
        let wishes = pipeline.stages.iter().map(|(_, _, wish)| wish.clone());
        let boxes = members.into_iter().zip(wishes);
        let boxes = boxes.map(|(member, wish)| Box_ { member, wish, turn: 0, about: None });
        let room = Room { sequences: shop.room.sequences, pages: 0 };
        let now = Instant::now();
        Head {
            boxes: boxes.collect(),
            board,
            groups: 0,
            cache: shop.model.cache_of(room),
            room,
            state: State::Waiting { again: now },
            epoch: 0,
            step: 0,
            next_rider: 0,
            turn: 0,
            layout: Layout::default(),
            stations: Vec::new(),
            riders: Vec::new(),
            flights: VecDeque::new(),
            moved: (0, now),
            pace: Pace::default(),
            well: now,
            attempts: 0,
            shop,
            pipeline,
        }
    }

    /// Works until nobody can send jobs any more and all are done.
    pub(crate) fn run(mut self, events: &Receiver<Event>) {
        let mut queue = Queue::new(self.shop.waiting.clone());
        let mut open = true;
        while open || !self.riders.is_empty() || !queue.is_empty() {
            let first = match events.recv_timeout(self.pause()) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for event in first.into_iter().chain(events.try_iter()) {
                match event {
                    Event::Job(job) => queue.push(*job),
                    Event::NoMoreJobs => open = false,
                    Event::News(news) => self.learn(news),
                }
            }
            self.look();
            self.drop_finished(&mut queue);
            self.fail_hopeless(&mut queue);
            if matches!(self.state, State::Running) {
                self.seat(&mut queue);
                self.send_ahead();
                self.replan_when_idle(&queue);
            }
            self.shop.metrics.running.set(self.riders.len() as i64);
            self.shop.metrics.waiting.set(self.shop.waiting.load(Ordering::Relaxed) as i64);
            let used = self.room.pages.saturating_sub(self.cache.left_pages());
            self.shop.metrics.cache_pages.set(used as i64);
            let ready = matches!(self.state, State::Running);
            self.board.now(ready, self.flights.len(), self.groups);
        }
    }

    /// How long nothing has to be done.
    fn pause(&self) -> Duration {
        match self.state {
            State::Waiting { again } => again.saturating_duration_since(Instant::now()).min(LOOK),
            State::Loading { .. } | State::Running => LOOK,
        }
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Up { who, turn, about } => self.came(who, turn, about),
            News::Lost { who, turn, reason } => {
                let box_ = &mut self.boxes[who];
                let known = box_.about.is_some() && box_.turn == turn;
                if known {
                    tracing::warn!(stage = box_.member.address, reason, "a stage is lost");
                    box_.about = None;
                    self.without(who, "a stage was lost");
                } else {
                    tracing::debug!(stage = box_.member.address, reason, "a stage is not there");
                }
            }
            News::Said { who, turn, frame } => {
                self.boxes[who].member.pulse.heard();
                if self.boxes[who].about.is_some() && self.boxes[who].turn == turn {
                    self.hear(who, frame);
                }
            }
        }
    }

    fn came(&mut self, who: usize, turn: u64, about: About) {
        let (ours, box_) = (&self.pipeline.outline, &mut self.boxes[who]);
        let same = about.fingerprint == ours.fingerprint
            && about.layers as usize == ours.layers
            && about.hidden as usize == ours.hidden;
        if !same {
            let reason = "its model is another one than the head's".to_owned();
            tracing::error!(stage = box_.member.address, reason, "a stage is of no use");
            return;
        }
        tracing::info!(stage = box_.member.address, "a stage is there");
        (box_.turn, box_.about) = (turn, Some(about));
        if let State::Waiting { again } = &mut self.state {
            *again = Instant::now();
        }
    }

    fn hear(&mut self, who: usize, frame: Frame) {
        match frame {
            Frame::Ready { epoch } if epoch == self.epoch => self.ready(who),
            Frame::Yield(made) if made.epoch == self.epoch => self.landed(who, made),
            Frame::Refused { epoch, reason } if epoch == self.epoch || epoch == 0 => {
                self.give_up(who, reason);
            }
            Frame::Broken { epoch, reason } if epoch == self.epoch => {
                let stage = &self.boxes[who].member.address;
                tracing::warn!(stage, reason, "a stage cannot go on");
                self.end_epoch("a stage cannot go on");
            }
            // Of an epoch that has ended.
            Frame::Ready { .. }
            | Frame::Yield(_)
            | Frame::Refused { .. }
            | Frame::Broken { .. } => {}
            other => self.give_up(who, format!("a stage does not say {}", other.name())),
        }
    }

    /// Ends the connection to a box that cannot be worked with; it may come anew.
    fn give_up(&mut self, who: usize, reason: String) {
        let box_ = &mut self.boxes[who];
        tracing::warn!(stage = box_.member.address, reason, "a stage is given up");
        box_.member.leave(box_.turn, reason);
        box_.about = None;
        self.without(who, "a stage was given up");
    }

    /// Ends the epoch if this box had a part in it.
    fn without(&mut self, who: usize, reason: &str) {
        let has_a_part = self.layout.stages.iter().any(|(other, _)| *other == who);
        if has_a_part && !matches!(self.state, State::Waiting { .. }) {
            self.end_epoch(reason);
        }
    }

    /// Ends what nobody waits for any more, and what takes too long.
    fn drop_finished(&mut self, queue: &mut Queue) {
        let limit = self.shop.answer_limit;
        queue.drop_finished(limit);
        let cache = &mut self.cache;
        self.riders.retain(|rider| {
            let sequence = &rider.sequence;
            let late = sequence.since.elapsed() > limit;
            if late {
                sequence.tell(Piece::Late(limit));
            }
            let ended = sequence.unread.is_empty() && !rider.asked;
            let goes = late || ended || sequence.pieces.is_closed();
            if goes && rider.seated {
                cache.free(sequence.slot);
            }
            !goes
        });
    }
}

/// Moves jobs to where news of boxes come, too, so that one thread can wait for both.
pub(crate) fn forward(jobs: &Receiver<Job>, events: &Sender<Event>) {
    while let Ok(job) = jobs.recv() {
        if events.send(Event::Job(Box::new(job))).is_err() {
            return;
        }
    }
    // Nobody listens any more when the thread has ended first.
    let _ended = events.send(Event::NoMoreJobs);
}
