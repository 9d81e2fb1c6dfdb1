//! Choosing the next token: a function of logits, settings, seed and position, and nothing else.
//!
//! Tokens are drawn by the Gumbel-max rule: each token's score gets a number that seed, position and
//! token fix, and the highest sum wins. So a draw can be repeated for one position alone, and logits
//! that differ a little give another token only where two sums lie that close together.

/// How tokens are chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// 0: the most likely token, the one with the lower number where two are equal.
    pub temperature: f32,
    /// Only the fewest tokens that together have this probability.
    pub top_p: f32,
    /// Only this many of the most likely tokens; 0: all.
    pub top_k: usize,
    /// Only tokens with at least this part of the highest probability.
    pub min_p: f32,
    /// Taken from the logit of each token that the answer holds, once.
    pub presence_penalty: f32,
    /// Taken from the logit of each token that the answer holds, for each time.
    pub frequency_penalty: f32,
    /// By which the logit of each token that prompt or answer hold is divided where it is positive,
    /// and multiplied where it is negative; 1: not at all.
    pub repetition_penalty: f32,
    /// Added to the logits of tokens.
    pub logit_bias: Vec<(u32, f32)>,
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            repetition_penalty: 1.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

/// A token that might have been chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub token: u32,
    /// Natural logarithm of its probability under the model, before any setting.
    pub logprob: f32,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    pub chosen: Candidate,
    /// The most likely tokens, as many as were asked for, the most likely first.
    pub top: Vec<Candidate>,
}

/// What a choice is made on, beside logits and settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    pub prompt: &'a [u32],
    /// What was answered so far. Its length is the position of the choice.
    pub answer: &'a [u32],
    /// Which tokens may follow, a bit for each; `None`: all.
    pub allowed: Option<&'a [u32]>,
}

/// The token that follows `logits`, after what was `said`. `top` most likely tokens are told too.
pub fn sample(logits: &[f32], sampling: &Sampling, said: Said<'_>, top: Option<usize>) -> Sampled {
    let scores = adjusted(logits, sampling, said);
    let chosen = if sampling.temperature <= 0.0 {
        highest(&scores)
    } else {
        let noise = Noise::of(sampling.seed, said.answer.len() as u64);
        raced(&scores, sampling.temperature, noise, possible(&scores, sampling))
    };
    // Logarithms are those of the model, not of the settings; they take a pass over all tokens.
    let total = top.map_or(0.0, |_| log_sum(logits));
    let candidate =
        |token: usize| Candidate { token: token as u32, logprob: logits[token] - total };
    let most = match top {
        Some(top) if top > 0 => ranked(logits.to_vec(), top),
        _ => Vec::new(),
    };
    Sampled { chosen: candidate(chosen), top: most.into_iter().map(candidate).collect() }
}

/// How likely each token is that the settings leave, the most likely first. Without temperature all
/// of it is the one token's.
pub fn distribution(logits: &[f32], sampling: &Sampling, said: Said<'_>) -> Vec<(u32, f64)> {
    let scores = adjusted(logits, sampling, said);
    if sampling.temperature <= 0.0 {
        return vec![(highest(&scores) as u32, 1.0)];
    }
    let left = possible(&scores, sampling).unwrap_or_else(|| ranked(scores.clone(), scores.len()));
    let best = scores[highest(&scores)];
    let weight =
        |token: usize| f64::from(libm::expf((scores[token] - best) / sampling.temperature));
    let total: f64 = left.iter().map(|token| weight(*token)).sum();
    left.into_iter().map(|token| (token as u32, weight(token) / total)).collect()
}

fn adjusted(logits: &[f32], sampling: &Sampling, said: Said<'_>) -> Vec<f32> {
    let mut scores = logits.to_vec();
    if sampling.repetition_penalty != 1.0 {
        let mut tokens: Vec<u32> = said.prompt.iter().chain(said.answer).copied().collect();
        tokens.sort_unstable();
        tokens.dedup();
        for token in tokens {
            if let Some(score) = scores.get_mut(token as usize) {
                let penalty = sampling.repetition_penalty;
                *score = if *score > 0.0 { *score / penalty } else { *score * penalty };
            }
        }
    }
    for (token, bias) in &sampling.logit_bias {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score += bias;
        }
    }
    if sampling.presence_penalty != 0.0 || sampling.frequency_penalty != 0.0 {
        let mut answer = said.answer.to_vec();
        answer.sort_unstable();
        for same in answer.chunk_by(|a, b| a == b) {
            if let Some(score) = scores.get_mut(same[0] as usize) {
                let times = same.len() as f32;
                *score -= sampling.presence_penalty + sampling.frequency_penalty * times;
            }
        }
    }
    if let Some(allowed) = said.allowed {
        for (token, score) in scores.iter_mut().enumerate() {
            if allowed.get(token / 32).is_none_or(|bits| bits >> (token % 32) & 1 == 0) {
                *score = f32::NEG_INFINITY;
            }
        }
    }
    scores
}

fn highest(scores: &[f32]) -> usize {
    let better = |best: usize, i: usize| if scores[i] > scores[best] { i } else { best };
    (1..scores.len()).fold(0, better)
}

/// Token numbers, the highest score first; equal ones by number; the first `count` of them.
fn ranked(scores: Vec<f32>, count: usize) -> Vec<usize> {
    // One number that orders by score, falling, then by token: cheaper to sort than pairs.
    let key = |(token, score): (usize, f32)| {
        let bits = score.to_bits();
        let rising = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        u64::from(!rising) << 32 | token as u64
    };
    let mut keys: Vec<u64> = scores.into_iter().enumerate().map(key).collect();
    if count < keys.len() {
        keys.select_nth_unstable(count);
        keys.truncate(count);
    }
    keys.sort_unstable();
    keys.into_iter().map(|key| (key & u64::from(u32::MAX)) as usize).collect()
}

/// The tokens that the settings leave; `None`: all.
fn possible(scores: &[f32], sampling: &Sampling) -> Option<Vec<usize>> {
    if sampling.top_k == 0 && sampling.top_p >= 1.0 && sampling.min_p <= 0.0 {
        return None;
    }
    let best = scores[highest(scores)];
    let weight =
        |token: usize| f64::from(libm::expf((scores[token] - best) / sampling.temperature));
    let count = if sampling.top_k > 0 { sampling.top_k } else { scores.len() };
    let order = ranked(scores.to_vec(), count);
    let mut left: Vec<(usize, f64)> =
        order.into_iter().map(|token| (token, weight(token))).collect();
    let floor = f64::from(sampling.min_p);
    left.retain(|(_, weight)| *weight >= floor);
    let total: f64 = left.iter().map(|(_, weight)| weight).sum();
    let wanted = total * f64::from(sampling.top_p.clamp(0.0, 1.0));
    let mut sum = 0.0;
    let kept = left.iter().position(|(_, weight)| {
        sum += weight;
        sum >= wanted
    });
    left.truncate(kept.map_or(left.len(), |last| last + 1));
    Some(left.into_iter().map(|(token, _)| token).collect())
}

/// The token whose score and noise add up to the most; the lower one of two that are equal.
fn raced(scores: &[f32], temperature: f32, noise: Noise, of: Option<Vec<usize>>) -> usize {
    let best = highest(scores);
    let mut winner = (f64::NEG_INFINITY, best);
    let mut run = |token: usize| {
        let score = f64::from(scores[token] - scores[best]) / f64::from(temperature);
        let draw = noise.draw(token as u64);
        // Most tokens cannot win, which is seen without a logarithm.
        if score + Noise::most(draw) < winner.0 {
            return;
        }
        let sum = score + Noise::gumbel(draw);
        if sum > winner.0 || (sum == winner.0 && token < winner.1) {
            winner = (sum, token);
        }
    };
    run(best);
    match of {
        Some(tokens) => tokens.into_iter().for_each(run),
        None => (0..scores.len()).for_each(run),
    }
    winner.1
}

fn log_sum(logits: &[f32]) -> f32 {
    let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    best + libm::logf(logits.iter().map(|logit| libm::expf(logit - best)).sum())
}

/// The `N` most likely tokens, equal ones by number; `u32::MAX` where there are fewer.
pub fn leaders<const N: usize>(logits: &[f32]) -> [u32; N] {
    let mut leaders = [(f32::NEG_INFINITY, u32::MAX); N];
    for (token, &logit) in logits.iter().enumerate() {
        let place = leaders.iter().rposition(|leader| logit <= leader.0).map_or(0, |at| at + 1);
        if place < N && logit > f32::NEG_INFINITY {
            leaders[place..].rotate_right(1);
            leaders[place] = (logit, token as u32);
        }
    }
    leaders.map(|(_, token)| token)
}

/// More than what logarithms are off by.
const ROUNDING: f64 = 1e-9;

/// Numbers from a counter: SplitMix64 (Steele, Lea and Flood, 2014) over seed, position and token, so
/// that any of them can be computed alone.
#[derive(Clone, Copy)]
struct Noise(u64);

impl Noise {
    /// Bits of a draw: with half a step added it still fits a double.
    const BITS: u32 = 52;

    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    fn of(seed: u64, position: u64) -> Noise {
        let step = position.wrapping_add(1).wrapping_mul(Noise::STEP);
        Noise(mix(mix(seed).wrapping_add(step)))
    }

    /// A whole number of [`Noise::BITS`] bits.
    fn draw(self, token: u64) -> u64 {
        mix(self.0.wrapping_add(token.wrapping_add(1).wrapping_mul(Noise::STEP)))
            >> (64 - Noise::BITS)
    }

    /// A draw as a number of the Gumbel distribution.
    fn gumbel(draw: u64) -> f64 {
        let unit = (draw as f64 + 0.5) / (1u64 << Noise::BITS) as f64;
        -libm::log(-libm::log(unit))
    }

    /// No less than [`Noise::gumbel`], from the draw's leading ones alone: `-ln(-ln u) <= -ln(1 - u)`.
    fn most(draw: u64) -> f64 {
        let rest = (1u64 << Noise::BITS) - 1 - draw;
        let bits = 64 - rest.leading_zeros();
        f64::from(Noise::BITS + 1 - bits) * std::f64::consts::LN_2 + ROUNDING
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choose(logits: &[f32], sampling: &Sampling, position: u64) -> u32 {
        let answer = vec![u32::MAX; position as usize];
        let said = Said { answer: &answer, ..Said::default() };
        sample(logits, sampling, said, None).chosen.token
    }

    #[test]
    fn without_temperature_the_first_of_the_most_likely_is_chosen() {
        let cold = Sampling { temperature: 0.0, ..Sampling::default() };
        assert_eq!(choose(&[1.0, 3.0, 3.0], &cold, 0), 1);
    }

    #[test]
    fn tokens_come_as_often_as_they_are_likely() {
        let logits = [0.0, libm::logf(3.0)];
        let ones = (0..4_000).filter(|p| choose(&logits, &Sampling::default(), *p) == 1).count();
        assert!((2_900..3_100).contains(&ones), "{ones}");
    }

    #[test]
    fn draws_follow_the_temperature() {
        let hot = Sampling { temperature: 2.0, ..Sampling::default() };
        // A logit of ln 9 at temperature 2 is three times as likely.
        let logits = [0.0, libm::logf(9.0)];
        let ones = (0..4_000).filter(|p| choose(&logits, &hot, *p) == 1).count();
        assert!((2_900..3_100).contains(&ones), "{ones}");
    }

    #[test]
    fn what_was_said_may_be_made_less_likely() {
        let cold = Sampling { temperature: 0.0, frequency_penalty: 1.0, ..Sampling::default() };
        let said = Said { prompt: &[0], answer: &[1], allowed: None };
        assert_eq!(sample(&[1.0, 1.5], &cold, said, None).chosen.token, 0);
        let again = Sampling { repetition_penalty: 2.0, frequency_penalty: 0.0, ..cold.clone() };
        assert_eq!(sample(&[1.0, 1.5, 0.8], &again, said, None).chosen.token, 2);
        let biased = Sampling { logit_bias: vec![(0, 9.0), (77, 1.0)], ..cold };
        assert_eq!(choose(&[1.0, 1.5], &biased, 0), 0);
    }

    #[test]
    fn logprobs_are_those_of_the_model() {
        let settings = Sampling::default();
        let told = sample(&[0.0, 0.0, 0.0, 0.0], &settings, Said::default(), Some(2));
        assert!((told.chosen.logprob - libm::logf(0.25)).abs() < 1e-6);
        assert_eq!(told.top.iter().map(|c| c.token).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_is_not_allowed_is_never_chosen() {
        let said = Said { allowed: Some(&[0b100]), ..Said::default() };
        for temperature in [0.0, 1.0, 9.0] {
            let sampling = Sampling { temperature, ..Sampling::default() };
            assert_eq!(sample(&[9.0, 8.0, -7.0, 1.0], &sampling, said, None).chosen.token, 2);
        }
    }

    proptest! {
        #[test]
        fn what_is_skipped_could_not_have_won(
            logits in prop::collection::vec(-9.0f32..9.0, 2..60), seed: u64, position in 0u64..99
        ) {
            let noise = Noise::of(seed, position);
            let sum = |token: usize| {
                f64::from(logits[token] - logits[highest(&logits)]) + Noise::gumbel(noise.draw(token as u64))
            };
            let best = (0..logits.len()).max_by(|a, b| sum(*a).total_cmp(&sum(*b))).unwrap();
            prop_assert_eq!(raced(&logits, 1.0, noise, None), best);
        }

        #[test]
        fn the_bound_of_a_draw_holds(draw in 0u64..1 << Noise::BITS) {
            for draw in [draw, (1 << Noise::BITS) - 1 - (draw >> 40), draw >> 40] {
                prop_assert!(Noise::gumbel(draw) <= Noise::most(draw));
            }
        }

        #[test]
        fn leaders_are_the_highest_ranked(logits in prop::collection::vec(-5.0f32..5.0, 1..30)) {
            let mut expected: Vec<u32> = ranked(logits.clone(), 4).iter().map(|t| *t as u32).collect();
            expected.resize(4, u32::MAX);
            prop_assert_eq!(leaders::<4>(&logits).to_vec(), expected);
        }

        #[test]
        fn nothing_outside_the_settings_is_chosen(
            logits in prop::collection::vec(-5.0f32..5.0, 2..30), seed: u64, k in 1usize..5
        ) {
            let few = Sampling { top_k: k, seed, ..Sampling::default() };
            let place = ranked(logits.clone(), logits.len()).iter().position(|&t| t as u32 == choose(&logits, &few, 3));
            prop_assert!(place.is_some_and(|place| place < k));
            let only = Sampling { top_p: 0.0, seed, ..Sampling::default() };
            prop_assert_eq!(choose(&logits, &only, 3) as usize, highest(&logits));
        }

        #[test]
        fn the_same_seed_chooses_the_same(
            logits in prop::collection::vec(-5.0f32..5.0, 2..30), seed: u64, position in 0u64..99
        ) {
            let sampling = Sampling { seed, ..Sampling::default() };
            prop_assert_eq!(choose(&logits, &sampling, position), choose(&logits, &sampling, position));
        }
    }
}
