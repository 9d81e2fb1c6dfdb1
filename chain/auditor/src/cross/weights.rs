//! A BERT's weights in safetensors, at half or single precision.

use super::network::{Network, Part};
use super::{Config, CrossError};
use engine::train::weights::{Role, Weights};
use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::path::Path;

/// Bytes of a file at most: far more than a cross-encoder takes.
const FILE_MAX: u64 = 4 << 30;

/// Reads the weights that `config` asks for; what else the file holds is left alone.
pub(super) fn read(path: &Path, config: &Config) -> Result<Network, CrossError> {
    let failed = |source| CrossError::Disk { path: path.to_owned(), source };
    let wrong = |reason: String| CrossError::Wrong { path: path.to_owned(), reason };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > FILE_MAX {
        return Err(wrong(format!("it has {length} bytes, but at most {FILE_MAX} are read")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    Network::build(config.clone(), &mut |weights, name, part, shape| {
        let view = find(&tensors, name).ok_or(CrossError::NoTensor { name: name.to_owned() })?;
        let got = view.shape();
        let fits = match part {
            Part::Table | Part::Matrix => got == shape,
            Part::Bias | Part::NormWeight => got == &shape[1..],
        };
        if !fits {
            let (name, got) = (name.to_owned(), got.to_vec());
            return Err(CrossError::Shape { name, got, expected: shape });
        }
        let values = floats(name, &view)?;
        let role = if got.len() == 2 { Role::Matrix } else { Role::Line };
        Ok(weights.put(name, role, (shape[0], shape[1]), values))
    })
}

/// A tensor by its name, or by the name that older files give to the lines of a norm.
fn find<'a>(tensors: &SafeTensors<'a>, name: &str) -> Option<TensorView<'a>> {
    let older = name
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta");
    tensors.tensor(name).or_else(|_| tensors.tensor(&older)).ok()
}

fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, CrossError> {
    let data = view.data();
    let halves = || data.as_chunks().0.iter();
    match view.dtype() {
        Dtype::F32 => Ok(data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F16 => Ok(halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        Dtype::BF16 => Ok(halves().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()),
        other => Err(CrossError::Kind { name: name.to_owned(), dtype: format!("{other:?}") }),
    }
}

/// The file of a network's weights, at half precision.
pub(super) fn bytes(weights: &Weights) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = weights
        .iter()
        .map(|weight| {
            let line = weight.role == Role::Line;
            let shape = if line { vec![weight.width] } else { vec![weight.rows, weight.width] };
            let bytes =
                weight.values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
            (weight.name.as_str(), shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        Ok((*name, TensorView::new(Dtype::F16, shape.clone(), bytes)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    safetensors::serialize(views, None)
}
