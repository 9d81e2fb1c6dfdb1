use super::train::{Plan, Progress, train};
use super::*;

fn plan() -> Plan {
    let mut plan = Plan { steps: 6, batch: 4, words: 0.5, checkpoint_every: 100, ..Plan::demo() };
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
            "\"max_position_embeddings\": 160",
            "\"max_position_embeddings\": 0",
            "must be in 1..=8192",
        ),
    ] {
        let got = refused(from, to);
        assert!(got.contains(reason), "{to}: {got}");
    }
}
