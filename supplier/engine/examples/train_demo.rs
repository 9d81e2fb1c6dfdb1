//! Trains the demo model: `cargo run --release -p engine --features train --example train_demo OUT`.

use engine::train::{Plan, demo};
use std::time::Instant;

// Training makes and drops many large tensors: the system's allocator gives each back at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("say where the model goes")?;
    let mut plan = Plan::demo();
    if let Some(steps) = std::env::args().nth(2) {
        plan.steps = steps.parse()?;
    }
    let began = Instant::now();
    demo(out.as_ref(), &plan, |progress| {
        if progress.step % 20 == 0 || progress.step == progress.steps {
            let (step, steps, loss) = (progress.step, progress.steps, progress.loss);
            println!("step {step} of {steps}, loss {loss:.3}, {:?}", began.elapsed());
        }
    })?;
    Ok(())
}
