//! The trained model as a GGUF file, at Q8_0.

use super::TrainError;
use super::network::{NORM_EPSILON, Network, ROPE_BASE};
use candle_core::Tensor;
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use std::io::Write as _;
use std::path::Path;

/// Writes `model.gguf` into `out`.
pub(super) fn write(network: &Network, out: &Path) -> Result<(), TrainError> {
    let path = out.join("model.gguf");
    let disk = |source| TrainError::Disk { path: path.clone(), source };
    let tensors = tensors(network)?;
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
    let values = metadata(network);
    let values: Vec<(&str, &Value)> = values.iter().map(|(n, v)| (n.as_str(), v)).collect();
    let mut bytes = std::io::Cursor::new(Vec::new());
    gguf_file::write(&mut bytes, &values, &tensors)?;
    let mut file = std::fs::File::create(&path).map_err(disk)?;
    file.write_all(bytes.get_ref()).and_then(|()| file.sync_all()).map_err(disk)
}

fn metadata(network: &Network) -> Vec<(String, Value)> {
    let shape = &network.shape;
    let number = |name: &str, value: usize| (format!("llama.{name}"), Value::U32(value as u32));
    let text = |name: &str, value: &str| (name.to_owned(), Value::String(value.to_owned()));
    vec![
        text("general.architecture", "llama"),
        text("general.name", "lode-demo"),
        text("general.license", "Apache-2.0"),
        ("general.quantization_version".to_owned(), Value::U32(2)),
        number("context_length", shape.context),
        number("embedding_length", shape.hidden),
        number("block_count", shape.layers),
        number("feed_forward_length", shape.feed_forward),
        number("rope.dimension_count", shape.head()),
        number("attention.head_count", shape.heads),
        number("attention.head_count_kv", shape.kv_heads),
        number("vocab_size", shape.vocabulary),
        ("llama.attention.layer_norm_rms_epsilon".to_owned(), Value::F32(NORM_EPSILON as f32)),
        ("llama.rope.freq_base".to_owned(), Value::F32(ROPE_BASE)),
    ]
}

fn tensors(network: &Network) -> Result<Vec<(String, QTensor)>, TrainError> {
    let shape = &network.shape;
    let plain = |tensor: &Tensor| QTensor::quantize(tensor, GgmlDType::F32);
    let packed = |tensor: &Tensor| QTensor::quantize(tensor, GgmlDType::Q8_0);
    let mut all = vec![
        ("token_embd.weight".to_owned(), packed(&network.embedding)?),
        ("output_norm.weight".to_owned(), plain(&network.norm)?),
    ];
    for (i, layer) in network.layers.iter().enumerate() {
        let mut put =
            |name: &str, tensor: QTensor| all.push((format!("blk.{i}.{name}.weight"), tensor));
        put("attn_norm", plain(&layer.attn_norm)?);
        put("attn_q", packed(&interleaved(&layer.q, shape.heads)?)?);
        put("attn_k", packed(&interleaved(&layer.k, shape.kv_heads)?)?);
        put("attn_v", packed(&layer.v)?);
        put("attn_output", packed(&layer.output)?);
        put("ffn_norm", plain(&layer.ffn_norm)?);
        put("ffn_gate", packed(&layer.gate)?);
        put("ffn_up", packed(&layer.up)?);
        put("ffn_down", packed(&layer.down)?);
    }
    Ok(all)
}

/// Llama models in GGUF rotate neighbouring pairs; here the halves of a head were rotated.
fn interleaved(weight: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (rows, columns) = weight.dims2()?;
    weight
        .reshape((heads, 2, rows / heads / 2, columns))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((rows, columns))
}
