use super::tape::{Angles, Heads, Tape};
use super::weights::{Role, WeightId, Weights};
use super::*;
use std::rc::Rc;

/// Makes logits, and says which answers are right.
type Learn<'a> = &'a dyn Fn(&mut Tape, &Weights) -> (tape::At, Vec<u32>);

/// The largest difference between a gradient and the slope of the loss, beside the largest slope.
fn slope_error(weights: &mut Weights, learn: Learn<'_>) -> f32 {
    let mut tape = Tape::default();
    let loss = |weights: &Weights, tape: &mut Tape| {
        let (logits, answers) = learn(tape, weights);
        let losses = tape.cross_entropy(logits, &answers);
        losses.iter().sum::<f32>() / losses.len() as f32
    };
    loss(weights, &mut tape);
    tape.backward(weights);
    let (mut worst, mut most) = (0f32, 0f32);
    let gradients: Vec<Vec<f32>> = weights.iter().map(|weight| weight.gradient.clone()).collect();
    for (w, gradient) in gradients.iter().enumerate() {
        for i in (0..gradient.len()).step_by(5) {
            let mut at = |change: f32| {
                let mut moved = weights.clone();
                moved.iter_mut().nth(w).unwrap().values[i] += change;
                tape.clear();
                loss(&moved, &mut tape)
            };
            let slope = (at(5e-3) - at(-5e-3)) / 1e-2;
            worst = worst.max((slope - gradient[i]).abs());
            most = most.max(slope.abs());
        }
    }
    worst / most
}

fn matrix(weights: &mut Weights, rows: usize, width: usize, random: &mut Random) -> WeightId {
    let name = format!("matrix {}", weights.count());
    weights.draw(&name, Role::Matrix, (rows, width), 0.5, random)
}

#[test]
fn gradients_of_llamas_steps_are_slopes() {
    let (mut random, mut weights) = (Random::new(3), Weights::default());
    let table = weights.draw("table", Role::Table, (7, 8), 1.0, &mut random);
    let norm = weights.line("norm", 8, 0.9);
    let sizes = [(8, 8), (4, 8), (4, 8), (8, 8), (12, 8), (12, 8), (8, 12)];
    let m = sizes.map(|(rows, width)| matrix(&mut weights, rows, width, &mut random));
    let heads = Heads { heads: 2, kv_heads: 1, head: 4, causal: true };
    let error = slope_error(&mut weights, &|tape, w| {
        let angles = Rc::new(Angles::new([0, 1, 2, 0, 1].into_iter(), 4, 100.0));
        let x = tape.embed(w, table, &[1, 2, 3, 1, 6]);
        let z = tape.rms_norm(w, x, norm, 1e-5);
        let [q, k, v] = [m[0], m[1], m[2]].map(|id| tape.linear(w, z, id, None));
        let (q, k) = (tape.rotate(q, 2, &angles), tape.rotate(k, 1, &angles));
        let mixed = tape.attend((q, k, v), heads, &Rc::new(vec![3, 5]));
        let out = tape.linear(w, mixed, m[3], None);
        let x = tape.add(x, out);
        let [gate, up] = [m[4], m[5]].map(|id| tape.linear(w, x, id, None));
        let gated = tape.gate(gate, up);
        let down = tape.linear(w, gated, m[6], None);
        let x = tape.add(x, down);
        let x = tape.pick(x, &[1, 4, 2]);
        (tape.linear(w, x, table, None), vec![2, 0, 5])
    });
    assert!(error < 1e-2, "{error}");
}

#[test]
fn gradients_of_berts_steps_are_slopes() {
    let (mut random, mut weights) = (Random::new(5), Weights::default());
    let table = weights.draw("table", Role::Table, (7, 8), 1.0, &mut random);
    let norm = (weights.line("norm", 8, 0.9), weights.line("bias", 8, 0.1));
    let bias = weights.line("other bias", 8, 0.2);
    let m: [WeightId; 5] = std::array::from_fn(|_| matrix(&mut weights, 8, 8, &mut random));
    let heads = Heads { heads: 2, kv_heads: 2, head: 4, causal: false };
    let error = slope_error(&mut weights, &|tape, w| {
        let x = tape.embed(w, table, &[1, 2, 3, 1, 6]);
        let [q, k, v] = [m[0], m[1], m[2]].map(|id| tape.linear(w, x, id, Some(bias)));
        let mixed = tape.attend((q, k, v), heads, &Rc::new(vec![3, 5]));
        let x = tape.add(x, mixed);
        let x = tape.layer_norm(w, x, norm, 1e-5);
        let x = tape.linear(w, x, m[3], Some(bias));
        let x = tape.gelu(x);
        let x = tape.pick(x, &[0, 3]);
        let x = tape.linear(w, x, m[4], None);
        (tape.tanh(x), vec![2, 7])
    });
    assert!(error < 1e-2, "{error}");
}

fn plan() -> Plan {
    let shape = Shape {
        vocabulary: 400,
        hidden: 32,
        feed_forward: 32,
        layers: 1,
        heads: 2,
        kv_heads: 1,
        context: 128,
    };
    Plan { shape, people: 2, steps: 6, batch: 128, checkpoint_every: 100, ..Plan::demo() }
}

#[test]
fn a_training_that_was_stopped_goes_on_to_the_same_bits() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    demo(whole.path(), &plan(), false, |_| true).unwrap();
    demo(parts.path(), &plan(), false, |progress| progress.step < 3).unwrap();
    demo(parts.path(), &plan(), true, |_| true).unwrap();
    for name in ["model.gguf", "tokenizer.json"] {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert!(read(&whole) == read(&parts), "{name} differs");
    }
    let score = examine(whole.path(), &questions(&plan())).unwrap();
    assert_eq!(score.asked, 8);
}

#[test]
fn a_training_learns() {
    let folder = tempfile::tempdir().unwrap();
    let mut losses = Vec::new();
    demo(folder.path(), &Plan { steps: 150, ..plan() }, false, |progress| {
        losses.push(progress.loss);
        true
    })
    .unwrap();
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..10]), mean(&losses[losses.len() - 10..]));
    assert!(last < 0.5 * first, "{first} at first, {last} at last");
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), &plan(), false, |_| false).unwrap();
    let more = Plan { people: 3, ..plan() };
    let refused = demo(folder.path(), &more, true, |_| true).unwrap_err().to_string();
    assert!(refused.contains("8 facts about people, but 12 are taught"), "{refused}");
}

#[test]
fn a_model_learns_what_it_is_given_and_goes_on_to_the_same_bits() {
    let tokenizer = || {
        let texts: Vec<String> = (0..99).map(|i| format!("a {i} b {}", i * 7)).collect();
        vocabulary::train(&texts, 300)
    };
    let lesson = |_, random: &mut random::Random| {
        let (name, digit) = *random.pick(&[("a", "1"), ("b", "2")]);
        let (asked, said) = (format!("<|user|>{name}<|end|><|assistant|>"), digit.to_owned());
        teach::Lesson { turns: vec![teach::Turn { asked, said }] }
    };
    let plan = Plan { steps: 200, rate: 4e-3, ..plan() };
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut known = Vec::new();
    let run = |out: &tempfile::TempDir, resume, on: &mut dyn FnMut(Progress) -> bool| {
        teach::teach(out.path(), tokenizer, &plan, resume, lesson, on).unwrap();
    };
    run(&whole, false, &mut |progress| {
        known.push(progress.known);
        true
    });
    run(&parts, false, &mut |progress| progress.step < 20);
    run(&parts, true, &mut |_| true);
    let read =
        |folder: &tempfile::TempDir| std::fs::read(folder.path().join("model.gguf")).unwrap();
    assert!(read(&whole) == read(&parts));
    assert_eq!(known.last(), Some(&1.0), "{known:?}");
}
