//! Rotary positions: how fast each pair of a head's values turns.

use super::LoadError;

/// Which values of a head turn together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// The first with the second, as GGUF files of the llama family are laid out.
    #[default]
    Neighbours,
    /// The first with the one half a head later.
    Halves,
}

/// How a model that was trained on short texts is stretched to long ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scaling {
    None,
    Linear { factor: f32 },
    Llama3 { factor: f32, low: f32, high: f32, original: f32 },
    Yarn { factor: f32, original: f32, fast: f32, slow: f32, attention: Option<f32> },
}

/// The speeds of all pairs of a head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rope {
    pub(crate) pairing: Pairing,
    /// Radians for each position.
    speeds: Vec<f32>,
    /// By which cosines and sines are multiplied.
    gain: f32,
}

const TURN: f32 = 2.0 * std::f32::consts::PI;

impl Rope {
    pub(super) fn new(
        base: f32,
        half: usize,
        pairing: Pairing,
        scaling: &Scaling,
    ) -> Result<Rope, LoadError> {
        let wrong = |name: &str, value: f32| LoadError::Unsupported {
            name: name.to_owned(),
            value: value.to_string(),
        };
        if !(base > 1.0 && base.is_finite()) {
            return Err(wrong("the rotation's base", base));
        }
        let plain = |i: usize| libm::powf(base, -(i as f32) / half as f32);
        let mut rope = Rope { pairing, speeds: (0..half).map(plain).collect(), gain: 1.0 };
        match *scaling {
            Scaling::None => {}
            Scaling::Linear { factor } => rope.speeds.iter_mut().for_each(|s| *s /= factor),
            Scaling::Llama3 { factor, low, high, original } => {
                for speed in &mut rope.speeds {
                    *speed = llama3(*speed, factor, low, high, original);
                }
            }
            Scaling::Yarn { factor, original, fast, slow, attention } => {
                yarn(&mut rope.speeds, base, factor, original, fast, slow);
                let stretched = || 0.1 * libm::logf(factor.max(1.0)) + 1.0;
                rope.gain = attention.unwrap_or_else(stretched);
            }
        }
        if let Some(speed) = rope.speeds.iter().find(|speed| !(speed.is_finite() && **speed > 0.0))
        {
            return Err(wrong("the speed of a rotation", *speed));
        }
        if !(rope.gain.is_finite() && rope.gain > 0.0) {
            return Err(wrong("the rotation's attention factor", rope.gain));
        }
        Ok(rope)
    }

    /// Slows each pair down by a factor of its own.
    pub(super) fn divide(&mut self, factors: &[f32]) -> Result<(), LoadError> {
        for (speed, factor) in self.speeds.iter_mut().zip(factors) {
            *speed /= factor;
            if !(speed.is_finite() && *speed > 0.0) {
                let (name, value) = ("a factor in rope_freqs".to_owned(), factor.to_string());
                return Err(LoadError::Unsupported { name, value });
            }
        }
        Ok(())
    }

    /// Cosines and sines of all pairs at `position`, added to `cos` and `sin`.
    pub(crate) fn angles(&self, position: usize, cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        for speed in &self.speeds {
            let angle = position as f32 * speed;
            cos.push(libm::cosf(angle) * self.gain);
            sin.push(libm::sinf(angle) * self.gain);
        }
    }
}

/// Slow pairs are stretched, fast ones stay, those between get some of both.
fn llama3(speed: f32, factor: f32, low: f32, high: f32, original: f32) -> f32 {
    let wave = TURN / speed;
    if wave < original / high {
        speed
    } else if wave > original / low {
        speed / factor
    } else {
        let part = (original / wave - low) / (high - low);
        (1.0 - part) * speed / factor + part * speed
    }
}

/// YaRN (Peng and others, 2023): pairs that turn less than `slow` times within the original
/// context are stretched, those that turn more than `fast` times stay.
fn yarn(speeds: &mut [f32], base: f32, factor: f32, original: f32, fast: f32, slow: f32) {
    let size = 2.0 * speeds.len() as f32;
    let place =
        |turns: f32| size * libm::logf(original / (turns * TURN)) / (2.0 * libm::logf(base));
    let first = libm::floorf(place(fast)).max(0.0);
    let last = libm::ceilf(place(slow)).min(size - 1.0).max(first + 0.001);
    for (i, speed) in speeds.iter_mut().enumerate() {
        let stretched = ((i as f32 - first) / (last - first)).clamp(0.0, 1.0);
        *speed = *speed / factor * stretched + *speed * (1.0 - stretched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speeds(scaling: &Scaling) -> Vec<f32> {
        Rope::new(10_000.0, 64, Pairing::Halves, scaling).unwrap().speeds
    }

    #[test]
    fn stretching_slows_slow_pairs_and_leaves_fast_ones() {
        let (factor, original) = (4.0, 32_768.0);
        let yarn = Scaling::Yarn { factor, original, fast: 32.0, slow: 1.0, attention: None };
        let llama3 = Scaling::Llama3 { factor, low: 1.0, high: 4.0, original };
        let plain = speeds(&Scaling::None);
        for scaling in [yarn, llama3] {
            let slowed: Vec<f32> = plain.iter().zip(speeds(&scaling)).map(|(a, b)| a / b).collect();
            assert_eq!((slowed[0], slowed[63]), (1.0, factor), "{scaling:?}");
            assert!(slowed.windows(2).all(|w| w[0] <= w[1] + 1e-4), "{scaling:?}: {slowed:?}");
        }
        let gain = Rope::new(10_000.0, 64, Pairing::Halves, &yarn).unwrap().gain;
        assert!((gain - 1.138_63).abs() < 1e-4, "{gain}");
    }
}
