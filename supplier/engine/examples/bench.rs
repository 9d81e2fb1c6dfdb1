//! Measures a model: `bench FOLDER [PROMPT] [STEPS]`, with `CORES=1` for one thread.
//!
//! Prints tokens a second of reading a prompt, and of going on with one text and with eight.
#![allow(clippy::unwrap_used)]

use engine::{Cache, Chunk, Model, Room, Slot};
use std::path::Path;
use std::time::Instant;

/// A prompt is read this often, and the best time counts: others share the machine.
const TRIES: usize = 5;

/// Tokens of a prompt that go into one step, as in a supplier.
const PIECE: usize = 256;

fn main() {
    let cores = std::env::var("CORES").map_or(1, |cores| cores.parse().unwrap());
    engine::limit_threads(cores);
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize, other| arguments.get(i).map_or(other, |text| text.parse().unwrap());
    let (prompt, steps) = (number(2, 512), number(3, 48));
    let model = Model::load(Path::new(&arguments[1])).unwrap();
    println!("{}", model.report());
    println!("prompt of {prompt}: {:.0} tokens/s", read(&model, prompt));
    for batch in [1, 8] {
        let best = go_on(&model, batch, steps);
        println!(
            "batch of {batch}: {:.2} ms a step, {:.1} tokens/s",
            best * 1e3,
            batch as f64 / best
        );
    }
}

fn tokens(model: &Model, count: usize) -> Vec<u32> {
    (0..count).map(|i| (i * 7919 % model.vocabulary()) as u32).collect()
}

fn step(model: &Model, cache: &mut Cache, slots: &[Slot], tokens: &[u32]) {
    let each = tokens.len() / slots.len();
    let chunk = |(i, slot): (usize, &Slot)| Chunk {
        slot: *slot,
        tokens: &tokens[i * each..(i + 1) * each],
        wants_logits: true,
    };
    let chunks: Vec<Chunk<'_>> = slots.iter().enumerate().map(chunk).collect();
    model.step(cache, &chunks).unwrap();
}

fn read(model: &Model, prompt: usize) -> f64 {
    let tokens = tokens(model, prompt);
    let once = || {
        let mut cache = model.cache(1);
        let slot = cache.take().unwrap();
        let began = Instant::now();
        tokens.chunks(PIECE).for_each(|piece| step(model, &mut cache, &[slot], piece));
        prompt as f64 / began.elapsed().as_secs_f64()
    };
    (0..TRIES).map(|_| once()).fold(0.0, f64::max)
}

/// Seconds of the quickest step of `batch` texts.
fn go_on(model: &Model, batch: usize, steps: usize) -> f64 {
    let mut cache = model.cache_of(Room { sequences: batch, pages: 1024 });
    let slots: Vec<Slot> = (0..batch).map(|_| cache.take_for(&[], 256).unwrap().0).collect();
    let once = |_| {
        let began = Instant::now();
        step(model, &mut cache, &slots, &tokens(model, batch));
        began.elapsed().as_secs_f64()
    };
    (0..steps).map(once).fold(f64::INFINITY, f64::min)
}
