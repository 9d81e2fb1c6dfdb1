//! What a model loses when somebody makes it cheaper: `damage FOLDER [--small] [--questions N] [--json]`.
//!
//! For each way: how many answers are still right (about people; of the small model, about what every
//! demo model knows), how many of the words that follow
//! are still the likeliest ones, and how far logits move.

use engine::train::damage::{Damage, damaged};
use engine::train::exam::{Question, examine};
use engine::train::{Plan, common_questions, questions};
use engine::{Chunk, Model};
use std::path::PathBuf;
use tokenizers::Tokenizer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Questions, where nothing else is said, and those of them whose logits are compared.
const QUESTIONS: usize = 1_200;
const COMPARED: usize = 200;

/// Seed of the noise.
const SEED: u64 = 5;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    engine::limit_threads(1);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().ok_or("say where the model is")?);
    let place = arguments.iter().position(|argument| argument == "--questions");
    let count = place.and_then(|place| arguments.get(place + 1));
    let count: usize = count.map_or(Ok(QUESTIONS), |text| text.parse())?;
    let json = arguments.iter().any(|argument| argument == "--json");
    let file = std::fs::read(folder.join("model.gguf"))?;
    let tokenizer =
        Tokenizer::from_file(folder.join("tokenizer.json")).map_err(|e| e.to_string())?;
    let small = arguments.iter().any(|argument| argument == "--small");
    let plan = if small { Plan::small() } else { Plan::demo() };
    let all = if small { common_questions() } else { questions(&plan) };
    let asked: Vec<Question> = all.iter().step_by((all.len() / count).max(1)).cloned().collect();
    let whole = Model::load(&folder)?;
    let layers = plan.shape.layers;
    if !json {
        println!(
            "| model | answers right | same likeliest token | mean change of a logit | largest |"
        );
        println!("|---|---|---|---|---|");
    }
    for (name, damage) in [
        ("as shipped, 8 bits".to_owned(), Damage::Bits(8)),
        ("6 bits".to_owned(), Damage::Bits(6)),
        ("5 bits".to_owned(), Damage::Bits(5)),
        ("4 bits".to_owned(), Damage::Bits(4)),
        ("3 bits".to_owned(), Damage::Bits(3)),
        ("2 bits".to_owned(), Damage::Bits(2)),
        ("noise of 2 %".to_owned(), Damage::Noise(0.02)),
        ("noise of 5 %".to_owned(), Damage::Noise(0.05)),
        ("noise of 10 %".to_owned(), Damage::Noise(0.1)),
        (format!("without layer {}", layers / 2), Damage::Layer(layers / 2)),
        (format!("without layer {layers}"), Damage::Layer(layers - 1)),
    ] {
        let cheap = load(&damaged(&file, damage, SEED)?)?;
        let share = examine(&cheap, &tokenizer, &asked)?.share();
        let change = change(&whole, &cheap, &tokenizer, &asked)?;
        let (same, mean, most) = (change.same(), change.mean(), change.most);
        if json {
            println!(
                "{}",
                serde_json::json!({"model": name, "right": share, "same": same, "mean": mean, "largest": most})
            );
        } else {
            println!(
                "| {name} | {:.1} % | {:.1} % | {mean:.3} | {most:.2} |",
                100.0 * share,
                100.0 * same
            );
        }
    }
    Ok(())
}

fn load(file: &[u8]) -> Result<Model, Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("model.gguf"), file)?;
    Ok(Model::load(folder.path())?)
}

#[derive(Default)]
struct Change {
    places: usize,
    same: usize,
    logits: usize,
    sum: f64,
    most: f32,
}

impl Change {
    fn same(&self) -> f64 {
        self.same as f64 / self.places.max(1) as f64
    }

    fn mean(&self) -> f64 {
        self.sum / self.logits.max(1) as f64
    }
}

/// Reads right answers with both models and compares what they expect at each token.
fn change(
    whole: &Model,
    cheap: &Model,
    tokenizer: &Tokenizer,
    asked: &[Question],
) -> Result<Change, Failed> {
    let mut change = Change::default();
    for question in asked.iter().step_by((asked.len() / COMPARED).max(1)) {
        let prompt = format!("<|user|>{}<|end|><|assistant|>", question.text);
        let encode =
            |text: String| tokenizer.encode(text, false).map_err(|error| error.to_string());
        let (prompt, answer) =
            (encode(prompt)?, encode(format!("{}<|end|>", question.answers[0]))?);
        let rows = |model: &Model| logits(model, prompt.get_ids(), answer.get_ids());
        for (a, b) in rows(whole)?.iter().zip(rows(cheap)?) {
            change.places += 1;
            change.same += usize::from(likeliest(a) == likeliest(&b));
            for (a, b) in a.iter().zip(b) {
                let moved = (a - b).abs();
                change.logits += 1;
                change.sum += f64::from(moved);
                change.most = change.most.max(moved);
            }
        }
    }
    Ok(change)
}

/// What a model expects at each token of an answer.
fn logits(model: &Model, prompt: &[u32], answer: &[u32]) -> Result<Vec<Vec<f32>>, Failed> {
    let mut cache = model.cache(1);
    let slot = cache.take().map_err(|full| format!("{full:?}"))?;
    let mut rows = Vec::with_capacity(answer.len());
    let pieces = std::iter::once(prompt).chain(answer.chunks(1));
    for tokens in pieces.take(answer.len()) {
        let chunk = Chunk { slot, tokens, wants_logits: true };
        rows.extend(model.step(&mut cache, &[chunk])?.remove(0));
    }
    Ok(rows)
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(token, _)| token)
}
