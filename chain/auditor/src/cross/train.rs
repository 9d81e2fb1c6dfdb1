//! Trains a cross-encoder from nothing: first to guess words that are hidden, then to tell good
//! answers from bad ones.
//!
//! It is taught forms: whether an answer is one to such a question, whole, in order and without more.
//! Wrong values are no form, and a network of this size would learn its questions by heart instead.

use super::network::{Network, Part, Texts};
use super::{Config, weights};
use crate::pairs::{Pair, Pairs, Part as Split};
use engine::train::TrainError;
use engine::train::checkpoint::{self, State};
use engine::train::disk;
use engine::train::optimiser::Optimiser;
use engine::train::random::Random;
use engine::train::tape::Tape;
use engine::train::weights::{Role, Weights};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use tokenizers::Tokenizer;

mod vocabulary;

/// What is trained, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    pub config: Config,
    /// People whose facts are among the pairs.
    pub people: usize,
    pub steps: usize,
    /// The share of the steps in which hidden words are guessed and nothing else.
    pub words: f64,
    /// Pairs of one step.
    pub batch: usize,
    pub rate: f64,
    pub seed: u64,
    pub checkpoint_every: usize,
}

impl Plan {
    /// The plan of the cross-encoder for the demo model's answers.
    pub fn demo() -> Plan {
        let labels = [("0", "bad"), ("1", "good")];
        let labels = labels.map(|(i, label)| (i.to_owned(), label.to_owned()));
        let config = Config {
            model_type: "bert".to_owned(),
            vocab_size: 1536,
            hidden_size: 192,
            num_hidden_layers: 3,
            num_attention_heads: 6,
            intermediate_size: 512,
            hidden_act: "gelu".to_owned(),
            max_position_embeddings: 256,
            type_vocab_size: 2,
            layer_norm_eps: 1e-6,
            id2label: Some(BTreeMap::from(labels)),
        };
        Plan {
            config,
            people: 3_000,
            steps: 2_200,
            words: 0.25,
            batch: 64,
            rate: 1.5e-3,
            seed: 7,
            checkpoint_every: 200,
        }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub step: usize,
    pub steps: usize,
    /// Whether hidden words were guessed; else answers were told apart.
    pub words: bool,
    pub loss: f32,
}

const WARM_UP: usize = 100;
const DECAY: f32 = 0.05;
/// The share of the steps in which the rate falls to nothing.
const FALL: f64 = 0.5;
/// One word in so many is hidden.
const HIDDEN_EVERY: usize = 5;
/// One word of a question in so many is hidden while answers are told apart.
const DROPPED_EVERY: usize = 12;
/// One step in so many still guesses words in the second part.
const WORDS_EVERY: usize = 4;
const CHECKPOINT: &str = "checkpoint.safetensors";

struct Training {
    network: Network,
    optimiser: Optimiser,
    tokenizer: Tokenizer,
    pairs: Pairs,
    random: Random,
    step: usize,
}

/// Trains by `plan` and writes the files into `out`; with `resume` goes on from the checkpoint
/// there. Ends early, with a checkpoint, when `progress` says so.
pub fn train(
    out: &Path,
    plan: &Plan,
    resume: bool,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let mut training = Training::begin(out, plan, resume)?;
    let mut tape = Tape::default();
    while training.step < plan.steps {
        // Once answers are told apart, some steps still guess words, lest they be forgotten.
        let first = (plan.steps as f64 * plan.words) as usize;
        let words = training.step < first || training.step % WORDS_EVERY == 0;
        let loss = training.learn(&mut tape, plan, words)?;
        training.optimiser.step(&mut training.network.weights, rate(plan, training.step) as f32);
        training.step += 1;
        let (step, steps) = (training.step, plan.steps);
        let on = progress(Progress { step, steps, words, loss });
        if step % plan.checkpoint_every == 0 || step == steps || !on {
            training.write(out)?;
        }
        if !on {
            break;
        }
    }
    Ok(())
}

fn rate(plan: &Plan, step: usize) -> f64 {
    let rise = (step + 1) as f64 / WARM_UP as f64;
    let fall = (plan.steps - step) as f64 / (plan.steps as f64 * FALL).max(1.0);
    plan.rate * rise.min(fall).min(1.0)
}

impl Training {
    fn begin(out: &Path, plan: &Plan, resume: bool) -> Result<Training, TrainError> {
        let facts = engine::train::lessons(plan.people);
        let path = out.join("tokenizer.json");
        if !resume {
            let texts = facts.iter().flat_map(|fact| fact.questions.iter().chain(&fact.answers));
            let tokenizer = vocabulary::train(texts, plan.config.vocab_size)?;
            disk::replace(&path, tokenizer.as_bytes())?;
        }
        let wrong = |error: tokenizers::Error| TrainError::Tokenizer(error.to_string());
        let mut tokenizer = Tokenizer::from_file(&path).map_err(wrong)?;
        tokenizer.with_truncation(Some(plan.config.truncation())).map_err(wrong)?;
        let mut random = Random::new(plan.seed);
        let network = begin(&plan.config, &mut random);
        let optimiser = Optimiser::new(&network.weights, DECAY);
        let pairs = Pairs::new(plan.people, Split::Taught);
        let mut training = Training { network, optimiser, tokenizer, pairs, random, step: 0 };
        if resume {
            let path = out.join(CHECKPOINT);
            let state =
                checkpoint::read(&path, &mut training.network.weights, &mut training.optimiser)?;
            training.step = state.number("step")? as usize;
            training.random = Random::new(state.number("random")?);
        }
        Ok(training)
    }

    fn learn(&mut self, tape: &mut Tape, plan: &Plan, words: bool) -> Result<f32, TrainError> {
        let pairs: Vec<Pair> = (0..plan.batch)
            .map(|_| {
                if words {
                    self.pairs.good(&mut self.random)
                } else {
                    self.pairs.form(&mut self.random)
                }
            })
            .collect();
        let mut texts = self.encode(&pairs)?;
        let (logits, answers) = if words {
            let (places, answers) = self.hide(&mut texts);
            (self.network.words(tape, &texts, &places), answers)
        } else {
            let answers = pairs.iter().map(|pair| u32::from(pair.cheat.is_none())).collect();
            self.drop(&mut texts);
            (self.network.classify(tape, &texts), answers)
        };
        let losses = tape.cross_entropy(logits, &answers);
        tape.backward(&mut self.network.weights);
        Ok(losses.iter().sum::<f32>() / losses.len().max(1) as f32)
    }

    fn encode(&self, pairs: &[Pair]) -> Result<Texts, TrainError> {
        let mut texts = Texts::default();
        for pair in pairs {
            let encoded =
                self.tokenizer.encode((pair.question.as_str(), pair.answer.as_str()), true);
            let encoded = encoded.map_err(|error| TrainError::Tokenizer(error.to_string()))?;
            texts.push(encoded.get_ids(), encoded.get_type_ids());
        }
        Ok(texts)
    }

    /// Hides some words; gives their places and what they were.
    fn hide(&mut self, texts: &mut Texts) -> (Vec<u32>, Vec<u32>) {
        let (mut places, mut answers) = (Vec::new(), Vec::new());
        for (place, token) in texts.tokens.iter_mut().enumerate() {
            if *token >= vocabulary::CONTROL.len() as u32 && self.random.below(HIDDEN_EVERY) == 0 {
                places.push(place as u32);
                answers.push(*token);
                *token = match self.random.below(10) {
                    0 => *token,
                    1 => self.random.below(self.network.config.vocab_size) as u32,
                    _ => vocabulary::MASK,
                };
            }
        }
        (places, answers)
    }

    /// Hides some words of questions, so that no question is told by heart.
    fn drop(&mut self, texts: &mut Texts) {
        for (token, kind) in texts.tokens.iter_mut().zip(&texts.types) {
            let word = *kind == 0 && *token >= vocabulary::CONTROL.len() as u32;
            if word && self.random.below(DROPPED_EVERY) == 0 {
                *token = vocabulary::MASK;
            }
        }
    }

    fn write(&self, out: &Path) -> Result<(), TrainError> {
        let mut state = State::default();
        for (name, number) in [("step", self.step as u64), ("random", self.random.state())] {
            state.numbers.insert(name.to_owned(), number);
        }
        checkpoint::write(&out.join(CHECKPOINT), &self.network.weights, &self.optimiser, &state)?;
        let path = out.join("model.safetensors");
        let damaged = |reason: String| TrainError::Damaged { path: path.clone(), reason };
        let bytes =
            weights::bytes(&self.network.weights).map_err(|error| damaged(error.to_string()))?;
        disk::replace(&path, &bytes)?;
        let config = serde_json::to_string_pretty(&self.network.config);
        let config = config.map_err(|error| damaged(error.to_string()))? + "\n";
        disk::replace(&out.join("config.json"), config.as_bytes())
    }
}

/// A network that knows nothing yet.
fn begin(config: &Config, random: &mut Random) -> Network {
    let made =
        Network::build(config.clone(), &mut |weights: &mut Weights, name, part, [rows, width]| {
            Ok::<_, Infallible>(match part {
                Part::Table => weights.draw(name, Role::Table, (rows, width), 0.02, random),
                Part::Matrix => weights.draw(name, Role::Matrix, (rows, width), 0.02, random),
                Part::Bias => weights.line(name, width, 0.0),
                Part::NormWeight => weights.line(name, width, 1.0),
            })
        });
    match made {
        Ok(network) => network,
        Err(never) => match never {},
    }
}
