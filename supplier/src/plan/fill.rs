//! The layers of each box, when it is known which boxes and on which way.

use super::Problem;

/// A filled set of boxes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filled {
    /// Layers of each box of the set.
    pub(super) layers: Vec<usize>,
    pub(super) cycle: f64,
}

/// The least cycle of a set, whose first box is the head, over a way of `way` microseconds.
/// Every other box of the set gets a layer. `None`: there is no room, or too few layers.
pub(super) fn fill(
    problem: &Problem,
    set: &[usize],
    times: &[f64],
    way: f64,
    groups: usize,
) -> Option<Filled> {
    let set = Set::new(problem, set, times, way, groups);
    let caps = set.caps(f64::INFINITY);
    set.under(&caps)?;
    // The cycle of the best plan lies between two of the cycles at which some cap grows.
    let steps = set.steps();
    let fits = |cycle: f64| set.under(&set.caps(cycle)).is_some_and(|(_, sum)| sum <= cycle);
    let at = steps.partition_point(|cycle| !fits(*cycle));
    let below = at.checked_sub(1).and_then(|at| set.plan(&set.caps(steps[at])));
    let above = match steps.get(at) {
        Some(cycle) => set.plan(&set.caps(*cycle)),
        None => set.plan(&caps),
    };
    below.into_iter().chain(above).min_by(|a, b| a.cycle.total_cmp(&b.cycle))
}

struct Set {
    layers: usize,
    /// Places of the set in the order of their speed.
    by_speed: Vec<usize>,
    times: Vec<f64>,
    more: Vec<f64>,
    most: Vec<usize>,
    way: f64,
    groups: f64,
}

impl Set {
    fn new(problem: &Problem, set: &[usize], times: &[f64], way: f64, groups: usize) -> Set {
        let more = problem.more(groups);
        let times: Vec<f64> = set.iter().map(|place| times[*place]).collect();
        let mut by_speed: Vec<usize> = (0..set.len()).collect();
        by_speed.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
        let most = set.iter().map(|place| problem.places[*place].most.min(problem.layers));
        Set {
            layers: problem.layers,
            by_speed,
            more: set.iter().map(|place| more[*place]).collect(),
            most: most.collect(),
            times,
            way,
            groups: groups as f64,
        }
    }

    /// Layers of each box at most, if the cycle is to be no longer than `cycle`.
    fn caps(&self, cycle: f64) -> Vec<usize> {
        let cap = |i: usize| {
            let time = cycle / self.groups - self.more[i];
            // What was added up in another order may be less by a rounding.
            let layers = (time / self.times[i] + 1e-9).floor();
            if layers < 0.0 { 0 } else { (layers.min(self.most[i] as f64)) as usize }
        };
        (0..self.times.len()).map(cap).collect()
    }

    /// Cycles at which some cap grows.
    fn steps(&self) -> Vec<f64> {
        let of = |i: usize| {
            let each = move |n: usize| self.groups * (self.more[i] + n as f64 * self.times[i]);
            (0..=self.most[i]).map(each)
        };
        let mut steps: Vec<f64> = (0..self.times.len()).flat_map(of).collect();
        steps.sort_by(f64::total_cmp);
        steps
    }

    /// The layers under these caps that take least together, and how long: the quickest are filled.
    fn under(&self, caps: &[usize]) -> Option<(Vec<usize>, f64)> {
        let mut layers: Vec<usize> = (0..caps.len()).map(|i| usize::from(i > 0)).collect();
        if layers.iter().zip(caps).any(|(layers, cap)| layers > cap) {
            return None;
        }
        let mut left = self.layers.checked_sub(layers.iter().sum())?;
        for &i in &self.by_speed {
            let more = left.min(caps[i] - layers[i]);
            layers[i] += more;
            left -= more;
        }
        let time = |(i, layers): (usize, &usize)| *layers as f64 * self.times[i] + self.more[i];
        let sum = layers.iter().enumerate().map(time).sum::<f64>() + self.way;
        (left == 0).then_some((layers, sum))
    }

    fn plan(&self, caps: &[usize]) -> Option<Filled> {
        let (layers, sum) = self.under(caps)?;
        let time = |(i, layers): (usize, &usize)| *layers as f64 * self.times[i] + self.more[i];
        let most = layers.iter().enumerate().map(time).fold(0.0, f64::max);
        Some(Filled { layers, cycle: sum.max(self.groups * most) })
    }
}
