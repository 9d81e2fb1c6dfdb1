//! More boxes than there is time to try all sets of: a plan, and how much better one could be.

use super::fill::fill;
use super::{Plan, Problem};
use std::collections::VecDeque;

/// Sets that are filled at most: some seconds.
const FILLS_MAX: usize = 4_000;

/// A plan that no change of one box makes better, and a bound below all plans.
pub(super) fn plan(problem: &Problem) -> Option<Plan> {
    let most = problem.boxes_max();
    let relaxed: Vec<(usize, Relaxed)> =
        problem.groups().filter_map(|groups| Some((groups, relax(problem, groups)?))).collect();
    let bound = relaxed.iter().map(|(_, r)| r.cycle).fold(f64::INFINITY, f64::min);
    let mut search = Search { problem, most, best: None, fills: 0 };
    let mut starts: Vec<&(usize, Relaxed)> = relaxed.iter().collect();
    starts.sort_by(|a, b| a.1.cycle.total_cmp(&b.1.cycle));
    for (groups, relaxed) in starts {
        search.from(relaxed.set.clone(), *groups);
    }
    search.best.map(|plan| Plan { bound: bound.min(plan.cycle), ..plan })
}

/// The problem where each box costs its shortest way in, whatever its neighbours are.
struct Relaxed {
    cycle: f64,
    set: Vec<usize>,
}

/// What is asked of the relaxed problem: no cycle longer than this.
struct Ask<'a> {
    problem: &'a Problem,
    times: &'a [f64],
    more: &'a [f64],
    groups: f64,
    /// The shortest way to each box.
    ways: Vec<f64>,
}

fn relax(problem: &Problem, groups: usize) -> Option<Relaxed> {
    let (times, more) = (&problem.times(groups), &problem.more(groups));
    let places = 0..problem.places.len();
    let way = |to: usize| {
        let from = places.clone().filter(|from| *from != to);
        from.map(|from| problem.hops[from][to]).fold(f64::INFINITY, f64::min)
    };
    let mut ways: Vec<f64> = places.clone().map(way).collect();
    // The head is not visited on the way, but returned to.
    let back = std::mem::take(&mut ways[0]);
    let ask = Ask { problem, times, more, groups: groups as f64, ways };
    let alone = problem.places[0].most >= problem.layers;
    let back = if alone { 0.0 } else { back };
    let mut steps: Vec<f64> = places
        .flat_map(|i| {
            let place = &problem.places[i];
            let each = move |n: usize| groups as f64 * (more[i] + n as f64 * times[i]);
            (0..=place.most.min(problem.layers)).map(each)
        })
        .collect();
    steps.sort_by(f64::total_cmp);
    ask.least(f64::INFINITY)?;
    let fits = |cycle: f64| ask.least(cycle).is_some_and(|(sum, _)| sum + back <= cycle);
    let at = steps.partition_point(|cycle| !fits(*cycle));
    let below = at.checked_sub(1).and_then(|at| ask.least(steps[at]));
    let below = below.map(|(sum, set)| Relaxed { cycle: sum + back, set });
    let above = steps.get(at).copied().and_then(|cycle| {
        ask.least(cycle).map(|(sum, set)| Relaxed { cycle: cycle.max(sum + back), set })
    });
    let open = || ask.least(f64::INFINITY).map(|(sum, set)| Relaxed { cycle: sum + back, set });
    let found = below.into_iter().chain(above).min_by(|a, b| a.cycle.total_cmp(&b.cycle));
    found.or_else(open)
}

impl Ask<'_> {
    /// The least sum of layers and ways when no box may take longer than a cycle allows, and the
    /// boxes that have it: layer by layer over the boxes, with a window of the least before.
    fn least(&self, cycle: f64) -> Option<(f64, Vec<usize>)> {
        let layers = self.problem.layers;
        let mut least = vec![f64::INFINITY; layers + 1];
        least[0] = self.more[0];
        let mut taken: Vec<Vec<usize>> = Vec::new();
        for (i, place) in self.problem.places.iter().enumerate() {
            let time = cycle / self.groups - self.more[i];
            let cap =
                (time / self.times[i] + 1e-9).floor().clamp(0.0, place.most.min(layers) as f64);
            let cap = if cap.is_nan() { 0 } else { cap as usize };
            let (each, way) =
                (self.times[i], self.ways[i] + if i > 0 { self.more[i] } else { 0.0 });
            let mut next = least.clone();
            let mut took = vec![0; layers + 1];
            let mut window: VecDeque<usize> = VecDeque::new();
            let value = |at: usize| least[at] - at as f64 * each;
            for to in 1..=layers {
                while window.back().is_some_and(|last| value(*last) >= value(to - 1)) {
                    window.pop_back();
                }
                window.push_back(to - 1);
                while window.front().is_some_and(|first| first + cap < to) {
                    window.pop_front();
                }
                let Some(&from) = window.front() else { continue };
                let sum = value(from) + to as f64 * each + way;
                if sum < next[to] {
                    (next[to], took[to]) = (sum, to - from);
                }
            }
            least = next;
            taken.push(took);
        }
        let sum = least[layers];
        sum.is_finite().then(|| (sum, boxes(&taken, layers)))
    }
}

/// The boxes beside the head that took layers.
fn boxes(taken: &[Vec<usize>], layers: usize) -> Vec<usize> {
    let (mut left, mut set) = (layers, Vec::new());
    for (i, took) in taken.iter().enumerate().rev() {
        if took[left] > 0 {
            left -= took[left];
            if i > 0 {
                set.push(i);
            }
        }
    }
    set
}

struct Search<'a> {
    problem: &'a Problem,
    most: usize,
    best: Option<Plan>,
    fills: usize,
}

impl Search<'_> {
    /// Changes a set box by box while that makes it better.
    fn from(&mut self, set: Vec<usize>, groups: usize) {
        let mut order = vec![0];
        for place in set {
            insert(&self.problem.hops, &mut order, place);
        }
        while order.len() - 1 > self.most {
            order.pop();
        }
        let mut here = self.try_order(order, groups);
        while self.fills < FILLS_MAX {
            let Some((order, cycle)) = here.clone() else { break };
            let better = self.neighbours(&order).into_iter().find_map(|order| {
                self.try_order(order, groups).filter(|(_, other)| *other < cycle * (1.0 - 1e-9))
            });
            if better.is_none() {
                break;
            }
            here = better;
        }
    }

    /// Sets with one box more, one less, or one for another.
    fn neighbours(&self, order: &[usize]) -> Vec<Vec<usize>> {
        let hops = &self.problem.hops;
        let without = |at: usize| {
            let mut order = order.to_vec();
            order.remove(at);
            order
        };
        let outside: Vec<usize> =
            (1..self.problem.places.len()).filter(|place| !order.contains(place)).collect();
        let with = |mut order: Vec<usize>, place: usize| {
            insert(hops, &mut order, place);
            order
        };
        let mut all: Vec<Vec<usize>> = (1..order.len()).map(without).collect();
        if order.len() - 1 < self.most {
            all.extend(outside.iter().map(|place| with(order.to_vec(), *place)));
        }
        for (at, place) in order.iter().enumerate().skip(1) {
            all.push(with(without(at), *place));
            all.extend(outside.iter().map(|place| with(without(at), *place)));
        }
        all
    }

    fn try_order(&mut self, order: Vec<usize>, groups: usize) -> Option<(Vec<usize>, f64)> {
        self.fills += 1;
        let order = uncrossed(&self.problem.hops, order);
        let way = length(&self.problem.hops, &order);
        let times = self.problem.times(groups);
        let filled = fill(self.problem, &order, &times, way, groups)?;
        let cycle = filled.cycle;
        if self.best.as_ref().is_none_or(|best| cycle < best.cycle) {
            let stages = order.iter().copied().zip(filled.layers).collect();
            self.best = Some(Plan { stages, groups, cycle, bound: 0.0 });
        }
        Some((order, cycle))
    }
}

/// The length of a round.
fn length(hops: &[Vec<f64>], order: &[usize]) -> f64 {
    if order.len() < 2 {
        return 0.0;
    }
    let next = order.iter().skip(1).chain(order.first());
    order.iter().zip(next).map(|(from, to)| hops[*from][*to]).sum()
}

/// Puts a box where it makes a round least longer.
fn insert(hops: &[Vec<f64>], order: &mut Vec<usize>, place: usize) {
    let more = |at: &usize| {
        let (from, to) = (order[at - 1], order[at % order.len()]);
        hops[from][place] + hops[place][to] - if order.len() < 2 { 0.0 } else { hops[from][to] }
    };
    let at = (1..=order.len()).min_by(|a, b| more(a).total_cmp(&more(b))).unwrap_or(1);
    order.insert(at, place);
}

/// Turns parts of a round around while that makes it shorter.
fn uncrossed(hops: &[Vec<f64>], mut order: Vec<usize>) -> Vec<usize> {
    let mut best = length(hops, &order);
    loop {
        let mut shorter = false;
        for from in 1..order.len() {
            for to in from + 1..order.len() {
                order[from..=to].reverse();
                let now = length(hops, &order);
                if now < best - 1e-9 {
                    (best, shorter) = (now, true);
                } else {
                    order[from..=to].reverse();
                }
            }
        }
        if !shorter {
            return order;
        }
    }
}
