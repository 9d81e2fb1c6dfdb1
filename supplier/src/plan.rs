//! Where the layers of a model go, of several boxes with unequal speed, memory and distance.
//!
//! A plan is a round: it begins at the head, visits some boxes and ends at the head. A box runs `n`
//! layers one after the other. With `B` answers in `G` groups on their way, a token of each takes
//!
//! `cycle = max(sum(n_i * t_i(B/G)) + hops, G * max(n_i * t_i(B/G)))`
//!
//! With one answer that is the time to the next token, so both goals are one problem: the least
//! cycle. What is searched:
//!
//! ```text
//! round   for each set of boxes the shortest way to visit them (Held and Karp)
//! fill    for a set and a way, the layers of each box: exact, because a cycle of T gives each box a
//!         cap, and under caps the quickest boxes are filled first
//! exact   all sets, for up to EXACT_MAX boxes
//! many    beyond: a lower bound with each box's shortest way in, and a search that starts from it
//! ```

mod exact;
mod fill;
mod many;
mod round;

use crate::pipeline::{cost, ends_cost};
use serde::{Deserialize, Serialize};

/// Boxes beside the head for which all sets are tried.
pub const EXACT_MAX: usize = 12;

/// Boxes beside the head at most.
pub const BOXES_MAX: usize = 64;

/// Groups that are tried at most.
const GROUPS_MAX: usize = 12;

/// A box that can run layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    /// Microseconds that one layer takes for so many rows.
    pub curve: Vec<(u32, u32)>,
    /// Layers, with their keys and values, that its memory holds.
    pub most: usize,
    /// Microseconds for so many rows beside layers: at the head, embedding and choosing. Empty: none.
    pub ends: Vec<(u32, u32)>,
}

/// A model, the boxes and the ways between them. The first box is the head.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub layers: usize,
    pub places: Vec<Place>,
    /// Microseconds of a step from each box to each other.
    pub hops: Vec<Vec<f64>>,
    /// Answers side by side; 1: the time to the next token counts.
    pub answers: usize,
    /// Whether several boxes are used also where one holds all.
    pub shard: bool,
}

/// Where layers go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Boxes in the order of their layers, and how many each runs. The head is first.
    pub stages: Vec<(usize, usize)>,
    pub groups: usize,
    /// Microseconds for a token of each answer.
    pub cycle: f64,
    /// No plan has a shorter cycle than this.
    pub bound: f64,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("{layers} layers need a place, but the {boxes} boxes hold {most}: add memory or boxes")]
    Room { layers: usize, boxes: usize, most: usize },
    #[error("{got} boxes beside the head are more than the {BOXES_MAX} that are planned for")]
    Boxes { got: usize },
    #[error("there are ways between {got} boxes, but {places} boxes")]
    Ways { got: usize, places: usize },
    #[error("a model without layers, or no answers")]
    Nothing,
}

impl Problem {
    fn check(&self) -> Result<(), PlanError> {
        let places = self.places.len();
        let square = self.hops.len() == places && self.hops.iter().all(|row| row.len() == places);
        if !square {
            return Err(PlanError::Ways { got: self.hops.len(), places });
        }
        if self.layers == 0 || self.answers == 0 || places == 0 {
            return Err(PlanError::Nothing);
        }
        if places - 1 > BOXES_MAX {
            return Err(PlanError::Boxes { got: places - 1 });
        }
        let most = self.places.iter().map(|place| place.most).sum();
        if most < self.layers {
            return Err(PlanError::Room { layers: self.layers, boxes: places, most });
        }
        Ok(())
    }

    /// What a layer takes at each box when answers go in so many groups.
    fn times(&self, groups: usize) -> Vec<f64> {
        let rows = self.answers.div_ceil(groups) as f64;
        self.places.iter().map(|place| cost(&place.curve, rows).max(1e-6)).collect()
    }

    /// What each box does beside layers when answers go in so many groups.
    fn more(&self, groups: usize) -> Vec<f64> {
        let rows = self.answers.div_ceil(groups) as f64;
        self.places.iter().map(|place| ends_cost(&place.ends, rows)).collect()
    }

    fn groups(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.answers.min(GROUPS_MAX)
    }

    /// Whether one box, with the head's ends, holds all layers.
    fn fits(&self, place: usize) -> bool {
        self.places[place].most >= self.layers
    }

    /// Boxes that a plan may use beside the head: one that holds all layers does not share them.
    fn boxes_max(&self) -> usize {
        let others = self.places.len() - 1;
        if self.shard {
            others
        } else if self.fits(0) {
            0
        } else if (1..self.places.len()).any(|place| self.fits(place)) {
            1
        } else {
            others
        }
    }

    /// The cycle of a plan, as the formula says.
    pub fn cycle(&self, stages: &[(usize, usize)], groups: usize) -> f64 {
        let (times, more) = (self.times(groups), self.more(groups));
        let time = |&(place, layers): &(usize, usize)| layers as f64 * times[place] + more[place];
        let sum: f64 = stages.iter().map(time).sum();
        let most = stages.iter().map(time).fold(0.0, f64::max);
        let next = stages.iter().skip(1).chain(stages.first());
        let way = if stages.len() < 2 {
            0.0
        } else {
            stages.iter().zip(next).map(|((from, _), (to, _))| self.hops[*from][*to]).sum()
        };
        (sum + way).max(groups as f64 * most)
    }
}

/// The plan with the least cycle: exactly for up to [`EXACT_MAX`] boxes beside the head, else one
/// that says how far from the least it can be.
pub fn plan(problem: &Problem) -> Result<Plan, PlanError> {
    problem.check()?;
    let most = problem.places.iter().map(|place| place.most).sum();
    let room = PlanError::Room { layers: problem.layers, boxes: problem.places.len(), most };
    let found = if problem.places.len() - 1 <= EXACT_MAX {
        exact::plan(problem)
    } else {
        many::plan(problem)
    };
    found.ok_or(room)
}

#[cfg(test)]
mod tests;
