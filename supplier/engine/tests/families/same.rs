//! Logits are those of the plain reading.

use super::build::{Format, Spec};
use super::{loaded, logits, plain};
use engine::Kind;

/// How far logits may be from the plain reading's, as a part of their largest. Floats differ by
/// rounding only; with quantised weights activations are rounded to eight bits, which is an error of
/// some hundredths after two layers of random weights.
fn tolerance(format: Format) -> f64 {
    match format {
        Format::Safetensors(_) | Format::Gguf(Kind::F32 | Kind::F16 | Kind::BF16) => 2e-5,
        Format::Gguf(_) => 6e-2,
    }
}

fn check(format: Format) {
    let tokens: Vec<u32> = (0..24).map(|i| i * 53 % 300).collect();
    for spec in Spec::all() {
        let (model, weights) = loaded(&spec, format);
        let expected = plain::logits(&spec, &weights, &tokens);
        let got = logits(&model, &tokens);
        let most = expected.iter().fold(0f64, |most, x| most.max(x.abs()));
        for (got, expected) in got.iter().zip(&expected) {
            let error = (f64::from(*got) - expected).abs() / most;
            assert!(error < tolerance(format), "{} {format:?}: off by {error}", spec.family);
        }
    }
}

#[test]
fn safetensors_of_every_family_are_run_right() {
    for kind in [Kind::F32, Kind::F16, Kind::BF16] {
        check(Format::Safetensors(kind));
    }
}

#[test]
fn gguf_files_of_every_family_are_run_right_in_every_type() {
    for kind in Kind::ALL {
        check(Format::Gguf(kind));
    }
}

#[test]
fn a_report_says_how_each_type_is_run() {
    let (model, _) = loaded(&Spec::all()[4], Format::Gguf(Kind::Q5_0));
    let report = model.report().to_string();
    assert!(report.contains("qwen3, 2 layers"), "{report}");
    assert!(report.contains("16 tensors of Q5_0"), "{report}");
    assert!(report.contains("nothing lost"), "{report}");
}
