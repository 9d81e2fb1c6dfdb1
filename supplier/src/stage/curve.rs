//! How long layers, and a model's two ends, take here.

use engine::{Cache, Chunk, LoadError, Model, Outline, PAGE, Part, Residual, Said, Sampling, Span};
use engine::{last_rows, leaders, sample};
use std::path::Path;
use std::time::{Duration, Instant};

/// For how many rows it is measured.
pub const CURVE_ROWS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Measuring ends after this, with fewer points if it must.
const BUDGET: Duration = Duration::from_secs(2);

/// Runs of which the quickest counts.
const RUNS: u32 = 3;

/// So many bytes of layers are run one after the other: more than caches of processors hold. A
/// layer that is run alone comes from there, and takes half as long as it will.
const COLD: usize = 256 << 20;

/// Microseconds that one layer takes for so many rows, each of a sequence of its own, measured on
/// the first layers of the model in `folder`. `memory`: bytes that weights may take.
pub fn curve(folder: &Path, memory: u64) -> Result<Vec<(u32, u32)>, LoadError> {
    let outline = Outline::read(folder)?;
    let bytes = COLD.min(usize::try_from(memory).unwrap_or(usize::MAX));
    let layers = (bytes / outline.layer_bytes.max(1)).clamp(1, outline.layers);
    let model = Model::load_part(folder, &Part::layers(0..layers, Residual::F32))?;
    let each = |took: Duration| took / layers as u32;
    Ok(points(|rows| through(&model, rows).map(each)))
}

/// Microseconds that embedding, head, choosing tokens and their evidence take for so many rows.
pub fn ends(folder: &Path) -> Result<Vec<(u32, u32)>, LoadError> {
    let model = Model::load_part(folder, &Part::head(0, Residual::F32))?;
    Ok(points(|rows| around(&model, rows)))
}

fn points(once: impl Fn(u32) -> Option<Duration>) -> Vec<(u32, u32)> {
    let began = Instant::now();
    let rows = CURVE_ROWS.into_iter().take_while(|_| began.elapsed() < BUDGET);
    let quickest = |rows| (0..RUNS).filter_map(|_| once(rows)).min().map(|took| (rows, took));
    rows.filter_map(quickest).map(|(rows, took)| (rows, took.as_micros().max(1) as u32)).collect()
}

fn through(model: &Model, rows: u32) -> Option<Duration> {
    let mut store = model.store(rows as usize);
    let at = (model.context_max().min(PAGE) - 1) as u32;
    let span = |page| Span { pages: vec![page], from: at, count: 1, wants: 0 };
    let spans: Vec<Span> = (0..rows).map(span).collect();
    let numbers = rows as usize * model.hidden();
    let fresh = || (0..numbers).map(|i| (i % 17) as f32 / 16.0 - 0.5).collect::<Vec<f32>>();
    // The first pass takes the memory of the pages.
    model.pass(&mut store, &spans, &mut fresh()).ok()?;
    let mut x = fresh();
    let began = Instant::now();
    model.pass(&mut store, &spans, &mut x).ok()?;
    Some(began.elapsed())
}

fn around(model: &Model, rows: u32) -> Option<Duration> {
    let mut cache: Cache = model.cache(rows as usize);
    let slots: Vec<_> = (0..rows).map_while(|_| cache.take().ok()).collect();
    let chunk = |slot: &_| Chunk { slot: *slot, tokens: &[0], wants_logits: true };
    let chunks: Vec<Chunk<'_>> = slots.iter().map(chunk).collect();
    let began = Instant::now();
    let (spans, x) = model.enter(&mut cache, &chunks).ok()?;
    for logits in model.leave(&last_rows(&spans, model.hidden(), &x)).ok()? {
        sample(&logits, &Sampling::default(), Said::default(), None);
        leaders::<4>(&logits);
    }
    Some(began.elapsed())
}
