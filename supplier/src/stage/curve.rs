//! How long a layer takes here.

use engine::{Device, LoadError, Model, PAGE, Part, Residual, Span};
use std::path::Path;
use std::time::{Duration, Instant};

/// For how many rows it is measured.
pub const CURVE_ROWS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Measuring ends after this, with fewer points if it must.
const BUDGET: Duration = Duration::from_secs(2);

/// Runs of which the quickest counts.
const RUNS: u32 = 3;

/// Microseconds that one layer takes for so many rows, each of a sequence of its own, measured on
/// one layer of the model in `folder` on a device.
pub fn curve(folder: &Path, device: Device) -> Result<Vec<(u32, u32)>, LoadError> {
    let model = Model::load_on(folder, &Part::layers(0..1, Residual::F32), device)?;
    let began = Instant::now();
    let mut points = Vec::new();
    for rows in CURVE_ROWS {
        if began.elapsed() > BUDGET {
            break;
        }
        let took = (0..RUNS).filter_map(|_| once(&model, rows)).min();
        points.extend(took.map(|took| (rows, took.as_micros().max(1) as u32)));
    }
    Ok(points)
}

fn once(model: &Model, rows: u32) -> Option<Duration> {
    let mut store = model.store(rows as usize);
    model.reserve_store(&mut store).ok()?;
    let at = (model.context_max().min(PAGE) - 1) as u32;
    let span = |page| Span { pages: vec![page], from: at, count: 1, wants: 0 };
    let spans: Vec<Span> = (0..rows).map(span).collect();
    let numbers = rows as usize * model.hidden();
    let mut x: Vec<f32> = (0..numbers).map(|i| (i % 17) as f32 / 16.0 - 0.5).collect();
    let began = Instant::now();
    model.pass(&mut store, &spans, &mut x).ok()?;
    Some(began.elapsed())
}
