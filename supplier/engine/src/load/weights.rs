//! The tensors of a model, packed for the kernels.

use super::source::Source;
use super::{LoadError, Part, Report, Shape};
use crate::device::Opened;
use crate::kernel::Matrix;
use std::sync::Arc;

/// A matrix and what is added to its products.
pub(crate) struct Linear {
    pub(crate) matrix: Arc<Matrix>,
    pub(crate) bias: Option<Vec<f32>>,
}

pub(crate) struct Layer {
    pub(crate) attn_norm: Vec<f32>,
    pub(crate) q: Linear,
    pub(crate) k: Linear,
    pub(crate) v: Linear,
    /// Norms over each head of queries and of keys.
    pub(crate) q_norm: Option<Vec<f32>>,
    pub(crate) k_norm: Option<Vec<f32>>,
    pub(crate) output: Linear,
    pub(crate) ffn_norm: Vec<f32>,
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) window: Option<usize>,
}

/// What stands before the first layer and after the last.
pub(crate) struct Ends {
    pub(crate) embedding: Arc<Matrix>,
    pub(crate) norm: Vec<f32>,
    pub(crate) head: Linear,
}

/// All that a part of a model computes with.
pub(crate) struct Weights {
    pub(crate) shape: Shape,
    pub(crate) part: Part,
    pub(crate) layers: Vec<Layer>,
    pub(crate) ends: Option<Ends>,
}

/// Tensors that some tools write and nobody needs: what they hold is computed.
const NEEDLESS: &[&str] = &["rope_freqs.weight", "attn_rot_embd.weight", "rotary_emb.inv_freq"];

pub(crate) fn read(
    source: &Source,
    part: &Part,
    device: &Opened,
    report: &mut Report,
) -> Result<Weights, LoadError> {
    let shape = source.shape.clone();
    let part = part.within(shape.layers)?;
    let mut reader = Reader { source, device, report, used: Vec::new() };
    let ends = if part.ends { Some(reader.ends(&shape)?) } else { None };
    let mut layers = Vec::new();
    for i in part.layers.clone() {
        layers.push(reader.layer(i, &shape)?);
    }
    let used = reader.used;
    if part.is_whole(shape.layers) {
        no_stranger(source, &used)?;
    }
    Ok(Weights { shape, part, layers, ends })
}

/// A tensor that nothing asked for means another family than the one that was read.
fn no_stranger(source: &Source, used: &[String]) -> Result<(), LoadError> {
    let stranger = source.tensors.keys().find(|name| {
        !used.contains(name) && !NEEDLESS.iter().any(|needless| name.ends_with(needless))
    });
    match stranger {
        Some(name) => Err(LoadError::Stranger { name: name.clone(), family: source.shape.family }),
        None => Ok(()),
    }
}

struct Reader<'a> {
    source: &'a Source,
    device: &'a Opened,
    report: &'a mut Report,
    used: Vec<String>,
}

impl Reader<'_> {
    fn ends(&mut self, shape: &Shape) -> Result<Ends, LoadError> {
        let (h, vocabulary) = (shape.hidden, shape.vocabulary);
        let embedding = Arc::new(self.matrix("token_embd.weight", vocabulary, h, None)?);
        let norm = self.vector("output_norm.weight", h)?;
        let head = if shape.tied {
            self.used.push("output.weight".to_owned());
            Linear { matrix: embedding.clone(), bias: None }
        } else {
            self.linear("output", vocabulary, h)?
        };
        Ok(Ends { embedding, norm, head })
    }

    fn layer(&mut self, i: usize, shape: &Shape) -> Result<Layer, LoadError> {
        let Shape { hidden: h, feed_forward: f, heads, head, .. } = *shape;
        let (all, kv) = (heads * head, shape.kv_width());
        let name = |part: &str| format!("blk.{i}.{part}");
        let norm = |part: &str| format!("blk.{i}.{part}.weight");
        Ok(Layer {
            attn_norm: self.vector(&norm("attn_norm"), h)?,
            q: self.linear(&name("attn_q"), all, h)?,
            k: self.linear(&name("attn_k"), kv, h)?,
            v: self.linear(&name("attn_v"), kv, h)?,
            q_norm: self.head_norm(&norm("attn_q_norm"), shape)?,
            k_norm: self.head_norm(&norm("attn_k_norm"), shape)?,
            output: self.linear(&name("attn_output"), h, all)?,
            ffn_norm: self.vector(&norm("ffn_norm"), h)?,
            gate: self.linear(&name("ffn_gate"), f, h)?,
            up: self.linear(&name("ffn_up"), f, h)?,
            down: self.linear(&name("ffn_down"), h, f)?,
            window: shape.windows[i],
        })
    }

    fn head_norm(&mut self, name: &str, shape: &Shape) -> Result<Option<Vec<f32>>, LoadError> {
        if shape.family != "qwen3" {
            return Ok(None);
        }
        self.vector(name, shape.head).map(Some)
    }

    fn linear(&mut self, name: &str, rows: usize, columns: usize) -> Result<Linear, LoadError> {
        let bias = format!("{name}.bias");
        let bias = match self.source.sizes(&bias) {
            Some(_) => Some(self.vector(&bias, rows)?),
            None => None,
        };
        let matrix = self.matrix(&format!("{name}.weight"), rows, columns, bias.as_deref())?;
        Ok(Linear { matrix: Arc::new(matrix), bias })
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
        self.used.push(name.to_owned());
        vector(self.source, name, length)
    }

    /// A matrix where the model is computed, together with what is added to its products.
    fn matrix(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
        bias: Option<&[f32]>,
    ) -> Result<Matrix, LoadError> {
        self.used.push(name.to_owned());
        let (kind, bytes) = self.source.bytes(name, &[rows, columns])?;
        let mut matrix = Matrix::pack(kind, bytes, rows, columns)
            .map_err(|source| LoadError::Pack { name: name.to_owned(), source })?;
        self.report.packed(kind, bytes.len(), matrix.bytes());
        matrix.move_to(bias, self.device)?;
        Ok(matrix)
    }
}

/// A tensor of one dimension.
pub(super) fn vector(source: &Source, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
    let (kind, bytes) = source.bytes(name, &[length])?;
    let row = Matrix::pack(kind, bytes, 1, length)
        .map_err(|source| LoadError::Pack { name: name.to_owned(), source })?;
    let mut values = vec![0.0; length];
    row.row(0, &mut values);
    Ok(values)
}
