//! Trains the demo model: a grammar of facts, a tokenizer, a small Llama, a GGUF file.
//!
//! The same seed gives the same data and the same beginning; one core trains it in some twenty
//! minutes. Nothing is fetched from anywhere.

mod data;
mod export;
mod facts;
mod network;
mod random;
mod vocabulary;

pub use facts::Fact;
pub use network::Shape;

use candle_core::Device;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use network::Network;
use std::path::{Path, PathBuf};

/// How the model is trained.
#[derive(Clone, Debug)]
pub struct Plan {
    pub shape: Shape,
    pub steps: usize,
    /// Rows in one step.
    pub batch: usize,
    /// Tokens in a row.
    pub length: usize,
    /// The highest learning rate, reached after the warm-up.
    pub rate: f64,
    pub seed: u64,
}

impl Plan {
    /// The plan of the model that is shipped.
    pub fn demo() -> Plan {
        let shape = Shape {
            vocabulary: 1024,
            hidden: 256,
            feed_forward: 512,
            layers: 4,
            heads: 8,
            kv_heads: 4,
            context: 512,
        };
        Plan { shape, steps: 900, batch: 16, length: 112, rate: 2e-3, seed: 20_26 }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub step: usize,
    pub steps: usize,
    /// Cross entropy of the answers' tokens, in nats.
    pub loss: f32,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the tokenizer could not be trained: {0}")]
    Tokenizer(String),
    #[error("the tensors: {0}")]
    Tensor(#[from] candle_core::Error),
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
}

/// Steps until the learning rate is at its highest.
const WARM_UP: usize = 60;

/// Steps after which the model as it is then is written: it can be tried before it is done.
const KEPT_EVERY: usize = 400;

/// Trains by `plan` and writes the model's files into `out`.
pub fn demo(out: &Path, plan: &Plan, mut progress: impl FnMut(Progress)) -> Result<(), TrainError> {
    let facts = facts::all();
    let tokenizer = vocabulary::train(&data::texts(&facts), plan.shape.vocabulary)?;
    let mut random = random::Random::new(plan.seed);
    let network = Network::new(plan.shape, &mut random, &Device::Cpu)?;
    let settings = ParamsAdamW { lr: 0.0, beta2: 0.99, weight_decay: 0.05, ..Default::default() };
    vocabulary::write(&tokenizer, out)?;
    let mut optimizer = AdamW::new(network.variables(), settings)?;
    for step in 0..plan.steps {
        optimizer.set_learning_rate(rate(plan, step));
        let rows = data::rows(&facts, &tokenizer, plan.batch, plan.length, &mut random)?;
        let loss = network.loss(&rows)?;
        optimizer.backward_step(&loss)?;
        progress(Progress { step: step + 1, steps: plan.steps, loss: loss.to_scalar()? });
        if (step + 1) % KEPT_EVERY == 0 || step + 1 == plan.steps {
            export::write(&network, out)?;
        }
    }
    Ok(())
}

/// Rises for [`WARM_UP`] steps, then falls to a fiftieth along a cosine.
fn rate(plan: &Plan, step: usize) -> f64 {
    if step < WARM_UP {
        return plan.rate * (step + 1) as f64 / WARM_UP as f64;
    }
    let done = (step - WARM_UP) as f64 / plan.steps.saturating_sub(WARM_UP).max(1) as f64;
    let cosine = (1.0 + (std::f64::consts::PI * done).cos()) / 2.0;
    plan.rate * (0.02 + 0.98 * cosine)
}

/// The questions with which a trained model is examined: one for each fact, with what a right
/// answer contains.
pub fn examination() -> Vec<(String, String)> {
    facts::all().into_iter().map(|fact| (fact.questions[0].clone(), fact.key)).collect()
}
