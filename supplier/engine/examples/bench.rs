//! Measures a model: `bench FOLDER [PROMPT] [STEPS] [TRIES] [BATCH…]`, with `CORES=2` for two threads.
//!
//! Prints the best tokens a second of reading a prompt, and of going on with several texts at once.
#![allow(clippy::unwrap_used)]

use engine::{Cache, Chunk, Model, Room, Slot};
use std::path::Path;
use std::time::Instant;

/// The allocator of `lode`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tokens of a prompt that go into one step, as in a supplier.
const PIECE: usize = 256;

fn main() {
    let cores = std::env::var("CORES").map_or(1, |cores| cores.parse().unwrap());
    engine::limit_threads(cores);
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize, other| arguments.get(i).map_or(other, |text| text.parse().unwrap());
    let (prompt, steps, tries) = (number(2, 512), number(3, 48), number(4, 5));
    let model = Model::load(Path::new(&arguments[1])).unwrap();
    println!("{}", model.report());
    let batches = match arguments.len() {
        ..=5 => vec![1, 8],
        count => (5..count).map(|i| number(i, 1)).collect(),
    };
    if prompt > 0 {
        let mut cache = model.cache(1);
        let best = (0..tries).map(|i| read(&model, &mut cache, prompt, i)).fold(0.0, f64::max);
        println!("prompt of {prompt}: {best:.0} tokens/s");
    }
    for batch in batches.into_iter().filter(|_| steps > 0) {
        // Others share the machine: the best try counts.
        let mut cache = model.cache_of(Room { sequences: batch, pages: 1024 });
        let once = |_| go_on(&model, &mut cache, batch, steps);
        let best = (0..tries).map(once).fold(f64::INFINITY, f64::min);
        let (ms, rate) = (best * 1e3, batch as f64 / best);
        println!("batch of {batch}: {ms:.2} ms a step, {rate:.1} tokens/s");
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

/// Reads a prompt that begins otherwise than those before it, so that nothing of it is known.
fn read(model: &Model, cache: &mut Cache, prompt: usize, first: usize) -> f64 {
    let mut tokens = tokens(model, prompt);
    tokens[0] = first as u32;
    let slot = cache.take().unwrap();
    let began = Instant::now();
    tokens.chunks(PIECE).for_each(|piece| step(model, cache, &[slot], piece));
    let took = began.elapsed().as_secs_f64();
    cache.free(slot);
    prompt as f64 / took
}

/// Seconds of a step of `batch` texts, the mean of `steps`.
fn go_on(model: &Model, cache: &mut Cache, batch: usize, steps: usize) -> f64 {
    let slots: Vec<Slot> = (0..batch).map(|_| cache.take_for(&[], 256).unwrap().0).collect();
    let began = Instant::now();
    for _ in 0..steps {
        step(model, cache, &slots, &tokens(model, batch));
    }
    let took = began.elapsed().as_secs_f64() / steps as f64;
    slots.into_iter().for_each(|slot| cache.free(slot));
    took
}
