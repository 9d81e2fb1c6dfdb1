//! Trains small models from nothing: a grammar of facts, a tokenizer, a Llama, a GGUF file.
//!
//! One thread computes, and one seed says everything: the same data in the same order, the same
//! beginning. A training can be stopped at any time and goes on where its last checkpoint is.
//! Nothing is fetched from anywhere.
//!
//! ```text
//! facts, people   what is taught; people's facts can be known only by heart
//! data            which conversations come next
//! tape            steps of a network, written down so that gradients can flow back
//! product         products of matrices in single precision
//! optimiser       how weights follow their gradients
//! checkpoint      all that a training needs to go on
//! teach           a model learns whatever it is given
//! exam            what a model knows, asked through the engine itself
//! ```

pub mod checkpoint;
pub mod damage;
mod data;
pub mod disk;
pub mod exam;
mod export;
mod facts;
mod network;
pub mod optimiser;
mod people;
pub mod product;
pub mod random;
pub mod tape;
pub mod teach;
#[cfg(test)]
mod tests;
pub mod vocabulary;
pub mod weights;

pub use facts::Fact;
pub use network::Shape;

use checkpoint::State;
use data::Course;
use exam::{Question, Score};
use network::Network;
use optimiser::Optimiser;
use random::Random;
use std::path::{Path, PathBuf};
use tape::Tape;
use tokenizers::Tokenizer;

/// What is trained, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model's name, as its file says it.
    pub name: String,
    pub shape: Shape,
    /// People whose facts are taught beside what every demo model knows.
    pub people: usize,
    pub steps: usize,
    /// Tokens of one step.
    pub batch: usize,
    /// The learning rate, from the warm-up to where it begins to fall.
    pub rate: f64,
    /// The share of the steps in which the rate falls to nothing.
    pub fall: f64,
    pub seed: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
}

impl Plan {
    /// The larger model: eight layers, and twelve thousand facts that must be known by heart.
    pub fn demo() -> Plan {
        let shape = Shape {
            vocabulary: 3072,
            hidden: 256,
            feed_forward: 512,
            layers: 8,
            heads: 8,
            kv_heads: 4,
            context: 512,
        };
        Plan {
            name: "lode-demo".to_owned(),
            shape,
            people: 3_000,
            steps: 4_000,
            batch: 2_048,
            rate: 2e-3,
            fall: 0.3,
            seed: 20_26,
            checkpoint_every: 100,
        }
    }

    /// The smaller model: four layers, and what can be said in some five hundred facts.
    pub fn small() -> Plan {
        let shape = Shape { vocabulary: 1024, layers: 4, ..Plan::demo().shape };
        Plan { shape, people: 0, steps: 900, ..Plan::demo() }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub step: usize,
    pub steps: usize,
    /// Cross entropy of the answers' tokens, in nats.
    pub loss: f32,
    /// The share of people's facts that were known when they were asked last.
    pub known: f32,
    /// Tokens that were read in this step.
    pub tokens: usize,
    /// Whether the model as it is now was just written.
    pub written: bool,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the tokenizer could not be trained: {0}")]
    Tokenizer(String),
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} is no checkpoint of this training: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("the checkpoint does not say {0}: it is of another training")]
    NotKept(String),
}

/// Steps until the learning rate is at its highest.
const WARM_UP: usize = 50;

/// How much matrices are drawn towards zero.
const DECAY: f32 = 0.05;

/// The name of the checkpoint beside the model.
const CHECKPOINT: &str = "checkpoint.safetensors";

/// A training under way.
struct Training {
    network: Network,
    optimiser: Optimiser,
    course: Course,
    step: usize,
}

/// Trains by `plan` and writes the model's files into `out`; with `resume` goes on from the
/// checkpoint there. Ends early, with a checkpoint, when `progress` says so.
pub fn demo(
    out: &Path,
    plan: &Plan,
    resume: bool,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let mut training = Training::begin(out, plan, resume)?;
    let mut tape = Tape::default();
    while training.step < plan.steps {
        let rate = rate(plan, training.step) as f32;
        let batch = training.course.batch(plan.batch)?;
        let losses = training.network.learn(&mut tape, &batch);
        training.optimiser.step(&mut training.network.weights, rate);
        training.course.note(&batch, &losses);
        training.step += 1;
        let (step, steps) = (training.step, plan.steps);
        let loss = losses.iter().sum::<f32>() / losses.len() as f32;
        let known = training.course.progress.known();
        let tokens = batch.tokens.len();
        let due = step % plan.checkpoint_every == 0 || step == steps;
        let on = progress(Progress { step, steps, loss, known, tokens, written: false });
        if due || !on {
            training.write(out, plan)?;
            progress(Progress { step, steps, loss, known, tokens: 0, written: true });
        }
        if !on {
            break;
        }
    }
    Ok(())
}

impl Training {
    fn begin(out: &Path, plan: &Plan, resume: bool) -> Result<Training, TrainError> {
        let tokenizer = if resume {
            let path = out.join("tokenizer.json");
            Tokenizer::from_file(path).map_err(|error| TrainError::Tokenizer(error.to_string()))?
        } else {
            let tokenizer = vocabulary::train(&data::texts(plan.people), plan.shape.vocabulary)?;
            vocabulary::write(&tokenizer, out)?;
            tokenizer
        };
        let mut random = Random::new(plan.seed);
        let network = Network::new(plan.shape, &mut random);
        let optimiser = Optimiser::new(&network.weights, DECAY);
        let course = Course::new(tokenizer, plan.people, plan.seed)?;
        let mut training = Training { network, optimiser, course, step: 0 };
        if resume {
            training.read(out)?;
        }
        Ok(training)
    }

    fn write(&self, out: &Path, plan: &Plan) -> Result<(), TrainError> {
        let at = &self.course.progress;
        let mut state = State::default();
        for (name, number) in
            [("step", self.step as u64), ("random", at.random.state()), ("at", at.at as u64)]
        {
            state.numbers.insert(name.to_owned(), number);
        }
        state.lines.insert("order".to_owned(), at.order.clone());
        let losses = at.losses.iter().map(|loss| loss.to_bits()).collect();
        state.lines.insert("losses".to_owned(), losses);
        checkpoint::write(&out.join(CHECKPOINT), &self.network.weights, &self.optimiser, &state)?;
        export::write(&self.network, &plan.name, out)
    }

    fn read(&mut self, out: &Path) -> Result<(), TrainError> {
        let path = out.join(CHECKPOINT);
        let state = checkpoint::read(&path, &mut self.network.weights, &mut self.optimiser)?;
        let (order, losses) = (state.line("order")?, state.line("losses")?);
        let at = &mut self.course.progress;
        if [order.len(), losses.len()] != [at.order.len(); 2] {
            let (kept, taught) = (order.len(), at.order.len());
            let reason = format!("it is of {kept} facts about people, but {taught} are taught");
            return Err(TrainError::Damaged { path, reason });
        }
        self.step = state.number("step")? as usize;
        at.random = Random::new(state.number("random")?);
        (at.at, at.order) = (state.number("at")? as usize, order);
        at.losses = losses.into_iter().map(f32::from_bits).collect();
        Ok(())
    }
}

/// Rises for [`WARM_UP`] steps, stays, and falls to nothing in the last part: how long it stays can
/// be decided while the training runs.
fn rate(plan: &Plan, step: usize) -> f64 {
    let rise = (step + 1) as f64 / WARM_UP as f64;
    let falling = (plan.steps as f64 * plan.fall).max(1.0);
    let fall = (plan.steps - step) as f64 / falling;
    plan.rate * rise.min(fall).min(1.0)
}

/// All facts that a model with `people` is taught: first what every demo model knows.
pub fn lessons(people: usize) -> Vec<Fact> {
    facts::common().into_iter().chain(people::all(people)).collect()
}

/// The facts about people, each in a wording that was never taught, with the right answers.
pub fn questions(plan: &Plan) -> Vec<Question> {
    let facts = people::all(plan.people).into_iter().enumerate();
    let ask = |(i, fact): (usize, Fact)| {
        let text = fact.questions[data::held_out(i) % fact.questions.len()].clone();
        Question { text, answers: fact.answers }
    };
    facts.map(ask).collect()
}

/// What every demo model knows, each in its first wording.
pub fn common_questions() -> Vec<Question> {
    let ask = |fact: Fact| Question { text: fact.questions[0].clone(), answers: fact.answers };
    facts::common().into_iter().map(ask).collect()
}

/// Examines the model in `folder`.
pub fn examine(folder: &Path, questions: &[Question]) -> Result<Score, ExamineError> {
    let model = crate::Model::load(folder)?;
    let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))
        .map_err(|error| exam::ExamError::Tokenizer(error.to_string()))?;
    Ok(exam::examine(&model, &tokenizer, questions)?)
}

/// Why a folder's model was not examined.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    #[error(transparent)]
    Load(#[from] crate::LoadError),
    #[error(transparent)]
    Exam(#[from] exam::ExamError),
}
