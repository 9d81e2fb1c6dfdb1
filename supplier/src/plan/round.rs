//! Shortest rounds from the head over sets of boxes.

/// For each set of boxes - a bit for each box beside the head - the shortest round.
pub(super) struct Rounds {
    boxes: usize,
    /// For each set and last box, the shortest way there, and the box before.
    ways: Vec<(f64, usize)>,
}

impl Rounds {
    /// All sets of `boxes` boxes; `hops` include the head as the first.
    pub(super) fn new(hops: &[Vec<f64>]) -> Rounds {
        let boxes = hops.len() - 1;
        let mut ways = vec![(f64::INFINITY, 0); boxes << boxes];
        for set in 1..1usize << boxes {
            for last in (0..boxes).filter(|last| set & 1 << last != 0) {
                let rest = set & !(1 << last);
                ways[set * boxes + last] = if rest == 0 {
                    (hops[0][last + 1], last)
                } else {
                    let before = (0..boxes).filter(|before| rest & 1 << before != 0);
                    let way = |b: usize| (ways[rest * boxes + b].0 + hops[b + 1][last + 1], b);
                    before
                        .map(way)
                        .fold((f64::INFINITY, last), |a, b| if b.0 < a.0 { b } else { a })
                };
            }
        }
        Rounds { boxes, ways }
    }

    /// The length of the shortest round over a set, and its boxes in order, the head first.
    pub(super) fn of(&self, set: usize, hops: &[Vec<f64>]) -> (f64, Vec<usize>) {
        let ends = (0..self.boxes).filter(|last| set & 1 << last != 0);
        let length = |last: &usize| self.ways[set * self.boxes + last].0 + hops[last + 1][0];
        let Some(mut last) = ends.min_by(|a, b| length(a).total_cmp(&length(b))) else {
            return (0.0, vec![0]);
        };
        let (total, mut rest, mut order) = (length(&last), set, Vec::new());
        while rest != 0 {
            order.push(last + 1);
            let before = self.ways[rest * self.boxes + last].1;
            rest &= !(1 << last);
            last = before;
        }
        order.push(0);
        order.reverse();
        (total, order)
    }
}
