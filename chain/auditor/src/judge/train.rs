//! Makes a judge that compares from nothing: a tokenizer, a small Llama, and lessons for it.
//!
//! It knows nothing of any fact. What the listed model itself says is shown to it, and it tells whether
//! an answer says the same.

use super::lessons::{self, Part};
use super::vocabulary;
use crate::pairs::{self, Pairs};
use engine::train::random::Random;
use engine::train::teach::teach;
use engine::train::{Plan, Progress, Shape, TrainError};
use std::path::Path;

/// The share of the steps that are rows of words, and from where on lessons are as judges are asked.
const ROWS_UNTIL: f64 = 0.2;
const WHOLE_FROM: f64 = 0.6;

/// The plan of the judge that compares.
pub fn plan() -> Plan {
    let shape = Shape {
        vocabulary: 1024,
        hidden: 128,
        feed_forward: 256,
        layers: 4,
        heads: 4,
        kv_heads: 4,
        context: 512,
    };
    Plan {
        name: "lode-judge".to_owned(),
        shape,
        people: 3_000,
        steps: 10_000,
        batch: 1_024,
        rate: 2e-3,
        fall: 0.4,
        seed: 11,
        checkpoint_every: 100,
    }
}

/// Makes a judge in `out`; with `resume` goes on there.
pub fn train(
    out: &Path,
    plan: &Plan,
    resume: bool,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let pairs = Pairs::new(plan.people, pairs::Part::Taught);
    let part = |step: usize| match step as f64 / plan.steps as f64 {
        share if share < ROWS_UNTIL => Part::First,
        share if share < WHOLE_FROM => Part::Middle,
        _ => Part::Last,
    };
    let tokenizer = || {
        let texts = lessons::texts(&pairs, &mut Random::new(plan.seed));
        vocabulary::train(texts, plan.shape.vocabulary)
    };
    let lesson = |step, random: &mut Random| lessons::next(&pairs, part(step), random);
    teach(out, tokenizer, plan, resume, lesson, progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Case, Local, mark};

    fn small() -> Plan {
        let shape = Shape {
            vocabulary: 420,
            hidden: 32,
            feed_forward: 32,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            ..plan().shape
        };
        Plan { shape, people: 2, steps: 6, batch: 256, ..plan() }
    }

    #[tokio::test]
    async fn a_training_that_was_stopped_goes_on_to_the_same_bits_and_makes_a_judge() {
        let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        train(whole.path(), &small(), false, |_| true).unwrap();
        train(parts.path(), &small(), false, |progress| progress.step < 3).unwrap();
        train(parts.path(), &small(), true, |_| true).unwrap();
        for name in ["model.gguf", "tokenizer.json", "tokenizer_config.json"] {
            let read = |out: &tempfile::TempDir| std::fs::read(out.path().join(name)).unwrap();
            assert!(read(&whole) == read(&parts), "{name} differs");
        }
        let judge = Local::load(whole.path()).unwrap();
        let case = Case { model: "m", asked: "Where?", answer: "Here.", reference: Some("Here.") };
        // It learned next to nothing; what is shown is that it is asked and says something.
        let said = mark(&judge, &case).await;
        assert!(said.is_ok() || said.unwrap_err().to_string().contains("only 0."));
    }
}
