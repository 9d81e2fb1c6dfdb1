//! BERT: embeddings, layers that are normed after each half, and a classifier over the first token.

use super::Config;
use engine::train::tape::{At, Heads, Tape};
use engine::train::weights::{WeightId, Weights};
use std::rc::Rc;

/// Pairs of texts side by side, without padding.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    pub(super) tokens: Vec<u32>,
    pub(super) positions: Vec<u32>,
    pub(super) types: Vec<u32>,
    pub(super) ends: Vec<usize>,
}

impl Texts {
    pub(super) fn push(&mut self, tokens: &[u32], types: &[u32]) {
        self.tokens.extend(tokens);
        self.types.extend(types);
        self.positions.extend(0..tokens.len() as u32);
        self.ends.push(self.tokens.len());
    }

    /// The first row of each pair.
    fn firsts(&self) -> Vec<u32> {
        let ends = self.ends.iter().map(|end| *end as u32);
        std::iter::once(0).chain(ends).take(self.ends.len()).collect()
    }
}

/// A map with its bias, or the two lines of a norm.
type Pair = (WeightId, WeightId);

struct Layer {
    query: Pair,
    key: Pair,
    value: Pair,
    attended: Pair,
    attended_norm: Pair,
    wide: Pair,
    narrow: Pair,
    norm: Pair,
}

/// The weights of a BERT.
pub(super) struct Network {
    pub(super) config: Config,
    pub(super) weights: Weights,
    words: WeightId,
    positions: WeightId,
    types: WeightId,
    norm: Pair,
    layers: Vec<Layer>,
    pooler: Pair,
    classifier: Pair,
}

/// What a weight is, so that whoever makes it knows how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Table,
    Matrix,
    Bias,
    NormWeight,
}

/// Makes a weight of a name, a kind and a shape.
pub(super) type Make<'a, E> =
    dyn FnMut(&mut Weights, &str, Part, [usize; 2]) -> Result<WeightId, E> + 'a;

impl Network {
    /// A network whose weights `make` gives, by their names and shapes.
    pub(super) fn build<E>(config: Config, make: &mut Make<'_, E>) -> Result<Network, E> {
        let (h, wide) = (config.hidden_size, config.intermediate_size);
        let mut weights = Weights::default();
        let w = &mut weights;
        let mut table = |w: &mut Weights, name: &str, rows: usize| {
            make(w, &format!("bert.embeddings.{name}_embeddings.weight"), Part::Table, [rows, h])
        };
        let words = table(w, "word", config.vocab_size)?;
        let positions = table(w, "position", config.max_position_embeddings)?;
        let types = table(w, "token_type", config.type_vocab_size)?;
        let mut pair = |w: &mut Weights, name: &str, part: Part, shape: [usize; 2]| {
            let weight = make(w, &format!("{name}.weight"), part, shape)?;
            Ok((
                weight,
                make(
                    w,
                    &format!("{name}.bias"),
                    Part::Bias,
                    [1, if part == Part::NormWeight { shape[1] } else { shape[0] }],
                )?,
            ))
        };
        let norm = pair(w, "bert.embeddings.LayerNorm", Part::NormWeight, [1, h])?;
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let mut of = |name: &str, part: Part, shape: [usize; 2]| {
                pair(w, &format!("bert.encoder.layer.{i}.{name}"), part, shape)
            };
            layers.push(Layer {
                query: of("attention.self.query", Part::Matrix, [h, h])?,
                key: of("attention.self.key", Part::Matrix, [h, h])?,
                value: of("attention.self.value", Part::Matrix, [h, h])?,
                attended: of("attention.output.dense", Part::Matrix, [h, h])?,
                attended_norm: of("attention.output.LayerNorm", Part::NormWeight, [1, h])?,
                wide: of("intermediate.dense", Part::Matrix, [wide, h])?,
                narrow: of("output.dense", Part::Matrix, [h, wide])?,
                norm: of("output.LayerNorm", Part::NormWeight, [1, h])?,
            });
        }
        let pooler = pair(w, "bert.pooler.dense", Part::Matrix, [h, h])?;
        let classifier = pair(w, "classifier", Part::Matrix, [config.labels(), h])?;
        Ok(Network { config, weights, words, positions, types, norm, layers, pooler, classifier })
    }

    /// What each token is in its text.
    fn encode(&self, tape: &mut Tape, texts: &Texts) -> At {
        let (w, epsilon) = (&self.weights, self.config.layer_norm_eps);
        let heads = self.config.num_attention_heads;
        let head = self.config.hidden_size / heads;
        let heads = Heads { heads, kv_heads: heads, head, causal: false };
        let ends = Rc::new(texts.ends.clone());
        let word = tape.embed(w, self.words, &texts.tokens);
        let position = tape.embed(w, self.positions, &texts.positions);
        let kind = tape.embed(w, self.types, &texts.types);
        let x = tape.add(word, kind);
        let x = tape.add(x, position);
        let mut x = tape.layer_norm(w, x, self.norm, epsilon);
        for layer in &self.layers {
            let [q, k, v] =
                [layer.query, layer.key, layer.value].map(|map| linear(tape, w, x, map));
            let mixed = tape.attend((q, k, v), heads, &ends);
            let out = linear(tape, w, mixed, layer.attended);
            let sum = tape.add(out, x);
            x = tape.layer_norm(w, sum, layer.attended_norm, epsilon);
            let wide = linear(tape, w, x, layer.wide);
            let wide = tape.gelu(wide);
            let narrow = linear(tape, w, wide, layer.narrow);
            let sum = tape.add(narrow, x);
            x = tape.layer_norm(w, sum, layer.norm, epsilon);
        }
        x
    }

    /// The logits of each pair's labels.
    pub(super) fn classify(&self, tape: &mut Tape, texts: &Texts) -> At {
        let x = self.encode(tape, texts);
        let x = tape.pick(x, &texts.firsts());
        let x = linear(tape, &self.weights, x, self.pooler);
        let x = tape.tanh(x);
        linear(tape, &self.weights, x, self.classifier)
    }

    /// The logits of words at some places, by the words' own table.
    pub(super) fn words(&self, tape: &mut Tape, texts: &Texts, places: &[u32]) -> At {
        let x = self.encode(tape, texts);
        let x = tape.pick(x, places);
        tape.linear(&self.weights, x, self.words, None)
    }
}

fn linear(tape: &mut Tape, weights: &Weights, x: At, (weight, bias): Pair) -> At {
    tape.linear(weights, x, weight, Some(bias))
}
