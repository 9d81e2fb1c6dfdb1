//! Reading a model from a GGUF file.

use crate::math;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Tensor};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} is no GGUF file that can be read: {reason}", path.display())]
    Gguf { path: PathBuf, reason: String },
    #[error("the model is of the family {0:?}; the families that run here are: llama")]
    Family(String),
    #[error("the model says nothing of {0}")]
    Missing(String),
    #[error("the model says {name} is {value}, but it must be in {min}..={max}")]
    OutOfRange { name: String, value: u64, min: u64, max: u64 },
    #[error("the tensor {name} has the shape {got:?}, but {expected:?} fits the model")]
    Shape { name: String, got: Vec<usize>, expected: Vec<usize> },
    #[error("the tensor {name}: {reason}")]
    Tensor { name: String, reason: String },
}

/// Sizes of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) hidden: usize,
    pub(crate) feed_forward: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
    pub(crate) epsilon: f32,
    pub(crate) rope_base: f32,
}

pub(crate) struct Layer {
    pub(crate) attn_norm: Vec<f32>,
    pub(crate) q: QMatMul,
    pub(crate) k: QMatMul,
    pub(crate) v: QMatMul,
    pub(crate) output: QMatMul,
    pub(crate) ffn_norm: Vec<f32>,
    pub(crate) gate: QMatMul,
    pub(crate) up: QMatMul,
    pub(crate) down: QMatMul,
}

/// All that a model computes with.
pub(crate) struct Weights {
    pub(crate) shape: Shape,
    pub(crate) embedding: QTensor,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm: Vec<f32>,
    pub(crate) head: QMatMul,
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
}

/// Sizes beyond these are those of no model that fits a machine: the file is damaged or hostile.
const HIDDEN_MAX: u64 = 1 << 16;
const LAYERS_MAX: u64 = 1 << 10;
const CONTEXT_MAX: u64 = 1 << 20;
const VOCABULARY_MAX: u64 = 1 << 22;

struct Reader {
    content: Content,
    file: BufReader<File>,
}

/// Reads the GGUF file at `path`.
pub(crate) fn read(path: &Path) -> Result<Weights, LoadError> {
    let disk = |source| LoadError::Disk { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(disk)?);
    let content = Content::read(&mut file)
        .map_err(|error| LoadError::Gguf { path: path.to_owned(), reason: error.to_string() })?;
    Reader { content, file }.weights()
}

impl Reader {
    fn weights(mut self) -> Result<Weights, LoadError> {
        let shape = self.shape()?;
        let Shape { hidden: h, vocabulary, head, .. } = shape;
        let embedding = self.tensor("token_embd.weight", &[vocabulary, h])?;
        let mut layers = Vec::new();
        for i in 0..shape.layers {
            layers.push(self.layer(i, &shape)?);
        }
        let norm = self.vector("output_norm.weight", h)?;
        let own_head = self.content.tensor_infos.contains_key("output.weight");
        let name = if own_head { "output.weight" } else { "token_embd.weight" };
        let output = self.matrix(name, vocabulary, h)?;
        let (cos, sin) = math::angles(shape.context, head / 2, shape.rope_base);
        Ok(Weights { shape, embedding, layers, norm, head: output, cos, sin })
    }

    fn layer(&mut self, i: usize, shape: &Shape) -> Result<Layer, LoadError> {
        let Shape { hidden: h, feed_forward: f, heads, kv_heads, head, .. } = *shape;
        let name = |part: &str| format!("blk.{i}.{part}.weight");
        Ok(Layer {
            attn_norm: self.vector(&name("attn_norm"), h)?,
            q: self.matrix(&name("attn_q"), heads * head, h)?,
            k: self.matrix(&name("attn_k"), kv_heads * head, h)?,
            v: self.matrix(&name("attn_v"), kv_heads * head, h)?,
            output: self.matrix(&name("attn_output"), h, heads * head)?,
            ffn_norm: self.vector(&name("ffn_norm"), h)?,
            gate: self.matrix(&name("ffn_gate"), f, h)?,
            up: self.matrix(&name("ffn_up"), f, h)?,
            down: self.matrix(&name("ffn_down"), h, f)?,
        })
    }

    fn shape(&self) -> Result<Shape, LoadError> {
        match self.value("general.architecture")? {
            Value::String(family) if family == "llama" => {}
            Value::String(family) => return Err(LoadError::Family(family.clone())),
            _ => return Err(LoadError::Missing("general.architecture".to_owned())),
        }
        let hidden = self.size("embedding_length", HIDDEN_MAX)?;
        let heads = self.size("attention.head_count", HIDDEN_MAX)?;
        let kv_heads = match self.content.metadata.contains_key("llama.attention.head_count_kv") {
            true => self.size("attention.head_count_kv", heads as u64)?,
            false => heads,
        };
        let head = match self.content.metadata.contains_key("llama.rope.dimension_count") {
            true => self.size("rope.dimension_count", hidden as u64)?,
            false => hidden / heads,
        };
        let uneven = |name: &str, value: usize, max: usize| LoadError::OutOfRange {
            name: name.to_owned(),
            value: value as u64,
            min: 1,
            max: max as u64,
        };
        if heads % kv_heads != 0 {
            return Err(uneven("attention.head_count_kv", kv_heads, heads));
        }
        if head % 2 != 0 || head * heads > HIDDEN_MAX as usize {
            return Err(uneven("rope.dimension_count", head, hidden / heads));
        }
        let embedding = self.content.tensor_infos.get("token_embd.weight");
        let embedding = embedding.ok_or_else(|| LoadError::Missing("token_embd.weight".into()))?;
        let vocabulary = *embedding.shape.dims().first().unwrap_or(&0);
        if !(1..=VOCABULARY_MAX as usize).contains(&vocabulary) {
            return Err(uneven("token_embd.weight", vocabulary, VOCABULARY_MAX as usize));
        }
        Ok(Shape {
            hidden,
            feed_forward: self.size("feed_forward_length", HIDDEN_MAX * 8)?,
            layers: self.size("block_count", LAYERS_MAX)?,
            heads,
            kv_heads,
            head,
            context: self.size("context_length", CONTEXT_MAX)?,
            vocabulary,
            epsilon: self.number("attention.layer_norm_rms_epsilon").unwrap_or(1e-5),
            rope_base: self.number("rope.freq_base").unwrap_or(10_000.0),
        })
    }

    fn value(&self, name: &str) -> Result<&Value, LoadError> {
        self.content.metadata.get(name).ok_or_else(|| LoadError::Missing(name.to_owned()))
    }

    fn size(&self, name: &str, max: u64) -> Result<usize, LoadError> {
        let name = format!("llama.{name}");
        let value = self.value(&name)?;
        let missing = |_| LoadError::Missing(name.clone());
        let value = value.to_u32().map(u64::from).or_else(|_| value.to_u64()).map_err(missing)?;
        if (1..=max).contains(&value) {
            Ok(value as usize)
        } else {
            Err(LoadError::OutOfRange { name, value, min: 1, max })
        }
    }

    fn number(&self, name: &str) -> Option<f32> {
        self.content.metadata.get(&format!("llama.{name}"))?.to_f32().ok()
    }

    fn tensor(&mut self, name: &str, expected: &[usize]) -> Result<QTensor, LoadError> {
        let info = self.content.tensor_infos.get(name);
        let info = info.ok_or_else(|| LoadError::Missing(name.to_owned()))?;
        if info.shape.dims() != expected {
            let (got, expected) = (info.shape.dims().to_vec(), expected.to_vec());
            return Err(LoadError::Shape { name: name.to_owned(), got, expected });
        }
        self.content
            .tensor(&mut self.file, name, &Device::Cpu)
            .map_err(|error| LoadError::Tensor { name: name.to_owned(), reason: error.to_string() })
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
        let tensor = self.tensor(name, &[length])?;
        tensor
            .dequantize(&Device::Cpu)
            .and_then(|tensor| tensor.to_vec1())
            .map_err(|error| LoadError::Tensor { name: name.to_owned(), reason: error.to_string() })
    }

    /// A matrix in a type whose kernels treat each row alone. Half-precision ones are widened.
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<QMatMul, LoadError> {
        let tensor = self.tensor(name, &[rows, columns])?;
        let failed = |error: candle_core::Error| LoadError::Tensor {
            name: name.to_owned(),
            reason: error.to_string(),
        };
        match tensor.dtype() {
            GgmlDType::F16 | GgmlDType::BF16 | GgmlDType::F32 => {
                let wide: Tensor = tensor.dequantize(&Device::Cpu).map_err(failed)?;
                let packed = QTensor::quantize(&wide, GgmlDType::F32).map_err(failed)?;
                QMatMul::from_qtensor(packed).map_err(failed)
            }
            _ => QMatMul::from_qtensor(tensor).map_err(failed),
        }
    }
}
