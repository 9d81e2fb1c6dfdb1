//! All sets of boxes.

use super::fill::fill;
use super::round::Rounds;
use super::{Plan, Problem};

/// The plan with the least cycle of all.
pub(super) fn plan(problem: &Problem) -> Option<Plan> {
    let boxes_max = problem.boxes_max() as u32;
    let rounds = Rounds::new(&problem.hops);
    let times: Vec<Vec<f64>> = problem.groups().map(|groups| problem.times(groups)).collect();
    let mut best: Option<Plan> = None;
    for set in 0..1usize << (problem.places.len() - 1) {
        if set.count_ones() > boxes_max {
            continue;
        }
        let (way, order) = rounds.of(set, &problem.hops);
        if best.as_ref().is_some_and(|best| way >= best.cycle) {
            continue;
        }
        for (groups, times) in problem.groups().zip(&times) {
            let Some(filled) = fill(problem, &order, times, way, groups) else { break };
            if best.as_ref().is_none_or(|best| filled.cycle < best.cycle) {
                let stages = order.iter().copied().zip(filled.layers).collect();
                let cycle = filled.cycle;
                best = Some(Plan { stages, groups, cycle, bound: cycle });
            }
        }
    }
    best
}
