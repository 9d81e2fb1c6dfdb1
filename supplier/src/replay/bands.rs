//! The comparison within bands: what a server told of probabilities, beside those of the model.
//!
//! Other hardware and other programs round otherwise, so numbers are never the same; how far they
//! may lie apart was measured (docs/benchmarks.md). Between the two bands nothing can be told.

use super::{Finding, Found, Relay, Replayer, Report, Verdict, different};
use crate::ask::Ask;
use crate::author::Brief;
use crate::desk::briefs;
use engine::{Room, Said};
use meter::{Delivered, Meter};
use proto::evidence::{Likely, Position};
use serde::Serialize;
use std::collections::HashMap;

/// Mean distance of log probabilities up to which a model is the same.
pub const SAME_MAX: f64 = 0.08;

/// Mean distance from which on it is another one.
pub const DIFFERENT_MIN: f64 = 0.16;

/// Tokens below which nothing is told.
pub const POSITIONS_MIN: u64 = 8;

/// Log probabilities below this are noise on every machine.
const FLOOR: f64 = -8.0;

/// How much more likely the most likely token may be without temperature than the one that was said.
const TIE: f64 = 0.5;

/// Places outside the settings that rounding at their edge may explain.
const OUTSIDE_MAX: usize = 2;

/// Standard deviations of surprise that chance does not explain.
pub const DEVIATIONS_MAX: f64 = 6.0;

/// How far a server's probabilities are from the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bands {
    /// Tokens that were compared.
    pub positions: u64,
    /// Mean distance of log probabilities, of said tokens and of the most likely ones.
    pub mean: f64,
    /// The largest.
    pub most: f64,
    /// How surprising the text is for the model, in standard deviations.
    pub deviations: f64,
}

/// What distances say.
pub fn decide(bands: &Bands) -> Verdict {
    if bands.positions < POSITIONS_MIN {
        Verdict::Unknown
    } else if bands.mean >= DIFFERENT_MIN || bands.deviations > DEVIATIONS_MAX {
        Verdict::Different
    } else if bands.mean <= SAME_MAX {
        Verdict::Same
    } else {
        Verdict::Unknown
    }
}

/// Tokens that are read in one pass: the logits of all of them are held at once.
const PASS: usize = 64;

/// Sums over all places.
#[derive(Default)]
struct Sums {
    positions: u64,
    distance: f64,
    compared: u64,
    most: f64,
    /// Surprise beyond what was to be expected, and its variance.
    excess: f64,
    variance: f64,
    /// The first place that is far, and places outside the settings.
    far: Option<Finding>,
    outside: Vec<(usize, usize, String)>,
}

pub(super) fn compare(
    replayer: &Replayer,
    relay: &Relay<'_>,
    ask: &Ask,
    choices: &[Vec<Position>],
    report: &mut Report,
) -> Found {
    let mut delivered = Delivered::new(replayer.desk().meter.clone(), ask.asked.stream);
    delivered.push(relay.answer);
    let texts = delivered.texts().clone();
    let ids = ids(&replayer.desk().meter);
    let mut sums = Sums::default();
    for (choice, brief) in briefs(ask, relay.seed, None).iter().enumerate() {
        let shown = choices.get(choice).map_or(&[][..], Vec::as_slice);
        let text = texts.get(&(choice as u64)).map_or("", String::as_str);
        // A part of a character is told of as a text that no token has: what comes before is compared.
        let known = shown.iter().map_while(|place| ids.get(&place.said.text).copied());
        let tokens: Vec<u32> = known.collect();
        let whole = tokens.len() == shown.len();
        let shown = &shown[..tokens.len()];
        covers(choice, shown, text, whole)?;
        sums.add(replayer, choice, brief, &tokens, shown, &ids, ask.form.is_none())?;
    }
    report.tokens = sums.positions;
    let bands = sums.bands();
    report.bands = Some(bands);
    report.verdict = decide(&bands);
    sums.finding(&bands, report.verdict)
}

/// Whether what is shown is the text that was delivered, to which a server may add its end; or the
/// beginning of it, where it is not `whole`.
fn covers(choice: usize, shown: &[Position], text: &str, whole: bool) -> Found {
    let bytes: Vec<u8> = shown.iter().flat_map(|place| place.said.text.iter().copied()).collect();
    if bytes.starts_with(text.as_bytes()) || (!whole && text.as_bytes().starts_with(&bytes)) {
        return Ok(());
    }
    // Reasoning and calls are not told of token by token by every server.
    let at = bytes.iter().zip(text.bytes()).take_while(|(a, b)| **a == *b).count();
    Err((Verdict::Unknown, Finding::Text { choice, at }))
}

/// Tokens by what they stand for.
fn ids(meter: &Meter) -> HashMap<Vec<u8>, u32> {
    let all = (0..meter.vocabulary() as u32).rev();
    all.filter_map(|token| Some((meter.token_bytes(token)?, token))).collect()
}

impl Sums {
    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        replayer: &Replayer,
        choice: usize,
        brief: &Brief,
        tokens: &[u32],
        shown: &[Position],
        ids: &HashMap<Vec<u8>, u32>,
        free: bool,
    ) -> Found {
        each_place(replayer, brief, tokens, |position, logits| {
            let (place, own) = (&shown[position], log_probabilities(logits));
            self.distances(choice, position, place, &own, ids);
            let said = Said { prompt: &brief.prompt, answer: &tokens[..position], allowed: None };
            if free {
                self.surprise(choice, position, place, tokens[position], logits, brief, said);
            }
            self.positions += 1;
        })
    }

    fn distances(
        &mut self,
        choice: usize,
        position: usize,
        place: &Position,
        own: &[f64],
        ids: &HashMap<Vec<u8>, u32>,
    ) {
        for Likely { text, micro } in std::iter::once(&place.said).chain(&place.top) {
            let Some(own) = ids.get(text).and_then(|token| own.get(*token as usize)) else {
                continue;
            };
            let told = (*micro as f64 / 1e6).max(FLOOR);
            let own = own.max(FLOOR);
            let distance = (told - own).abs();
            self.distance += distance;
            self.compared += 1;
            self.most = self.most.max(distance);
            if distance >= TIE && self.far.is_none() {
                self.far = Some(Finding::Far { choice, position, told, own });
            }
        }
    }

    /// How surprising a token is, given the settings with which it was to be chosen.
    #[allow(clippy::too_many_arguments)]
    fn surprise(
        &mut self,
        choice: usize,
        position: usize,
        place: &Position,
        token: u32,
        logits: &[f32],
        brief: &Brief,
        said: Said<'_>,
    ) {
        let likely = engine::distribution(logits, &brief.sampling, said);
        let Some((_, own)) = likely.iter().find(|(other, _)| *other == token) else {
            let edge = likely.last().and_then(|(token, _)| logits.get(*token as usize));
            let own = logits.get(token as usize);
            let near = edge.zip(own).is_some_and(|(edge, own)| f64::from(edge - own) <= TIE);
            if !near {
                let text = String::from_utf8_lossy(&place.said.text).into_owned();
                self.outside.push((choice, position, text));
            }
            return;
        };
        let surprise = |probability: f64| -log_of(probability);
        let mean: f64 = likely.iter().map(|(_, p)| p * surprise(*p)).sum();
        let square: f64 = likely.iter().map(|(_, p)| p * surprise(*p) * surprise(*p)).sum();
        self.excess += surprise(*own) - mean;
        self.variance += (square - mean * mean).max(0.0);
    }

    fn bands(&self) -> Bands {
        Bands {
            positions: self.positions,
            mean: self.distance / self.compared.max(1) as f64,
            most: self.most,
            deviations: self.excess / self.variance.max(1.0).sqrt(),
        }
    }

    /// What is to be said of a verdict.
    fn finding(self, bands: &Bands, verdict: Verdict) -> Found {
        if self.outside.len() > OUTSIDE_MAX && bands.positions >= POSITIONS_MIN {
            let outside = self.outside.len();
            if let Some((choice, position, text)) = self.outside.into_iter().next() {
                return different(Finding::Unlikely { choice, position, text, outside });
            }
        }
        let reason = match verdict {
            Verdict::Same => return Ok(()),
            Verdict::Different if bands.deviations > DEVIATIONS_MAX => {
                return different(Finding::Surprising { deviations: bands.deviations });
            }
            Verdict::Different => match self.far {
                Some(far) => return different(far),
                None => format!("the mean distance is {:.3}", bands.mean),
            },
            Verdict::Unknown if bands.positions < POSITIONS_MIN => {
                format!("{} tokens are too few", bands.positions)
            }
            Verdict::Unknown => format!("the mean distance {:.3} is between the bands", bands.mean),
        };
        Err((verdict, Finding::Doubt { reason }))
    }
}

/// Shows the logits in each place of an answer, in order.
fn each_place(
    replayer: &Replayer,
    brief: &Brief,
    tokens: &[u32],
    mut show: impl FnMut(usize, &[f32]),
) -> Found {
    let failed = |reason: String| (Verdict::Unknown, Finding::Request { reason });
    let (model, prompt) = (&replayer.model, &brief.prompt);
    let length = prompt.len() + tokens.len();
    let pages = length.div_ceil(engine::PAGE) + 1;
    let mut cache = model.cache_of(Room { sequences: 1, pages });
    let slot = cache.take_for(prompt, length).map_err(|full| failed(full.to_string()))?.0;
    let read: Vec<u32> = prompt.iter().chain(tokens).copied().collect();
    let (before, said) = read.split_at(prompt.len().saturating_sub(1));
    for tokens in before.chunks(256) {
        let chunk = [engine::Chunk { slot, tokens, wants_logits: false }];
        model.step(&mut cache, &chunk).map_err(|error| failed(error.to_string()))?;
    }
    for (pass, read) in said[..tokens.len()].chunks(PASS).enumerate() {
        let logits = model.follow(&mut cache, slot, read);
        let logits = logits.map_err(|error| failed(error.to_string()))?;
        logits.iter().enumerate().for_each(|(i, logits)| show(pass * PASS + i, logits));
    }
    Ok(())
}

fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let best = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - best).exp()).sum();
    let total = best + sum.ln();
    logits.iter().map(|logit| f64::from(*logit) - total).collect()
}

fn log_of(probability: f64) -> f64 {
    probability.max(1e-12).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_bands_and_for_few_tokens_nothing_is_told() {
        let bands = |positions, mean| Bands { positions, mean, ..Bands::default() };
        assert_eq!(decide(&bands(100, 0.01)), Verdict::Same);
        assert_eq!(decide(&bands(100, 0.12)), Verdict::Unknown);
        assert_eq!(decide(&bands(100, 0.5)), Verdict::Different);
        assert_eq!(decide(&bands(2, 0.5)), Verdict::Unknown);
        let surprising = Bands { deviations: 9.0, ..bands(100, 0.01) };
        assert_eq!(decide(&surprising), Verdict::Different);
    }
}
