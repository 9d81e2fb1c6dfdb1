//! Makes a judge that compares, from nothing: `train_judge OUT [--steps N] [--resume] [--minutes N]`.

use auditor::judge::train::{plan, train};
use engine::train::Progress;
use std::path::PathBuf;
use std::time::{Duration, Instant};

// Training makes and drops many large vectors: they come back sooner than from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps between lines of progress.
const SHOWN_EVERY: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    engine::limit_threads(1);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = arguments.first().map(PathBuf::from).ok_or("say where the judge goes")?;
    let number = |name: &str| -> Result<Option<usize>, Box<dyn std::error::Error>> {
        let place = arguments.iter().position(|argument| argument == name);
        let text = place.and_then(|place| arguments.get(place + 1));
        Ok(text.map(|text| text.parse()).transpose()?)
    };
    let mut plan = plan();
    plan.steps = number("--steps")?.unwrap_or(plan.steps);
    let until = number("--minutes")?.map(|minutes| Duration::from_secs(60 * minutes as u64));
    let resume = arguments.iter().any(|argument| argument == "--resume");
    let (began, mut first) = (Instant::now(), None);
    let (mut losses, mut known) = (0.0, 0.0);
    train(&out, &plan, resume, |progress: Progress| {
        let Progress { step, steps, .. } = progress;
        let first = *first.get_or_insert(step - 1);
        (losses, known) = (losses + progress.loss, known + progress.known);
        let took = began.elapsed();
        if step % SHOWN_EVERY == 0 || step == steps {
            let left = took.div_f64((step - first) as f64).mul_f64((steps - step) as f64);
            let mean = |sum: f32| sum / SHOWN_EVERY as f32;
            println!(
                "step {step} of {steps}, loss {:.3}, known {:.1} %, {} min left",
                mean(losses),
                100.0 * mean(known),
                left.as_secs() / 60
            );
            (losses, known) = (0.0, 0.0);
        }
        until.is_none_or(|until| took < until)
    })?;
    Ok(())
}
