//! Steps: who is in the next one, and what becomes of it.

use super::{Flight, Head, Rider};
use crate::batch;
use crate::link::{Frame, ROWS_MAX, Rows, Yield};
use crate::queue::Queue;
use crate::stage::CREDITS;
use crate::worker::portion::Portion;
use crate::worker::{Sequence, groups};
use engine::{Chunk, Full, last_rows};
use std::time::{Duration, Instant};

/// Who is in the next step, and with how many tokens.
type Chosen = Vec<(usize, usize)>;

impl Head {
    /// Gives places in the cache: first to answers that had one in an earlier epoch, then to new ones.
    pub(super) fn seat(&mut self, queue: &mut Queue) {
        for rider in self.riders.iter_mut().filter(|rider| !rider.seated) {
            let sequence = &mut rider.sequence;
            let brief = sequence.author.brief();
            let tokens = brief.prompt.len() + brief.max_tokens as usize;
            match self.cache.take_for(&sequence.unread, tokens) {
                Ok((slot, known)) => {
                    sequence.slot = slot;
                    sequence.unread.drain(..known);
                    rider.seated = true;
                }
                Err(Full::Sequences(_) | Full::Pages { .. }) => return,
                Err(never @ Full::Never { .. }) => sequence.fail(never.to_string()),
            }
        }
        let riders = &self.riders;
        let mut fresh = Vec::new();
        let is_read = |prompt: &[u32]| riders.iter().any(|rider| rider.sequence.is_reading(prompt));
        while riders.len() + fresh.len() < self.shop.dial.sequences()
            && let Some((job, slot, known)) = queue.admit(&mut self.cache, is_read)
        {
            self.shop.metrics.reused.inc_by(known as u64);
            fresh.push(Sequence::new(job, slot, known));
        }
        for sequence in fresh {
            self.next_rider += 1;
            self.riders.push(Rider { id: self.next_rider, sequence, seated: true, asked: false });
        }
    }

    /// Sends steps as long as there is something to send and room on the way.
    pub(super) fn send_ahead(&mut self) {
        while let Some(chosen) = self.choose() {
            if !self.send(&chosen) {
                return;
            }
        }
    }

    /// How long rows are between boxes, there and back.
    fn hops(&self) -> f64 {
        let trip = |way: Duration| way.as_micros() as f64 / 2.0;
        let pulse = |at: usize| &self.boxes[self.layout.stages[at].0].member.pulse;
        let Some(last) = self.layout.stages.len().checked_sub(1) else { return 0.0 };
        // Until a stage says how far it is to the one after, it counts as far as from the head.
        let onward =
            |at: usize| trip(pulse(at).onward().unwrap_or_else(|| pulse(at + 1).round_trip()));
        let ends = trip(pulse(0).round_trip()) + trip(pulse(last).round_trip());
        ends + (0..last).map(onward).sum::<f64>()
    }

    /// Who is in the next step. `None`: nothing is to be sent now.
    fn choose(&mut self) -> Option<Chosen> {
        let ready =
            |rider: &Rider| rider.seated && !rider.asked && !rider.sequence.unread.is_empty();
        let one = |rider: &Rider| rider.sequence.unread.len() == 1;
        let answering = self.riders.iter().filter(|r| r.asked || (r.seated && one(r))).count();
        let groups = match self.pipeline.settings.groups {
            0 => groups::best(&self.stations, self.hops(), answering),
            groups => groups,
        };
        self.groups = groups;
        let size = answering.div_ceil(groups).clamp(1, ROWS_MAX / 2);
        let of = |which: fn(&Rider) -> bool| {
            let chosen = self.riders.iter().enumerate();
            chosen.filter(move |(_, r)| ready(r) && which(r)).map(|(i, _)| i)
        };
        let prompts: Vec<usize> = of(|r| r.sequence.unread.len() > 1).collect();
        let mut answers: Vec<usize> = of(one).collect();
        let under_way = self.flights.iter().filter(|flight| flight.answers > 0).count();
        answers.truncate(if under_way < groups { size } else { 0 });
        // A piece of a prompt for each box, and one that waits: then no box stands idle for them.
        let ahead = self.layout.stages.len() + 2;
        let reading = self.flights.iter().filter(|flight| flight.prompts > 0).count();
        let room = if reading < ahead { self.pace.room(answering) } else { 0 };
        if self.flights.len() >= CREDITS
            || (answers.is_empty() && (prompts.is_empty() || room == 0))
        {
            return None;
        }
        self.turn += 1;
        let waiting: Vec<usize> =
            prompts.iter().map(|i| self.riders[*i].sequence.unread.len()).collect();
        let room = room.min(ROWS_MAX - answers.len());
        let shares = if room == 0 {
            vec![0; prompts.len()]
        } else {
            batch::shares(&waiting, room, self.turn)
        };
        let reads = prompts.into_iter().zip(shares).filter(|(_, share)| *share > 0);
        Some(answers.into_iter().map(|i| (i, 1)).chain(reads).collect())
    }

    /// Runs the head's own layers over a step and sends it on; false when that cannot be.
    fn send(&mut self, chosen: &Chosen) -> bool {
        let began = Instant::now();
        let answers = chosen.iter().filter(|(i, _)| self.riders[*i].sequence.unread.len() == 1);
        let most = self.guesses(answers.count());
        let portion =
            |&(i, share): &(usize, usize)| self.riders[i].sequence.portion(i, share, most);
        let portions: Vec<Portion> = chosen.iter().map(portion).collect();
        let chunks: Vec<Chunk<'_>> = portions
            .iter()
            .map(|portion| self.riders[portion.at].sequence.chunk(&mut self.cache, portion))
            .collect();
        let entered = self.shop.model.enter(&mut self.cache, &chunks);
        let (spans, x) = match entered {
            Ok(entered) => entered,
            Err(error) => {
                self.shop.lost.hear(&error);
                tracing::error!(%error, "a step failed");
                for (i, _) in chosen {
                    self.riders[*i].sequence.fail(error.to_string());
                }
                return true;
            }
        };
        self.step += 1;
        let mut flight =
            Flight { step: self.step, riders: Vec::new(), answers: 0, prompts: 0, sent: began };
        for portion in &portions {
            let rider = &mut self.riders[portion.at];
            match rider.sequence.unread.len() {
                1 => flight.answers += 1,
                _ => flight.prompts += portion.known(),
            }
            rider.sequence.unread.drain(..portion.known());
            rider.asked = portion.wants;
            flight.riders.push((rider.id, portion.wants.then(|| portion.guesses().to_vec())));
        }
        self.flights.push_back(flight);
        self.depart(spans, x, began.elapsed())
    }

    fn depart(&mut self, spans: Vec<engine::Span>, x: Vec<f32>, took: Duration) -> bool {
        let (epoch, step) = (self.epoch, self.step);
        let residual = self.shop.model.part().residual;
        let spent = vec![took.as_micros().min(u128::from(u32::MAX)) as u32];
        let Some((who, _)) = self.layout.stages.first().cloned() else {
            let x = last_rows(&spans, self.shop.model.hidden(), &x);
            self.land(Yield { epoch, step, spent, residual, x });
            return true;
        };
        let rows = Rows { epoch, step, spent, spans, residual, x };
        let box_ = &self.boxes[who];
        let sent = box_.member.say(box_.turn, Frame::Rows(rows));
        if !sent {
            self.give_up(who, "it does not take what it is sent".to_owned());
        }
        sent
    }

    /// A step came back, if it is the one that must come next.
    pub(super) fn landed(&mut self, who: usize, made: Yield) {
        let last = self.layout.stages.last().map(|(who, _)| *who);
        let hidden = self.shop.model.hidden();
        let residual = self.shop.model.part().residual;
        let Some(flight) = self.flights.front() else {
            return self.give_up(who, format!("step {} was never sent", made.step));
        };
        let guesses = flight.riders.iter().filter_map(|(_, guesses)| guesses.as_ref());
        let wanted: usize = guesses.map(|guesses| 1 + guesses.len()).sum();
        if last != Some(who) || made.step != flight.step || made.residual != residual {
            let reason = format!("step {} came where step {} was due", made.step, flight.step);
            return self.give_up(who, reason);
        }
        if made.x.len() != wanted * hidden || made.x.iter().any(|x| !x.is_finite()) {
            let reason =
                format!("step {} has {} numbers for {wanted} rows", made.step, made.x.len());
            return self.give_up(who, reason);
        }
        self.land(made);
    }

    /// Chooses the next tokens of all in a step that is back.
    fn land(&mut self, made: Yield) {
        let Some(flight) = self.flights.pop_front() else { return };
        let took = flight.sent.elapsed();
        self.shop.metrics.step(flight.riders.len(), took);
        self.pace.saw(flight.prompts, took);
        self.board.landed(&self.layout, &made.spent, took);
        let logits = match self.shop.model.leave(&made.x) {
            Ok(logits) => logits,
            Err(error) => return self.end_epoch(&error.to_string()),
        };
        let mut logits = logits.into_iter();
        let wanting = flight.riders.into_iter().filter_map(|(id, guesses)| Some((id, guesses?)));
        for (id, guesses) in wanting {
            let rows: Vec<Vec<f32>> = logits.by_ref().take(1 + guesses.len()).collect();
            // Who has gone meanwhile needs no token.
            let Some(rider) = self.riders.iter_mut().find(|rider| rider.id == id) else { continue };
            rider.asked = false;
            self.shop.advance_over(&mut self.cache, &mut rider.sequence, &guesses, &rows);
        }
    }

    /// How many tokens are guessed ahead for each of so many answers of a step.
    fn guesses(&self, answers: usize) -> usize {
        let most = self.shop.speculation.min((ROWS_MAX / 2 / answers.max(1)).saturating_sub(1));
        if most == 0 || answers == 0 {
            return 0;
        }
        let (all, rate) = ((answers * self.groups, self.groups), self.shop.guessed_rate());
        groups::guesses(&self.stations, self.hops(), all, rate, most)
    }
}
