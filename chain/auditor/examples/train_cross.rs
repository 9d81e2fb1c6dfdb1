//! Trains the cross-encoder: `train_cross OUT [--steps N] [--people N] [--resume] [--minutes N]`.
//!
//! An interrupted training goes on from its last checkpoint with `--resume`; `--minutes` stops it
//! after a while with a checkpoint.

use auditor::cross::train::{Plan, Progress, train};
use std::path::PathBuf;
use std::time::{Duration, Instant};

// Training makes and drops many large vectors: they come back sooner than from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps between lines of progress.
const SHOWN_EVERY: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = PathBuf::from(arguments.first().ok_or("say where the model goes")?);
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let number = |name: &str| -> Result<Option<usize>, Box<dyn std::error::Error>> {
        let place = arguments.iter().position(|argument| argument == name);
        let text = place.and_then(|place| arguments.get(place + 1));
        Ok(text.map(|text| text.parse()).transpose()?)
    };
    let mut plan = Plan::demo();
    plan.steps = number("--steps")?.unwrap_or(plan.steps);
    plan.people = number("--people")?.unwrap_or(plan.people);
    let until = number("--minutes")?.map(|minutes| Duration::from_secs(60 * minutes as u64));
    let (began, mut first) = (Instant::now(), None);
    // The mean loss of guessing words, and of telling answers apart, since the last line.
    let mut losses = [(0.0, 0); 2];
    train(&out, &plan, has("--resume"), |progress: Progress| {
        let Progress { step, steps, words, loss } = progress;
        let first = *first.get_or_insert(step - 1);
        let (sum, count) = &mut losses[usize::from(!words)];
        (*sum, *count) = (*sum + loss, *count + 1);
        let took = began.elapsed();
        if step % SHOWN_EVERY == 0 || step == steps {
            let left = took.div_f64((step - first) as f64).mul_f64((steps - step) as f64);
            let [words, pairs] = losses.map(|(sum, count)| sum / count.max(1) as f32);
            let left = left.as_secs() / 60;
            println!(
                "step {step} of {steps}, words {words:.3}, answers {pairs:.3}, {left} min left"
            );
            losses = [(0.0, 0); 2];
        }
        until.is_none_or(|until| took < until)
    })?;
    Ok(())
}
