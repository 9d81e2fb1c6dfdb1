//! Trains the demo model: `train_demo OUT [--small] [--steps N] [--resume] [--minutes N]`.
//!
//! An interrupted training goes on from its last checkpoint with `--resume`; `--minutes` stops it
//! after a while with a checkpoint. A larger `--steps` on the way lets the rate stay up longer.

use engine::train::{Plan, Progress, demo, examine, questions};
use std::path::PathBuf;
use std::time::{Duration, Instant};

// Training makes and drops many large vectors: they come back sooner than from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Questions of an examination on the way.
const SAMPLE: usize = 240;

/// Steps between lines of progress.
const SHOWN_EVERY: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    engine::limit_threads(1);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = PathBuf::from(arguments.first().ok_or("say where the model goes")?);
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let number = |name: &str| -> Result<Option<usize>, Box<dyn std::error::Error>> {
        let place = arguments.iter().position(|argument| argument == name);
        let text = place.and_then(|place| arguments.get(place + 1));
        Ok(text.map(|text| text.parse()).transpose()?)
    };
    let mut plan = if has("--small") { Plan::small() } else { Plan::demo() };
    plan.steps = number("--steps")?.unwrap_or(plan.steps);
    let until = number("--minutes")?.map(|minutes| Duration::from_secs(60 * minutes as u64));
    let (began, mut first, mut tokens) = (Instant::now(), None, 0);
    let all = questions(&plan);
    let every = (all.len() / SAMPLE).max(1);
    let sample: Vec<_> = all.iter().step_by(every).cloned().collect();
    demo(&out, &plan, has("--resume"), |progress: Progress| {
        let Progress { step, steps, loss, known, written, .. } = progress;
        let first = *first.get_or_insert(step - 1);
        tokens += progress.tokens;
        let took = began.elapsed();
        if written && plan.people > 0 {
            match examine(&out, &sample) {
                Ok(score) => {
                    println!("step {step}: {} of {} answers right", score.right, score.asked)
                }
                Err(error) => println!("step {step}: no examination: {error}"),
            }
        } else if step % SHOWN_EVERY == 0 || step == steps {
            let left = took.div_f64((step - first) as f64).mul_f64((steps - step) as f64);
            let rate = tokens as f64 / took.as_secs_f64();
            println!(
                "step {step} of {steps}, loss {loss:.3}, known {:.1} %, {rate:.0} tokens/s, {} min left",
                100.0 * known,
                left.as_secs() / 60
            );
        }
        until.is_none_or(|until| took < until)
    })?;
    if plan.people > 0 {
        let score = examine(&out, &all)?;
        println!(
            "{} of {} answers right: {:.1} %",
            score.right,
            score.asked,
            100.0 * score.share()
        );
    }
    Ok(())
}
