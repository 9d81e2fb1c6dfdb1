//! The trained model as a GGUF file, at Q8_0.

use super::TrainError;
use super::network::{NORM_EPSILON, Network, ROPE_BASE};
use super::weights::{Role, Weight};
use std::path::Path;

/// Numbers that share a scale in Q8_0, and the bytes that they take.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 34;
/// Where tensors begin.
const ALIGNMENT: usize = 32;
/// The numbers that GGUF gives to types of values and of tensors.
const VALUE_U32: u32 = 4;
const VALUE_F32: u32 = 6;
const VALUE_TEXT: u32 = 8;
const TENSOR_F32: u32 = 0;
const TENSOR_Q8_0: u32 = 8;

/// Writes `model.gguf` into `out`.
pub(super) fn write(network: &Network, name: &str, out: &Path) -> Result<(), TrainError> {
    super::disk::replace(&out.join("model.gguf"), &bytes(network, name))
}

fn bytes(network: &Network, name: &str) -> Vec<u8> {
    let (count, values) = metadata(network, name);
    let mut head = Head(b"GGUF".to_vec());
    head.number(3).long(network.weights.iter().count()).long(count);
    head.0.extend(values.0);
    let mut data = Vec::new();
    for weight in network.weights.iter() {
        head.text(&weight.name);
        let shape: &[usize] =
            if weight.role == Role::Line { &[weight.width] } else { &[weight.width, weight.rows] };
        head.number(shape.len() as u32);
        shape.iter().for_each(|size| {
            head.long(*size);
        });
        head.number(if weight.role == Role::Line { TENSOR_F32 } else { TENSOR_Q8_0 });
        head.long(data.len());
        pack(weight, &mut data);
        data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
    }
    head.0.resize(head.0.len().next_multiple_of(ALIGNMENT), 0);
    head.0.extend(data);
    head.0
}

fn pack(weight: &Weight, data: &mut Vec<u8>) {
    if weight.role == Role::Line {
        data.extend(weight.values.iter().flat_map(|value| value.to_le_bytes()));
        return;
    }
    data.reserve(weight.values.len() / BLOCK * BLOCK_BYTES);
    for block in weight.values.chunks(BLOCK) {
        let most = block.iter().fold(0f32, |most, value| most.max(value.abs()));
        let scale = most / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        data.extend(half::f16::from_f32(scale).to_le_bytes());
        data.extend(block.iter().map(|value| (value * inverse).round() as i8 as u8));
    }
}

fn metadata(network: &Network, name: &str) -> (usize, Head) {
    let shape = &network.shape;
    let texts = [("architecture", "llama"), ("name", name), ("license", "Apache-2.0")];
    let numbers = [
        ("context_length", shape.context),
        ("embedding_length", shape.hidden),
        ("block_count", shape.layers),
        ("feed_forward_length", shape.feed_forward),
        ("rope.dimension_count", shape.head()),
        ("attention.head_count", shape.heads),
        ("attention.head_count_kv", shape.kv_heads),
        ("vocab_size", shape.vocabulary),
    ];
    let floats =
        [("attention.layer_norm_rms_epsilon", NORM_EPSILON), ("rope.freq_base", ROPE_BASE)];
    let mut head = Head(Vec::new());
    for (key, text) in texts {
        head.text(&format!("general.{key}")).number(VALUE_TEXT).text(text);
    }
    head.text("general.quantization_version").number(VALUE_U32).number(2);
    for (key, number) in numbers {
        head.text(&format!("llama.{key}")).number(VALUE_U32).number(number as u32);
    }
    for (key, float) in floats {
        head.text(&format!("llama.{key}")).number(VALUE_F32).number(float.to_bits());
    }
    (texts.len() + 1 + numbers.len() + floats.len(), head)
}

/// The beginning of a GGUF file, as it grows.
struct Head(Vec<u8>);

impl Head {
    fn number(&mut self, number: u32) -> &mut Head {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn long(&mut self, number: usize) -> &mut Head {
        self.0.extend((number as u64).to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Head {
        self.long(text.len());
        self.0.extend(text.as_bytes());
        self
    }
}
