//! Into how many groups answers are parted, so that boxes work at the same time.
//!
//! With `G` groups of `B/G` answers each on their way, a token of each takes as long as one group
//! needs for the whole way, or as the slowest box needs for all groups:
//!
//! `tokens/s = B / max(sum(t_i(B/G)) + hops, G * max(t_i(B/G)))`
//!
//! More groups keep more boxes busy, but a step for half the answers takes more than half the time:
//! weights are read once for each group. So the best number follows from the measured curves.

use crate::pipeline::{cost, ends_cost};

/// One box on the way: what a layer takes there, and how many layers it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Station {
    pub(crate) curve: Vec<(u32, u32)>,
    pub(crate) layers: usize,
    /// Microseconds beside the layers for so many rows: embedding, head and choosing. Empty: none.
    pub(crate) ends: Vec<(u32, u32)>,
}

/// Groups at most.
pub(crate) const GROUPS_MAX: usize = 12;

/// Microseconds for a token of each of `answers` in so many groups.
pub(crate) fn cycle(stations: &[Station], hops: f64, answers: usize, groups: usize) -> f64 {
    let rows = (answers as f64 / groups as f64).ceil();
    let time = |s: &Station| s.layers as f64 * cost(&s.curve, rows) + ends_cost(&s.ends, rows);
    let times = stations.iter().map(time);
    let (all, most) = times.fold((0.0, 0.0f64), |(all, most), t| (all + t, most.max(t)));
    (all + hops).max(groups as f64 * most)
}

/// The number of groups with which `answers` get on fastest.
pub(crate) fn best(stations: &[Station], hops: f64, answers: usize) -> usize {
    let quickest = (1..=answers.clamp(1, GROUPS_MAX)).min_by(|a, b| {
        let of = |groups: &usize| cycle(stations, hops, answers, *groups);
        of(a).total_cmp(&of(b))
    });
    quickest.unwrap_or(1)
}

/// How many tokens are best guessed ahead for each answer, at `most`, if each is right as often as `rate`
/// says: a step gives more tokens then, and takes longer.
pub(crate) fn guesses(
    stations: &[Station],
    hops: f64,
    (answers, groups): (usize, usize),
    rate: f64,
    most: usize,
) -> usize {
    let speed = |guesses: usize| {
        // A guess counts when all before it are right.
        let gained: f64 = (0..=guesses).map(|i| rate.powi(i as i32)).sum();
        gained / cycle(stations, hops, answers * (1 + guesses), groups)
    };
    (0..=most).max_by(|a, b| speed(*a).total_cmp(&speed(*b)).then(b.cmp(a))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stations(boxes: usize, fixed: u32, each: u32) -> Vec<Station> {
        let curve = vec![(1, fixed + each), (64, fixed + 64 * each)];
        vec![Station { curve, layers: 1, ends: Vec::new() }; boxes]
    }

    #[test]
    fn one_box_needs_no_groups() {
        assert_eq!(best(&stations(1, 100, 10), 0.0, 16), 1);
    }

    #[test]
    fn where_rows_cost_each_box_has_a_group() {
        assert_eq!(best(&stations(4, 1, 100), 0.0, 16), 4);
    }

    #[test]
    fn where_weights_cost_there_are_no_more_groups_than_boxes() {
        assert_eq!(best(&stations(2, 1_000, 1), 0.0, 8), 2);
    }

    #[test]
    fn long_hops_are_filled_with_more_groups() {
        let stations = stations(2, 10, 100);
        assert!(best(&stations, 5_000.0, 32) > best(&stations, 0.0, 32));
    }

    #[test]
    fn guesses_pay_where_hops_are_long_and_where_they_are_often_right() {
        let best = |hops, rate| guesses(&stations(2, 100, 100), hops, (4, 2), rate, 4);
        assert_eq!((best(0.0, 0.1), best(20_000.0, 0.9)), (0, 4));
        assert!(best(0.0, 0.9) <= best(20_000.0, 0.9));
    }

    #[test]
    fn there_are_no_more_groups_than_answers() {
        assert_eq!(best(&stations(4, 1, 100), 1e6, 3), 3);
    }
}
