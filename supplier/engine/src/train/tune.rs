//! A trained model learns something more: to say one thing after another, whatever that is.
//!
//! It begins with the weights of a finished training and keeps its tokenizer. It forgets what is not
//! among its lessons, so what comes out is a model for that one work.

use super::checkpoint::{self, State};
use super::data::{Batch, encode};
use super::network::Network;
use super::optimiser::Optimiser;
use super::random::Random;
use super::tape::Tape;
use super::{CHECKPOINT, DECAY, Plan, Progress, TrainError, disk, export, rate};
use std::path::Path;
use tokenizers::Tokenizer;

/// A text, control tokens and all, of which some parts are to be learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    pub turns: Vec<Turn>,
}

/// After the text `asked` comes `said`, which is to be learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub asked: String,
    pub said: String,
}

/// Files of a model that stay as they are.
const KEPT: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];

/// The loss below which an answer counts as known: it has more than half of the chances.
const KNOWN: f32 = std::f32::consts::LN_2;

struct Tuning {
    network: Network,
    optimiser: Optimiser,
    tokenizer: Tokenizer,
    random: Random,
    step: usize,
}

/// Teaches the model of the training in `from` what `lessons` draws, and writes it into `out`; with
/// `resume` goes on from the checkpoint there. Lessons longer than the model's context are left out.
pub fn tune(
    (from, out): (&Path, &Path),
    plan: &Plan,
    resume: bool,
    mut lessons: impl FnMut(&mut Random) -> Lesson,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let mut tuning = Tuning::begin(from, out, plan, resume)?;
    let mut tape = Tape::default();
    while tuning.step < plan.steps {
        let batch = tuning.batch(plan, &mut lessons)?;
        let losses = tuning.network.learn(&mut tape, &batch);
        tuning.optimiser.step(&mut tuning.network.weights, rate(plan, tuning.step) as f32);
        tuning.step += 1;
        let (step, steps) = (tuning.step, plan.steps);
        let count = losses.len().max(1) as f32;
        let loss = losses.iter().sum::<f32>() / count;
        let known = losses.iter().filter(|loss| **loss < KNOWN).count() as f32 / count;
        let tokens = batch.tokens.len();
        let on = progress(Progress { step, steps, loss, known, tokens, written: false });
        if step % plan.checkpoint_every == 0 || step == steps || !on {
            tuning.write(out, plan)?;
        }
        if !on {
            break;
        }
    }
    Ok(())
}

impl Tuning {
    fn begin(from: &Path, out: &Path, plan: &Plan, resume: bool) -> Result<Tuning, TrainError> {
        if !resume {
            for name in KEPT {
                let path = from.join(name);
                let bytes = std::fs::read(&path);
                let bytes = bytes.map_err(|source| TrainError::Disk { path, source })?;
                disk::replace(&out.join(name), &bytes)?;
            }
        }
        let tokenizer = Tokenizer::from_file(out.join(KEPT[0]))
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        let mut network = Network::new(plan.shape, &mut Random::new(plan.seed));
        let mut optimiser = Optimiser::new(&network.weights, DECAY);
        let path = if resume { out } else { from }.join(CHECKPOINT);
        let state = checkpoint::read(&path, &mut network.weights, &mut optimiser)?;
        let (mut random, mut step) = (Random::new(plan.seed), 0);
        if resume {
            (step, random) = (state.number("step")? as usize, Random::new(state.number("random")?));
        } else {
            // What the optimiser remembers is about other lessons.
            optimiser = Optimiser::new(&network.weights, DECAY);
        }
        Ok(Tuning { network, optimiser, tokenizer, random, step })
    }

    fn batch(
        &mut self,
        plan: &Plan,
        lessons: &mut impl FnMut(&mut Random) -> Lesson,
    ) -> Result<Batch, TrainError> {
        let mut batch = Batch::default();
        while batch.tokens.len() < plan.batch {
            let lesson = lessons(&mut self.random);
            let mut turns = Vec::with_capacity(lesson.turns.len());
            for Turn { asked, said } in &lesson.turns {
                turns.push((encode(&self.tokenizer, asked)?, encode(&self.tokenizer, said)?));
            }
            let length: usize = turns.iter().map(|(asked, said)| asked.len() + said.len()).sum();
            if length <= plan.shape.context {
                batch.add(&turns);
            }
        }
        Ok(batch)
    }

    fn write(&self, out: &Path, plan: &Plan) -> Result<(), TrainError> {
        let mut state = State::default();
        for (name, number) in [("step", self.step as u64), ("random", self.random.state())] {
            state.numbers.insert(name.to_owned(), number);
        }
        checkpoint::write(&out.join(CHECKPOINT), &self.network.weights, &self.optimiser, &state)?;
        export::write(&self.network, &plan.name, out)
    }
}
