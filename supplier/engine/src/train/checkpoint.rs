//! A training that can go on: weights, what the optimiser remembers, and where in the data it is.
//!
//! One safetensors file. Numbers of 64 bits stand in its metadata.

use super::TrainError;
use super::optimiser::{Moments, Optimiser};
use super::weights::Weights;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Numbers that a training keeps beside its weights, by name.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub numbers: HashMap<String, u64>,
    pub lines: HashMap<String, Vec<u32>>,
}

impl State {
    /// A number that was kept.
    pub fn number(&self, name: &str) -> Result<u64, TrainError> {
        self.numbers.get(name).copied().ok_or_else(|| TrainError::NotKept(name.to_owned()))
    }

    /// A line of numbers that was kept.
    pub fn line(&self, name: &str) -> Result<Vec<u32>, TrainError> {
        self.lines.get(name).cloned().ok_or_else(|| TrainError::NotKept(name.to_owned()))
    }
}

/// Writes everything into one file.
pub fn write(
    path: &Path,
    weights: &Weights,
    optimiser: &Optimiser,
    state: &State,
) -> Result<(), TrainError> {
    let mut tensors: Vec<(String, Dtype, Vec<u8>)> = Vec::new();
    for (weight, moments) in weights.iter().zip(optimiser.moments()) {
        let parts =
            [("weight", &weight.values), ("first", &moments.first), ("second", &moments.second)];
        for (part, values) in parts {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push((format!("{part}.{}", weight.name), Dtype::F32, bytes));
        }
    }
    for (name, line) in &state.lines {
        let bytes = line.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensors.push((format!("state.{name}"), Dtype::U32, bytes));
    }
    let views: Result<Vec<(&String, TensorView<'_>)>, _> = tensors
        .iter()
        .map(|(name, dtype, bytes)| {
            Ok((name, TensorView::new(*dtype, vec![bytes.len() / 4], bytes)?))
        })
        .collect();
    let metadata = state.numbers.iter().map(|(name, n)| (name.clone(), n.to_string())).collect();
    let bytes = views.and_then(|views| safetensors::serialize(views, Some(metadata)));
    super::disk::replace(path, &bytes.map_err(|error| damaged(path, error))?)
}

/// Reads what [`write`] wrote for the same network.
pub fn read(
    path: &Path,
    weights: &mut Weights,
    optimiser: &mut Optimiser,
) -> Result<State, TrainError> {
    let failed = |source| TrainError::Disk { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    let (_, head) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(path, error))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, error))?;
    let mut moments = Vec::new();
    for weight in weights.iter_mut() {
        let part = |part: &str| floats(path, &tensors, &format!("{part}.{}", weight.name));
        let (values, first, second) = (part("weight")?, part("first")?, part("second")?);
        if [values.len(), first.len()] != [weight.values.len(); 2] {
            let (got, name) = (values.len(), &weight.name);
            let reason = format!("{name} has {got} values, but {} fit", weight.values.len());
            return Err(TrainError::Damaged { path: path.to_owned(), reason });
        }
        weight.values = values;
        moments.push(Moments { first, second });
    }
    let numbers = head.metadata().iter().flatten();
    let numbers = numbers.filter_map(|(name, text)| Some((name.clone(), text.parse().ok()?)));
    let mut state = State { numbers: numbers.collect(), lines: HashMap::new() };
    for (name, view) in tensors.iter() {
        if let Some(name) = name.strip_prefix("state.") {
            let line = view.data().as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
            state.lines.insert(name.to_owned(), line.collect());
        }
    }
    optimiser.resume(state.number("step")? as usize, moments);
    Ok(state)
}

fn floats(path: &Path, tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, TrainError> {
    let view = tensors.tensor(name).map_err(|error| damaged(path, error))?;
    Ok(view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> TrainError {
    TrainError::Damaged { path: path.to_owned(), reason: error.to_string() }
}
