//! What a model is, read without its weights.

use super::LoadError;
use super::source::Source;
use std::path::Path;

/// Bytes that are looked at in each of three places of a tensor.
const SAMPLE: usize = 4096;

/// What a model is, read without its weights: enough to plan where its layers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Two folders with the same fingerprint hold the same model: a hash over the names, types and
    /// sizes of all tensors and some of the bytes of each. It finds mistakes, not forgers.
    pub fingerprint: [u8; 32],
    pub family: &'static str,
    pub layers: usize,
    pub hidden: usize,
    pub context: usize,
    pub vocabulary: usize,
    /// Bytes of the weights of the largest layer in the file.
    pub layer_bytes: usize,
    /// Bytes of embedding, last norm and head in the file.
    pub ends_bytes: usize,
    /// Bytes of keys and values that one token takes in one layer.
    pub kv_bytes: usize,
}

impl Outline {
    /// Reads what the model in `folder` is.
    pub fn read(folder: &Path) -> Result<Outline, LoadError> {
        let source = Source::open(folder)?;
        let mut layers = vec![0; source.shape.layers];
        let mut ends = 0;
        let mut hash = blake3::Hasher::new();
        for (name, found) in &source.tensors {
            // A type that is not run is refused when it is loaded.
            let Ok(kind) = found.kind else { continue };
            let bytes = source.bytes(name, &found.sizes)?.1;
            hash.update(format!("{name} {kind:?} {:?}\n", found.sizes).as_bytes());
            sample(&mut hash, bytes);
            let layer = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
            let layer = layer.and_then(|(layer, _)| layer.parse::<usize>().ok());
            match layer.and_then(|layer| layers.get_mut(layer)) {
                Some(layer) => *layer += bytes.len(),
                None => ends += bytes.len(),
            }
        }
        let shape = &source.shape;
        Ok(Outline {
            fingerprint: *hash.finalize().as_bytes(),
            family: shape.family,
            layers: shape.layers,
            hidden: shape.hidden,
            context: shape.context,
            vocabulary: shape.vocabulary,
            layer_bytes: layers.into_iter().max().unwrap_or(0),
            ends_bytes: ends,
            kv_bytes: 2 * shape.kv_width() * size_of::<f32>(),
        })
    }
}

/// The beginning, the middle and the end of a tensor.
fn sample(hash: &mut blake3::Hasher, bytes: &[u8]) {
    let last = bytes.len().saturating_sub(SAMPLE);
    for from in [0, last / 2, last] {
        hash.update(&bytes[from..bytes.len().min(from + SAMPLE)]);
    }
}
