//! The price of a service: follows demand in bounded steps, once a session.

use crate::units::{Height, Ppm, Price};
use serde::{Deserialize, Serialize};

/// How prices move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The utilisation at which a price stays.
    pub target_utilisation: Ppm,
    pub gain_min: Ppm,
    pub gain_max: Ppm,
    pub gain_start: Ppm,
    /// What the gain grows by while the error keeps its sign.
    pub gain_step: Ppm,
    /// The most that the logarithm moves in one session, parts of a million.
    pub step_max: Ppm,
    /// Floor and ceiling as parts of the median ask.
    pub phi_lo: Ppm,
    pub phi_hi: Ppm,
    /// The most of a service's demand that one payer counts for.
    pub payer_cap: Ppm,
    /// The most of the median that one operator counts for.
    pub operator_cap: Ppm,
}

/// Where a service's price stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Natural logarithm of the price, in 2^-16.
    pub x: i64,
    /// Smoothed utilisation.
    pub ubar: Ppm,
    pub gain: Ppm,
    /// Sign of the last error: -1, 0, 1.
    pub last_sign: i32,
    pub price: Price,
    /// The first height of the session from which on it holds.
    pub since: Height,
}

/// Why a price rule is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value} ppm, but must be in {min}..={max}")]
pub struct ParamsRefused {
    pub name: &'static str,
    pub value: u32,
    pub min: u32,
    pub max: u32,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            target_utilisation: Ppm(600_000),
            gain_min: Ppm(10_000),
            gain_max: Ppm(120_000),
            gain_start: Ppm(40_000),
            gain_step: Ppm(5_000),
            step_max: Ppm(50_000),
            phi_lo: Ppm(500_000),
            phi_hi: Ppm(4_000_000),
            payer_cap: Ppm(200_000),
            operator_cap: Ppm(100_000),
        }
    }
}

impl Params {
    /// Whether prices can move by these numbers.
    pub fn check(&self) -> Result<(), ParamsRefused> {
        let ranges = [
            ("target_utilisation", self.target_utilisation, 1, 2_000_000),
            ("gain_min", self.gain_min, 1, self.gain_max.0),
            ("gain_start", self.gain_start, self.gain_min.0, self.gain_max.0),
            ("gain_max", self.gain_max, 1, 1_000_000),
            ("step_max", self.step_max, 1, 1_000_000),
            ("phi_lo", self.phi_lo, 1, self.phi_hi.0),
            ("payer_cap", self.payer_cap, 1, 1_000_000),
            ("operator_cap", self.operator_cap, 1, 1_000_000),
        ];
        for (name, value, min, max) in ranges {
            if !(min..=max).contains(&value.0) {
                return Err(ParamsRefused { name, value: value.0, min, max });
            }
        }
        Ok(())
    }
}
