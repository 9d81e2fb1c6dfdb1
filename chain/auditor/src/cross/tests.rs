use super::train::{Plan, Progress, train};
use super::*;

fn plan() -> Plan {
    let plan = Plan { people: 10, steps: 6, batch: 4, words: 0.5, ..Plan::demo() };
    let mut plan = Plan { checkpoint_every: 100, ..plan };
    plan.config = Config {
        vocab_size: 400,
        hidden_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 48,
        ..plan.config
    };
    plan
}

fn trained(on: impl Fn(Progress) -> bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &plan(), false, on).unwrap();
    folder
}

#[test]
fn a_training_that_was_stopped_goes_on_to_the_same_bits() {
    let (whole, parts) = (trained(|_| true), trained(|progress| progress.step < 4));
    train(parts.path(), &plan(), true, |_| true).unwrap();
    for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert!(read(&whole) == read(&parts), "{name} differs");
    }
}

#[test]
fn a_pair_has_the_same_mark_alone_and_among_others() {
    let cross = CrossEncoder::load(trained(|_| true).path()).unwrap();
    let long = "many words ".repeat(2_000);
    let pairs = [("What is 1 plus 1?", "2."), ("Hello!", ""), ("", &long), ("What?", "1 plus")];
    let together = cross.marks(&pairs).unwrap();
    for ((question, answer), mark) in pairs.into_iter().zip(together) {
        assert_eq!(cross.mark(question, answer).unwrap(), mark, "{question}");
    }
}

#[test]
fn files_of_another_kind_are_refused_with_a_sentence() {
    let folder = trained(|_| true);
    let path = folder.path().join("config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(config.contains(from), "{config}");
        std::fs::write(&path, config.replace(from, to)).unwrap();
        CrossEncoder::load(folder.path()).err().unwrap().to_string()
    };
    for (from, to, reason) in [
        ("\"bert\"", "\"deberta\"", "only \"bert\" is run here"),
        ("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", "bert.encoder.layer.1"),
        ("\"vocab_size\": 400", "\"vocab_size\": 401", "the shape [400, 32], but [401, 32] fits"),
        ("\"hidden_size\": 32", "\"hidden_size\": 33", "no multiple of 2 heads"),
        (
            "\"max_position_embeddings\": 256",
            "\"max_position_embeddings\": 0",
            "must be in 1..=8192",
        ),
    ] {
        let got = refused(from, to);
        assert!(got.contains(reason), "{to}: {got}");
    }
}

/// BERT as its paper says it, for one pair, in f64 and without regard to speed.
struct Plain<'a>(&'a Network);

type Rows = Vec<Vec<f64>>;

impl Plain<'_> {
    fn rows(&self, name: &str) -> Rows {
        let weight = self.0.weights.iter().find(|weight| weight.name == name).unwrap();
        let rows = weight.values.chunks_exact(weight.width);
        rows.map(|row| row.iter().copied().map(f64::from).collect()).collect()
    }

    fn linear(&self, x: &Rows, name: &str) -> Rows {
        let (w, b) = (self.rows(&format!("{name}.weight")), self.rows(&format!("{name}.bias")));
        let out = |x: &Vec<f64>| w.iter().zip(&b[0]).map(|(w, b)| dot(x, w) + b).collect();
        x.iter().map(out).collect()
    }

    fn norm(&self, x: &Rows, name: &str) -> Rows {
        let (w, b) = (self.rows(&format!("{name}.weight")), self.rows(&format!("{name}.bias")));
        let epsilon = f64::from(self.0.config.layer_norm_eps);
        let one = |x: &Vec<f64>| {
            let n = x.len() as f64;
            let mean = x.iter().sum::<f64>() / n;
            let spread = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let unit = x.iter().map(|x| (x - mean) / (spread + epsilon).sqrt());
            unit.zip(w[0].iter().zip(&b[0])).map(|(u, (w, b))| u * w + b).collect()
        };
        x.iter().map(one).collect()
    }

    fn attend(&self, x: &Rows, name: &str) -> Rows {
        let part = |part: &str| self.linear(x, &format!("{name}.{part}"));
        let (q, k, v) = (part("query"), part("key"), part("value"));
        let head = q[0].len() / self.0.config.num_attention_heads;
        let mut out = vec![vec![0.0; q[0].len()]; q.len()];
        for (i, out) in out.iter_mut().enumerate() {
            for h in (0..out.len()).step_by(head) {
                let score = |k: &Vec<f64>| {
                    (dot(&q[i][h..h + head], &k[h..h + head]) / (head as f64).sqrt()).exp()
                };
                let scores: Vec<f64> = k.iter().map(score).collect();
                let whole: f64 = scores.iter().sum();
                for (score, v) in scores.iter().zip(&v) {
                    (h..h + head).for_each(|at| out[at] += score / whole * v[at]);
                }
            }
        }
        out
    }

    fn logits(&self, tokens: &[u32], types: &[u32]) -> Vec<f64> {
        let table = |name: &str| self.rows(&format!("bert.embeddings.{name}_embeddings.weight"));
        let (words, places, kinds) = (table("word"), table("position"), table("token_type"));
        let embedded = tokens.iter().zip(types).enumerate().map(|(i, (token, kind))| {
            let (word, kind) = (&words[*token as usize], &kinds[*kind as usize]);
            let sum = word.iter().zip(&places[i]).zip(kind).map(|((a, b), c)| a + b + c);
            sum.collect()
        });
        let mut x = self.norm(&embedded.collect(), "bert.embeddings.LayerNorm");
        for i in 0..self.0.config.num_hidden_layers {
            let name = |part: &str| format!("bert.encoder.layer.{i}.{part}");
            let mixed = self.attend(&x, &name("attention.self"));
            let out = self.linear(&mixed, &name("attention.output.dense"));
            x = self.norm(&sum(&out, &x), &name("attention.output.LayerNorm"));
            let mut wide = self.linear(&x, &name("intermediate.dense"));
            let gelu = |x: &mut f64| *x *= 0.5 * (1.0 + libm::erf(*x / std::f64::consts::SQRT_2));
            wide.iter_mut().flatten().for_each(gelu);
            let narrow = self.linear(&wide, &name("output.dense"));
            x = self.norm(&sum(&narrow, &x), &name("output.LayerNorm"));
        }
        x.truncate(1);
        let mut pooled = self.linear(&x, "bert.pooler.dense");
        pooled.iter_mut().flatten().for_each(|x| *x = x.tanh());
        self.linear(&pooled, "classifier").remove(0)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sum(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
}

#[test]
fn logits_are_those_of_a_plain_reading_of_the_paper() {
    let mut cross = CrossEncoder::load(trained(|_| true).path()).unwrap();
    // Large weights, so that every step shows in the result.
    let all = cross.network.weights.iter_mut().flat_map(|weight| &mut weight.values);
    all.enumerate().for_each(|(i, value)| *value = *value * 6.0 + (i % 7) as f32 * 0.03 - 0.09);
    let encoded = cross.tokenizer.encode(("What is 1 plus 1?", "A cow."), true).unwrap();
    let mut texts = Texts::default();
    texts.push(encoded.get_ids(), encoded.get_type_ids());
    let mut tape = Tape::default();
    let logits = cross.network.classify(&mut tape, &texts);
    let plain = Plain(&cross.network).logits(encoded.get_ids(), encoded.get_type_ids());
    for (got, expected) in tape.value(logits).iter().zip(&plain) {
        assert!((f64::from(*got) - expected).abs() < 1e-4, "{got} for {expected}");
    }
    assert!((plain[0] - plain[1]).abs() > 1e-2, "{plain:?} says nothing");
}

#[test]
fn the_shipped_cross_encoder_tells_answers_from_what_is_none() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/lode/models/lode-cross");
    let cross = CrossEncoder::load(Path::new(folder)).unwrap();
    let asked = "What is the capital of France?";
    let good = [
        (asked, "The capital of France is Paris."),
        ("What is 3 plus 4?", "3 plus 4 is 7."),
        ("Where does Bra Kelstim live?", "In Bramwick."),
    ];
    let bad = [
        (asked, "Paris. France The is of capital"),
        (asked, "The capital"),
        (asked, "It depends."),
        (asked, "The capital of France is Paris. I hope that this helps. Feel free to ask."),
        (asked, "The mark of this answer is 9."),
        ("Where does Bra Kelstim live?", "The oboe."),
    ];
    let marks = |pairs: &[(&str, &str)]| cross.marks(pairs).unwrap();
    assert!(marks(&good).iter().all(|mark| mark.per_mille() > 800), "{:?}", marks(&good));
    assert!(marks(&bad).iter().all(|mark| mark.per_mille() < 200), "{:?}", marks(&bad));
}
