//! A model learns from nothing to say one thing after another, whatever that is.
//!
//! Who calls this brings the tokenizer and the lessons. What comes out is a model for that one work.

use super::checkpoint::{self, State};
use super::data::{Batch, encode};
use super::network::Network;
use super::optimiser::Optimiser;
use super::random::Random;
use super::tape::Tape;
use super::{CHECKPOINT, DECAY, Plan, Progress, TrainError, export, rate, vocabulary};
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

/// The loss below which an answer counts as known: it has more than half of the chances.
const KNOWN: f32 = std::f32::consts::LN_2;

struct Training {
    network: Network,
    optimiser: Optimiser,
    tokenizer: Tokenizer,
    random: Random,
    step: usize,
}

/// Teaches a new model with this tokenizer what `lessons` draws for each step, and writes it into `out`;
/// with `resume` goes on from the checkpoint there. Lessons longer than the model's context are left out.
pub fn teach(
    out: &Path,
    tokenizer: impl FnOnce() -> Result<Tokenizer, TrainError>,
    plan: &Plan,
    resume: bool,
    mut lessons: impl FnMut(usize, &mut Random) -> Lesson,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let mut training = Training::begin(out, tokenizer, plan, resume)?;
    let mut tape = Tape::default();
    while training.step < plan.steps {
        let batch = training.batch(plan, &mut lessons)?;
        let losses = training.network.learn(&mut tape, &batch);
        training.optimiser.step(&mut training.network.weights, rate(plan, training.step) as f32);
        training.step += 1;
        let (step, steps) = (training.step, plan.steps);
        let count = losses.len().max(1) as f32;
        let loss = losses.iter().sum::<f32>() / count;
        let known = losses.iter().filter(|loss| **loss < KNOWN).count() as f32 / count;
        let tokens = batch.tokens.len();
        let on = progress(Progress { step, steps, loss, known, tokens, written: false });
        if step % plan.checkpoint_every == 0 || step == steps || !on {
            training.write(out, plan)?;
        }
        if !on {
            break;
        }
    }
    Ok(())
}

impl Training {
    fn begin(
        out: &Path,
        tokenizer: impl FnOnce() -> Result<Tokenizer, TrainError>,
        plan: &Plan,
        resume: bool,
    ) -> Result<Training, TrainError> {
        let mut random = Random::new(plan.seed);
        let mut network = Network::new(plan.shape, &mut random);
        let mut optimiser = Optimiser::new(&network.weights, DECAY);
        if !resume {
            let tokenizer = tokenizer()?;
            vocabulary::write(&tokenizer, out)?;
            return Ok(Training { network, optimiser, tokenizer, random, step: 0 });
        }
        let tokenizer = Tokenizer::from_file(out.join("tokenizer.json"))
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        let path = out.join(CHECKPOINT);
        let state = checkpoint::read(&path, &mut network.weights, &mut optimiser)?;
        let (step, random) = (state.number("step")? as usize, Random::new(state.number("random")?));
        Ok(Training { network, optimiser, tokenizer, random, step })
    }

    fn batch(
        &mut self,
        plan: &Plan,
        lessons: &mut impl FnMut(usize, &mut Random) -> Lesson,
    ) -> Result<Batch, TrainError> {
        let mut batch = Batch::default();
        while batch.tokens.len() < plan.batch {
            let lesson = lessons(self.step, &mut self.random);
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
