//! What is learned: named matrices and what the last step says of each.

use super::random::Random;

/// How a weight is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A map from rows to rows.
    Matrix,
    /// Rows that tokens name.
    Table,
    /// A line of numbers.
    Line,
}

/// A learned matrix, or a line of numbers as a matrix of one row.
#[derive(Clone, Debug)]
pub struct Weight {
    pub name: String,
    pub role: Role,
    pub rows: usize,
    pub width: usize,
    pub values: Vec<f32>,
    /// How the loss grows with each value; empty where nothing was learned since the last step.
    pub gradient: Vec<f32>,
}

/// Which of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightId(usize);

/// All that a network learns.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    all: Vec<Weight>,
}

impl Weights {
    /// Adds a matrix of `rows` lines of `width`.
    pub fn put(
        &mut self,
        name: &str,
        role: Role,
        (rows, width): (usize, usize),
        values: Vec<f32>,
    ) -> WeightId {
        assert_eq!(values.len(), rows * width, "{name} has rows times width values");
        let name = name.to_owned();
        self.all.push(Weight { name, role, rows, width, values, gradient: Vec::new() });
        WeightId(self.all.len() - 1)
    }

    /// Adds a matrix that is normally distributed around zero.
    pub fn draw(
        &mut self,
        name: &str,
        role: Role,
        shape: (usize, usize),
        deviation: f64,
        random: &mut Random,
    ) -> WeightId {
        let count = shape.0 * shape.1;
        let values = (0..count).map(|_| (random.normal() * deviation) as f32).collect();
        self.put(name, role, shape, values)
    }

    /// Adds a line of one and the same number.
    pub fn line(&mut self, name: &str, width: usize, value: f32) -> WeightId {
        self.put(name, Role::Line, (1, width), vec![value; width])
    }

    pub fn get(&self, id: WeightId) -> &Weight {
        &self.all[id.0]
    }

    pub(super) fn get_mut(&mut self, id: WeightId) -> &mut Weight {
        let weight = &mut self.all[id.0];
        weight.gradient.resize(weight.values.len(), 0.0);
        weight
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Weight> {
        self.all.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Weight> {
        self.all.iter_mut()
    }

    /// How many numbers there are to learn.
    pub fn count(&self) -> usize {
        self.all.iter().map(|weight| weight.values.len()).sum()
    }
}
