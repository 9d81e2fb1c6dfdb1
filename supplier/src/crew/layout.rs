//! Which box runs which layers, of the boxes that are there now.

use std::ops::Range;

/// A box that could run layers.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which one it is of all that are known.
    pub(crate) who: usize,
    /// The layers that its owner or the configuration wants it to run.
    pub(crate) wish: Option<Range<usize>>,
    /// Whether it runs nothing else.
    pub(crate) only: bool,
    /// Layers that its memory holds.
    pub(crate) most: usize,
    /// What a layer takes there, in any unit that is the same for all.
    pub(crate) cost: f64,
}

/// What the head itself can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    /// Layers that it always runs; `None`: its share.
    pub(crate) layers: Option<usize>,
    pub(crate) most: usize,
    pub(crate) cost: f64,
    /// Whether it may run the whole model when nobody else is there.
    pub(crate) alone: bool,
}

/// Which box runs which layers. The head runs the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) head: usize,
    pub(crate) stages: Vec<(usize, Range<usize>)>,
}

/// The layers as they are wished for, if boxes for all of them are there; else a new share for all
/// that take any; else the head alone, if it may. `None`: some layers have no place.
pub(crate) fn layout(layers: usize, own: Own, there: &[Candidate]) -> Option<Layout> {
    let first = there.iter().filter_map(|box_| Some(box_.wish.as_ref()?.start)).min();
    let head = own.layers.or(first).unwrap_or(0);
    wished(layers, head, there)
        .map(|stages| Layout { head, stages })
        .or_else(|| shared(layers, own, there))
        .or_else(|| {
            let alone = own.alone && own.most >= layers;
            alone.then(|| Layout { head: layers, stages: Vec::new() })
        })
}

/// A chain of boxes whose wishes follow one another up to the last layer.
fn wished(layers: usize, from: usize, there: &[Candidate]) -> Option<Vec<(usize, Range<usize>)>> {
    let mut chain = Vec::new();
    let mut at = from;
    while at < layers {
        // Of several boxes for the same layers the first is taken; the others stand by.
        let next = there.iter().find_map(|box_| {
            let wish = box_.wish.as_ref()?;
            (wish.start == at && wish.len() <= box_.most).then(|| (box_.who, wish.clone()))
        })?;
        at = next.1.end;
        chain.push(next);
    }
    (!chain.is_empty() && at == layers).then_some(chain)
}

/// Each layer goes where the slowest box gets least slow.
fn shared(layers: usize, own: Own, there: &[Candidate]) -> Option<Layout> {
    let free: Vec<&Candidate> = there.iter().filter(|box_| !box_.only).collect();
    if free.is_empty() {
        return None;
    }
    // The head comes first: its share is known, or grows like the others'.
    let mut shares = vec![0; free.len() + 1];
    let most = |i: usize| if i == 0 { own.most } else { free[i - 1].most };
    let cost = |i: usize| if i == 0 { own.cost } else { free[i - 1].cost };
    shares[0] = own.layers.unwrap_or(0).min(layers);
    let begin = usize::from(own.layers.is_some());
    for _ in shares[0]..layers {
        let open = (begin..shares.len()).filter(|i| shares[*i] < most(*i));
        let after = |i: usize| (shares[i] + 1) as f64 * cost(i);
        let next = open.min_by(|a, b| after(*a).total_cmp(&after(*b)))?;
        shares[next] += 1;
    }
    let mut at = shares[0];
    let mut stages = Vec::new();
    for (box_, share) in free.iter().zip(&shares[1..]).filter(|(_, share)| **share > 0) {
        stages.push((box_.who, at..at + share));
        at += share;
    }
    Some(Layout { head: shares[0], stages })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own = Own { layers: None, most: 8, cost: 1.0, alone: false };

    fn free(who: usize) -> Candidate {
        Candidate { who, wish: None, only: false, most: 8, cost: 1.0 }
    }

    fn wants(who: usize, wish: Range<usize>) -> Candidate {
        Candidate { wish: Some(wish), ..free(who) }
    }

    fn stages(layout: Option<Layout>) -> (usize, Vec<(usize, Range<usize>)>) {
        layout.map(|layout| (layout.head, layout.stages)).unwrap()
    }

    #[test]
    fn wishes_that_cover_all_layers_come_true() {
        let there = [wants(0, 2..5), wants(1, 5..8), wants(2, 5..8)];
        assert_eq!(stages(layout(8, OWN, &there)), (2, vec![(0, 2..5), (1, 5..8)]));
    }

    #[test]
    fn a_standby_takes_the_place_of_who_is_gone() {
        let there = [wants(0, 2..5), wants(2, 5..8)];
        assert_eq!(stages(layout(8, OWN, &there)), (2, vec![(0, 2..5), (2, 5..8)]));
    }

    #[test]
    fn without_a_standby_those_left_share_all_layers() {
        let own = Own { layers: Some(2), ..OWN };
        assert_eq!(stages(layout(8, own, &[wants(0, 2..5)])), (2, vec![(0, 2..8)]));
    }

    #[test]
    fn who_runs_certain_layers_only_is_not_given_others() {
        let there = [Candidate { only: true, ..wants(0, 2..5) }];
        assert_eq!(layout(8, OWN, &there), None);
        let own = Own { alone: true, ..OWN };
        assert_eq!(stages(layout(8, own, &there)), (8, vec![]));
    }

    #[test]
    fn slow_boxes_get_less_and_small_ones_no_more_than_they_hold() {
        let there = [Candidate { cost: 3.0, ..free(0) }, Candidate { most: 1, ..free(1) }];
        let (head, stages) = stages(layout(8, OWN, &there));
        assert_eq!((head, stages), (6, vec![(0, 6..7), (1, 7..8)]));
    }

    #[test]
    fn layers_without_a_place_are_no_layout() {
        let own = Own { layers: Some(0), ..OWN };
        assert_eq!(layout(8, own, &[Candidate { most: 7, ..free(0) }]), None);
        assert_eq!(layout(8, own, &[]), None);
    }
}
