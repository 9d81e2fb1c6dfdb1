//! Small models with random weights.

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use engine::Kind;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Weights by Hugging Face's names, with their sizes, as a reader of the files gets them.
pub(crate) type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A model's family and sizes.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) family: &'static str,
    pub(crate) hidden: usize,
    pub(crate) feed_forward: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    pub(crate) vocabulary: usize,
    pub(crate) context: usize,
    pub(crate) tied: bool,
    pub(crate) biases: bool,
    pub(crate) head_norms: bool,
    pub(crate) window: Option<usize>,
    pub(crate) llama3: bool,
}

/// How a model is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Gguf(Kind),
    Safetensors(Kind),
}

pub(crate) const BASE: f32 = 10_000.0;
pub(crate) const EPSILON: f32 = 1e-5;
/// Factor, low, high, and original context of stretched rotations.
pub(crate) const LLAMA3: (f32, f32, f32, f32) = (8.0, 1.0, 4.0, 64.0);

impl Spec {
    pub(crate) fn all() -> Vec<Spec> {
        let llama2 = Spec {
            family: "llama",
            hidden: 256,
            feed_forward: 512,
            layers: 2,
            heads: 4,
            kv_heads: 4,
            head: 64,
            vocabulary: 300,
            context: 256,
            tied: false,
            biases: false,
            head_norms: false,
            window: None,
            llama3: false,
        };
        vec![
            llama2.clone(),
            Spec { kv_heads: 2, llama3: true, tied: true, ..llama2.clone() },
            Spec { family: "mistral", kv_heads: 2, window: Some(7), ..llama2.clone() },
            Spec { family: "qwen2", kv_heads: 1, biases: true, tied: true, ..llama2.clone() },
            Spec { family: "qwen3", kv_heads: 2, head: 128, head_norms: true, ..llama2 },
        ]
    }

    /// The names and sizes of all tensors.
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (h, f) = (self.hidden, self.feed_forward);
        let (all, kv) = (self.heads * self.head, self.kv_heads * self.head);
        let mut tensors = vec![
            ("model.embed_tokens.weight".to_owned(), vec![self.vocabulary, h]),
            ("model.norm.weight".to_owned(), vec![h]),
        ];
        if !self.tied {
            tensors.push(("lm_head.weight".to_owned(), vec![self.vocabulary, h]));
        }
        for i in 0..self.layers {
            let mut put = |name: &str, sizes: &[usize]| {
                tensors.push((format!("model.layers.{i}.{name}"), sizes.to_vec()));
            };
            put("self_attn.q_proj.weight", &[all, h]);
            put("self_attn.k_proj.weight", &[kv, h]);
            put("self_attn.v_proj.weight", &[kv, h]);
            put("self_attn.o_proj.weight", &[h, all]);
            put("mlp.gate_proj.weight", &[f, h]);
            put("mlp.up_proj.weight", &[f, h]);
            put("mlp.down_proj.weight", &[h, f]);
            put("input_layernorm.weight", &[h]);
            put("post_attention_layernorm.weight", &[h]);
            if self.biases {
                put("self_attn.q_proj.bias", &[all]);
                put("self_attn.k_proj.bias", &[kv]);
                put("self_attn.v_proj.bias", &[kv]);
            }
            if self.head_norms {
                put("self_attn.q_norm.weight", &[self.head]);
                put("self_attn.k_norm.weight", &[self.head]);
            }
        }
        tensors
    }

    fn weights(&self) -> Weights {
        let mut state = 88_172_645_463_325_252u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        };
        let mut weights = Weights::new();
        for (name, sizes) in self.tensors() {
            let scale = 1.7 / (*sizes.last().unwrap() as f32).sqrt();
            let count: usize = sizes.iter().product();
            let norm = sizes.len() == 1 && name.ends_with("weight");
            let value = |_| if norm { 1.0 + 0.2 * next() } else { scale * next() };
            weights.insert(name, (sizes, (0..count).map(value).collect()));
        }
        weights
    }
}

/// Writes the model into `folder`; gives the weights as they can be read back.
pub(crate) fn write(spec: &Spec, format: Format, folder: &Path) -> Weights {
    match format {
        Format::Gguf(kind) => gguf(spec, kind, &no_vocabulary(), folder),
        Format::Safetensors(kind) => safetensors(spec, kind, folder),
    }
}

fn ggml(kind: Kind) -> GgmlDType {
    match kind {
        Kind::F32 => GgmlDType::F32,
        Kind::F16 => GgmlDType::F16,
        Kind::BF16 => GgmlDType::BF16,
        Kind::Q4_0 => GgmlDType::Q4_0,
        Kind::Q4_1 => GgmlDType::Q4_1,
        Kind::Q5_0 => GgmlDType::Q5_0,
        Kind::Q5_1 => GgmlDType::Q5_1,
        Kind::Q8_0 => GgmlDType::Q8_0,
        Kind::Q4_K => GgmlDType::Q4K,
        Kind::Q5_K => GgmlDType::Q5K,
        Kind::Q6_K => GgmlDType::Q6K,
    }
}

fn renamed(name: &str) -> String {
    let name = name.replace("model.embed_tokens", "token_embd").replace("lm_head", "output");
    let name = name.replace("model.norm", "output_norm").replace("model.layers.", "blk.");
    let name = name.replace("self_attn.q_proj", "attn_q").replace("self_attn.k_proj", "attn_k");
    let name =
        name.replace("self_attn.v_proj", "attn_v").replace("self_attn.o_proj", "attn_output");
    let name = name.replace("self_attn.q_norm", "attn_q_norm");
    let name = name.replace("self_attn.k_norm", "attn_k_norm").replace("mlp.gate_proj", "ffn_gate");
    let name = name.replace("mlp.up_proj", "ffn_up").replace("mlp.down_proj", "ffn_down");
    name.replace("post_attention_layernorm", "ffn_norm").replace("input_layernorm", "attn_norm")
}

/// What a GGUF file says besides its tensors: names and values.
pub(crate) type Said = Vec<(String, Value)>;

/// A file whose tokenizer lies beside it.
fn no_vocabulary() -> Said {
    vec![("tokenizer.ggml.model".to_owned(), Value::String("no_vocab".to_owned()))]
}

/// Writes the model with what is said of its vocabulary as one GGUF file.
pub(crate) fn gguf(spec: &Spec, kind: Kind, vocabulary: &Said, folder: &Path) -> Weights {
    let (mut weights, mut tensors) = (spec.weights(), Vec::new());
    for (name, (sizes, values)) in &mut weights {
        let tensor = Tensor::from_vec(values.clone(), sizes.as_slice(), &Device::Cpu).unwrap();
        let kind = if sizes.len() == 1 { GgmlDType::F32 } else { ggml(kind) };
        let packed = QTensor::quantize(&tensor, kind).unwrap();
        let read = packed.dequantize(&Device::Cpu).unwrap();
        *values = read.flatten_all().unwrap().to_vec1().unwrap();
        // Llama's files turn neighbours, where Hugging Face's turn halves.
        let heads = match name.split('.').nth_back(1) {
            Some("q_proj") => spec.heads,
            Some("k_proj") => spec.kv_heads,
            _ => 0,
        };
        let packed = if heads > 0 && matches!(spec.family, "llama" | "mistral") {
            let (rows, columns) = tensor.dims2().unwrap();
            let mixed = tensor.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
            let mixed = mixed.transpose(1, 2).unwrap().contiguous().unwrap();
            QTensor::quantize(&mixed.reshape((rows, columns)).unwrap(), kind).unwrap()
        } else {
            packed
        };
        tensors.push((renamed(name), packed));
    }
    if spec.llama3 {
        let factors: Vec<f32> = (0..spec.head / 2).map(|i| factor(spec, i)).collect();
        let factors = Tensor::new(factors, &Device::Cpu).unwrap();
        let factors = QTensor::quantize(&factors, GgmlDType::F32).unwrap();
        tensors.push(("rope_freqs.weight".to_owned(), factors));
    }
    let said = metadata(spec);
    let values = said.iter().chain(vocabulary);
    let values: Vec<(&str, &Value)> = values.map(|(n, v)| (n.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
    let mut bytes = std::io::Cursor::new(Vec::new());
    gguf_file::write(&mut bytes, &values, &tensors).unwrap();
    std::fs::write(folder.join("model.gguf"), bytes.get_ref()).unwrap();
    weights
}

/// By how much the rotation of a pair is slowed down.
pub(crate) fn factor(spec: &Spec, i: usize) -> f32 {
    if !spec.llama3 {
        return 1.0;
    }
    let (factor, low, high, original) = LLAMA3;
    let speed = BASE.powf(-(i as f32) * 2.0 / spec.head as f32);
    let wave = std::f32::consts::TAU / speed;
    if wave < original / high {
        1.0
    } else if wave > original / low {
        factor
    } else {
        let smooth = (original / wave - low) / (high - low);
        1.0 / ((1.0 - smooth) / factor + smooth)
    }
}

fn metadata(spec: &Spec) -> Said {
    let family = if spec.family == "mistral" { "llama" } else { spec.family };
    let number = |name: &str, value: usize| (format!("{family}.{name}"), Value::U32(value as u32));
    let mut values = vec![
        ("general.architecture".to_owned(), Value::String(family.to_owned())),
        number("context_length", spec.context),
        number("embedding_length", spec.hidden),
        number("block_count", spec.layers),
        number("feed_forward_length", spec.feed_forward),
        number("attention.head_count", spec.heads),
        number("attention.head_count_kv", spec.kv_heads),
        number("attention.key_length", spec.head),
        number("attention.value_length", spec.head),
        number("rope.dimension_count", spec.head),
        (format!("{family}.attention.layer_norm_rms_epsilon"), Value::F32(EPSILON)),
        (format!("{family}.rope.freq_base"), Value::F32(BASE)),
        number("vocab_size", spec.vocabulary),
        ("general.quantization_version".to_owned(), Value::U32(2)),
    ];
    values.extend(spec.window.map(|window| number("attention.sliding_window", window)));
    values
}

/// config.json of a model.
pub(crate) fn config(spec: &Spec) -> Json {
    let mut config = json!({
        "model_type": spec.family,
        "hidden_size": spec.hidden,
        "intermediate_size": spec.feed_forward,
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "num_key_value_heads": spec.kv_heads,
        "head_dim": spec.head,
        "vocab_size": spec.vocabulary,
        "max_position_embeddings": spec.context,
        "rms_norm_eps": EPSILON,
        "hidden_act": "silu",
        "tie_word_embeddings": spec.tied,
        "sliding_window": spec.window,
    });
    let (factor, low, high, original) = LLAMA3;
    let scaling = json!({
        "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
        "original_max_position_embeddings": original,
    });
    // Both ways in which tools write the base of rotations.
    if spec.llama3 {
        config["rope_parameters"] = scaling;
        config["rope_parameters"]["rope_theta"] = BASE.into();
    } else {
        config["rope_theta"] = BASE.into();
    }
    config
}

fn safetensors(spec: &Spec, kind: Kind, folder: &Path) -> Weights {
    let (mut weights, mut data, mut head) = (spec.weights(), Vec::new(), BTreeMap::new());
    for (name, (sizes, values)) in &mut weights {
        let from = data.len();
        for value in values.iter_mut() {
            match kind {
                Kind::F16 => {
                    let half = half::f16::from_f32(*value);
                    data.extend(half.to_le_bytes());
                    *value = half.to_f32();
                }
                Kind::BF16 => {
                    let half = half::bf16::from_f32(*value);
                    data.extend(half.to_le_bytes());
                    *value = half.to_f32();
                }
                _ => data.extend(value.to_le_bytes()),
            }
        }
        let kind = format!("{kind:?}");
        let place = json!({"dtype": kind, "shape": sizes, "data_offsets": [from, data.len()]});
        head.insert(name.clone(), place);
    }
    let mut head = serde_json::to_vec(&head).unwrap();
    head.resize(head.len().next_multiple_of(8), b' ');
    let mut file = (head.len() as u64).to_le_bytes().to_vec();
    file.extend(head);
    file.extend(data);
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
    std::fs::write(folder.join("config.json"), config(spec).to_string()).unwrap();
    weights
}
