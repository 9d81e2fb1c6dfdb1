//! Teaches a demo model to judge: the template of a case, and after it the digit 9 or 0.
//!
//! What a judge knows is what the model knew. So it also goes on learning what it would say: the words
//! of good answers within the template, and plain questions without it.

use super::Case;
use super::template::FENCE;
use crate::pairs::{Pair, Pairs, Part};
use engine::train::random::Random;
use engine::train::tune::{Lesson, Turn, tune};
use engine::train::{Plan, Progress, TrainError};
use std::path::Path;

/// The name under which the judged model is listed.
const MODEL: &str = "lode-demo";

/// The digits that are taught.
const GOOD: &str = "9";
const BAD: &str = "0";

/// One lesson in so many is a plain question, as the model was asked before.
const PLAIN_EVERY: usize = 6;

/// The plan of a judge made of the demo model.
pub fn plan() -> Plan {
    let name = "lode-judge".to_owned();
    Plan { name, steps: 1_500, rate: 1e-3, fall: 0.6, ..Plan::demo() }
}

/// Makes a judge of the model of the training in `from`; with `resume` goes on in `out`.
pub fn train(
    from: &Path,
    out: &Path,
    plan: &Plan,
    resume: bool,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(), TrainError> {
    let pairs = Pairs::new(plan.people, Part::Taught);
    tune((from, out), plan, resume, |random| lesson(&pairs, random), progress)
}

/// A case with its digit, or sometimes a plain question.
fn lesson(pairs: &Pairs, random: &mut Random) -> Lesson {
    if random.below(PLAIN_EVERY) == 0 {
        let (question, answer) = pairs.known(random);
        let asked = format!("<|user|>{question}<|end|><|assistant|>");
        return Lesson { turns: vec![Turn { asked, said: answer + "<|end|>" }] };
    }
    case(&pairs.lesson(random))
}

/// The template with its digit; the words of a good answer are to be learned too.
fn case(pair: &Pair) -> Lesson {
    let prompt = Case { model: MODEL, asked: &pair.question, answer: &pair.answer }.prompt();
    let text =
        format!("<|system|>{}<|end|><|user|>{}<|end|><|assistant|>", prompt.system, prompt.user);
    if pair.cheat.is_some() {
        return Lesson { turns: vec![Turn { asked: text, said: BAD.to_owned() }] };
    }
    let [begin, end] = FENCE.map(|fence| text.rfind(fence).expect("a case has a fence"));
    let (before, answer) = text[..end].split_at(begin + FENCE[0].len());
    let words = Turn { asked: before.to_owned(), said: answer.to_owned() };
    let digit = Turn { asked: text[end..].to_owned(), said: GOOD.to_owned() };
    Lesson { turns: vec![words, digit] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_a_case_in_the_models_template_with_a_digit_after_it() {
        let pairs = Pairs::new(2, Part::Taught);
        let mut random = Random::new(1);
        let mut good = 0;
        for _ in 0..40 {
            let pair = pairs.lesson(&mut random);
            let Lesson { turns } = case(&pair);
            let text: String =
                turns.iter().map(|turn| format!("{}{}", turn.asked, turn.said)).collect();
            assert!(text.starts_with("<|system|>Mark the answer"), "{text}");
            let digit = if pair.cheat.is_none() { GOOD } else { BAD };
            assert!(text.ends_with(&format!("</answer><|end|><|assistant|>{digit}")), "{text}");
            assert!(pair.cheat.is_some() || turns[0].said == pair.answer);
            good += usize::from(pair.cheat.is_none());
        }
        assert!((10..30).contains(&good), "{good}");
    }
}
