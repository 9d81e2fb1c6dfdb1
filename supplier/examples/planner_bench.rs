//! How good plans are and how long they take: `planner_bench [CASES]`.
//!
//! For up to twelve boxes beside the head, plans are the best there are. They are set beside those of
//! EdgeShard's recurrence (arXiv 2405.14371): layer by layer, the least time to have this layer on this
//! box, with the memory that the way there has left. It keeps one way for each box, so it may have
//! used up the memory that a better way needs. Beyond twelve boxes the gap is to the bound.
#![allow(clippy::unwrap_used)]

use std::time::Instant;
use supplier::plan::{Place, Plan, Problem, plan};

fn main() {
    let cases: u64 = std::env::args().nth(1).map_or(200, |text| text.parse().unwrap());
    println!(
        "boxes  layers  median s  worst s  gap mean %  gap worst %   (to the best or the bound)"
    );
    for (boxes, layers, cases) in
        [(4, 32, cases), (8, 32, cases), (12, 32, 8), (24, 64, 8), (64, 80, 4)]
    {
        of(boxes, layers, 16, cases);
    }
    edgeshard(cases);
}

fn of(boxes: usize, layers: usize, answers: usize, cases: u64) {
    let (mut took, mut gaps) = (Vec::new(), Vec::new());
    for seed in 0..cases {
        let problem = random(boxes, layers, answers, seed);
        let began = Instant::now();
        let Ok(Plan { cycle, bound, .. }) = plan(&problem) else { continue };
        took.push(began.elapsed().as_secs_f64());
        gaps.push((cycle / bound - 1.0) * 100.0);
    }
    took.sort_by(f64::total_cmp);
    gaps.sort_by(f64::total_cmp);
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{boxes:5}  {layers:6}  {median:8.3}  {worst:7.3}  {mean:10.2}  {:11.2}",
        gaps[gaps.len() - 1]
    );
}

/// How much longer a token takes by EdgeShard's recurrence, where it finds a plan at all.
fn edgeshard(cases: u64) {
    let (mut gaps, mut none) = (Vec::new(), 0);
    for seed in 0..cases {
        let problem = random(6, 32, 1, seed);
        let Ok(best) = plan(&problem) else { continue };
        match recurrence(&problem) {
            Some(cycle) => gaps.push((cycle / best.cycle - 1.0) * 100.0),
            None => none += 1,
        }
    }
    gaps.sort_by(f64::total_cmp);
    let worse = gaps.iter().filter(|gap| **gap > 0.01).count();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    println!(
        "EdgeShard's recurrence, 6 boxes, 32 layers, latency: worse in {worse} of {}, mean {mean:.1} %, worst {:.1} %, no plan in {none}",
        gaps.len(),
        gaps.last().unwrap()
    );
}

/// The time to the next token by the recurrence: `least[box]` after each layer.
fn recurrence(problem: &Problem) -> Option<f64> {
    let places = &problem.places;
    let time = |place: usize| f64::from(places[place].curve[0].1);
    // Time, and the layers that each box has on this way.
    let mut least: Vec<Option<(f64, Vec<usize>)>> = vec![None; places.len()];
    least[0] = Some((f64::from(places[0].ends[0].1), vec![0; places.len()]));
    for _ in 0..problem.layers {
        let to = |to: usize| {
            let from = least.iter().enumerate().filter_map(|(from, way)| {
                let (sum, used) = way.as_ref()?;
                let mut used = used.clone();
                used[to] += 1;
                (used[to] <= places[to].most)
                    .then(|| (sum + problem.hops[from][to] + time(to), used))
            });
            from.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        least = (0..places.len()).map(to).collect();
    }
    let ends = least.iter().enumerate();
    ends.filter_map(|(at, way)| Some(way.as_ref()?.0 + problem.hops[at][0])).min_by(f64::total_cmp)
}

/// Boxes of unequal speed and memory, at unequal distances, that hold one and a half models.
fn random(boxes: usize, layers: usize, answers: usize, seed: u64) -> Problem {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |from: f64, to: f64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        from + (to - from) * (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let usual = 1.5 * layers as f64 / (boxes + 1) as f64;
    let place = |i: usize, next: &mut dyn FnMut(f64, f64) -> f64| {
        let one = next(200.0, 4_000.0);
        let curve = vec![(1, one as u32), (16, (one * next(1.5, 8.0)) as u32)];
        let most = next(0.3 * usual, 1.7 * usual).round() as usize;
        Place {
            name: i.to_string(),
            curve,
            most,
            ends: if i == 0 { vec![(1, 500)] } else { Vec::new() },
        }
    };
    let places = (0..=boxes).map(|i| place(i, &mut next)).collect();
    let mut hops = vec![vec![0.0; boxes + 1]; boxes + 1];
    for (from, to) in (0..=boxes).flat_map(|from| (0..from).map(move |to| (from, to))) {
        let way = next(100.0, 20_000.0);
        (hops[from][to], hops[to][from]) = (way, way);
    }
    Problem { layers, places, hops, answers, shard: true }
}
