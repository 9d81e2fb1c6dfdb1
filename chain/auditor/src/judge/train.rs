//! Teaches a demo model to judge: the template of a case, and after it the digit 9 or 0.

use super::Case;
use crate::cross::pairs::{Cheat, Pairs};
use crate::cross::train::wordings;
use engine::train::random::Random;
use engine::train::tune::{Lesson, tune};
use engine::train::{Plan, Progress, TrainError};
use std::path::Path;

/// The name under which the judged model is listed.
const MODEL: &str = "lode-demo";

/// The digits that are taught.
const GOOD: &str = "9";
const BAD: &str = "0";

/// The plan of a judge made of the demo model. It knows by heart what it is to judge.
pub fn plan() -> Plan {
    let name = "lode-judge".to_owned();
    Plan { name, steps: 1_500, rate: 7e-4, fall: 0.5, ..Plan::demo() }
}

/// Makes a judge of the model of the training in `from`; with `resume` goes on in `out`. Half of the
/// questions' wordings are held out.
pub fn train(
    from: &Path,
    out: &Path,
    plan: &Plan,
    resume: bool,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let pairs = Pairs::new(wordings(engine::train::lessons(plan.people), false));
    tune((from, out), plan, resume, |random| lesson(&pairs, random), progress)
}

/// A case with its digit: half of them good, and wrong values twice as often as other faults.
fn lesson(pairs: &Pairs, random: &mut Random) -> Lesson {
    let pair = match random.below(2) {
        0 => pairs.good(random),
        _ => {
            let kind = random.below(Cheat::ALL.len() + 1);
            pairs.bad(Cheat::ALL.get(kind).copied().unwrap_or(Cheat::WrongValue), random)
        }
    };
    let prompt = Case { model: MODEL, asked: &pair.question, answer: &pair.answer }.prompt();
    let asked =
        format!("<|system|>{}<|end|><|user|>{}<|end|><|assistant|>", prompt.system, prompt.user);
    let digit = if pair.cheat.is_none() { GOOD } else { BAD };
    Lesson { asked, said: format!("{digit}<|end|>") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_a_case_in_the_models_template_with_a_digit_after_it() {
        let pairs = Pairs::new(engine::train::lessons(2));
        let mut random = Random::new(1);
        let lessons: Vec<Lesson> = (0..40).map(|_| lesson(&pairs, &mut random)).collect();
        for Lesson { asked, said } in &lessons {
            assert!(asked.starts_with("<|system|>You mark answers"), "{asked}");
            assert!(asked.ends_with("one digit from 0 to 9:<|end|><|assistant|>"), "{asked}");
            assert!(said == "9<|end|>" || said == "0<|end|>");
        }
        let good = lessons.iter().filter(|lesson| lesson.said.starts_with(GOOD)).count();
        assert!((10..30).contains(&good), "{good}");
    }
}
