//! The price of a service: follows demand in bounded steps, once a session.
//!
//! ```text
//! u     = min(admitted / supply, 2)             utilisation of the last session
//! ubar += (u - ubar) / 3                        smoothed
//! goal  = u* + scarcity * (x - ln median ask)   how full supply must be for this price
//! x    += clamp(gain * (ubar - goal) / u*, +-c) x is the logarithm of the price
//! gain:  halves when the error changes its sign, else grows by a step
//! x is kept in [ln max(phi_lo * median ask, p25 ask), ln(phi_hi * median ask)]
//! ```
//! The state is the logarithm, not the price: small prices rise again like large ones. With signal
//! delay d sessions and demand elasticity e the price does not overshoot while
//! `gain * e <= d^d / (d+1)^(d+1)` (Levin and May, 1976), nor at any delay while `e <= scarcity / u*`.
//!
//! **Why a price above what is asked needs fuller supply.** Who pays itself for work adds to `u` at the
//! small cost that dealing with oneself has, and where demand hardly answers to prices (`e` near 0)
//! nothing else would hold a price down: any wash traffic would raise it to the ceiling. With `scarcity`
//! a price that is `1 + d` times as high takes `(e u + scarcity) d` of all capacity in wash traffic, of
//! which the part `lost` is lost, and brings a coalition that sells the part `s` of all work
//! `s * share * u * d`. It loses for every `e` where `scarcity * lost > s * share`, since `u <= 1`.

mod history;
mod supply;

pub use history::{HISTORY_SESSIONS, Point};
pub use supply::{Density, Stratum, supply};

use crate::fixed;
use crate::units::{Cu, Height, Ppm, Price};
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
    /// How much more of all supply must be used for a price that is e times as high, and how much less
    /// for a lower one; where the median ask is the price, it is the target.
    pub scarcity: Ppm,
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
pub enum ParamsRefused {
    #[error("{name} is {value} ppm, but must be in {min}..={max}")]
    OutOfRange { name: &'static str, value: u32, min: u32, max: u32 },
    #[error(
        "with a gain of {gain} ppm and a scarcity of {scarcity} a price overshoots by itself: their product must be at most the target of {target}"
    )]
    Overshoots { gain: u32, scarcity: u32, target: u32 },
    #[error(
        "a third of all suppliers could raise the price by paying itself: with {lost} ppm of each coin lost by that scarcity must be at least {least}, not {scarcity}"
    )]
    WashPays { lost: u32, scarcity: u32, least: u128 },
}

/// The largest coalition of suppliers that must not earn by paying itself: one part of so many.
const COALITION: u128 = 3;

impl Default for Params {
    fn default() -> Params {
        Params {
            target_utilisation: Ppm(600_000),
            gain_min: Ppm(10_000),
            gain_max: Ppm(120_000),
            gain_start: Ppm(40_000),
            gain_step: Ppm(5_000),
            step_max: Ppm(50_000),
            scarcity: Ppm(3_500_000),
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
            ("scarcity", self.scarcity, 1, SCARCITY_MAX),
            ("phi_lo", self.phi_lo, 1, self.phi_hi.0),
            ("payer_cap", self.payer_cap, 1, 1_000_000),
            ("operator_cap", self.operator_cap, 1, 1_000_000),
        ];
        for (name, value, min, max) in ranges {
            if !(min..=max).contains(&value.0) {
                return Err(ParamsRefused::OutOfRange { name, value: value.0, min, max });
            }
        }
        let (gain, scarcity) = (self.gain_max.0, self.scarcity.0);
        let target = self.target_utilisation.0;
        if u64::from(gain) * u64::from(scarcity) > u64::from(target) * 1_000_000 {
            return Err(ParamsRefused::Overshoots { gain, scarcity, target });
        }
        Ok(())
    }

    /// Whether wash traffic loses, however little demand answers to prices: `supplier` is the share of
    /// what is paid that suppliers get, `lost` what nobody gets back who pays itself.
    pub fn check_wash(&self, supplier: Ppm, lost: Ppm) -> Result<(), ParamsRefused> {
        let scarcity = self.scarcity.0;
        let least =
            u128::from(supplier.0) * 1_000_000 / (u128::from(lost.0.max(1)) * COALITION) + 1;
        if u128::from(scarcity) < least {
            return Err(ParamsRefused::WashPays { lost: lost.0, scarcity, least });
        }
        Ok(())
    }
}

/// At a scarcity of a thousand a price is the median ask, whatever is bought.
const SCARCITY_MAX: u32 = 1_000_000_000;

/// Parts of a million in one.
const ONE: i64 = 1_000_000;

/// Utilisation is not counted beyond this.
const UTILISATION_MAX: u64 = 2_000_000;

/// The smoothed utilisation moves by this part of its distance.
const SMOOTHING: i64 = 3;

/// What one session brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Proven or admitted work, each payer within its cap.
    pub admitted: Cu,
    /// Work that could have been done ([`supply`]).
    pub capacity: Cu,
}

/// Where the asks of a service lie, by weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    pub median: Price,
    /// A quarter of the weight asks this or less.
    pub p25: Price,
}

impl State {
    /// The state of a service whose price is `price` from the session at `since` on.
    pub fn begin(price: Price, params: &Params, since: Height) -> State {
        State {
            x: fixed::ln(price.0.max(1)),
            ubar: params.target_utilisation,
            gain: params.gain_start,
            last_sign: 0,
            price: Price(price.0.max(1)),
            since,
        }
    }

    /// The state from the session at `since` on. Without capacity or asks nothing can be said of
    /// supply, and the price stays.
    pub fn step(
        &self,
        demand: Demand,
        asks: Option<Asks>,
        params: &Params,
        since: Height,
    ) -> State {
        let Some(asks) = asks.filter(|_| demand.capacity.0 > 0) else {
            return State { since, ..*self };
        };
        let ubar = smoothed(self.ubar, utilisation(demand));
        let target = i64::from(params.target_utilisation.0.max(1));
        let error = (ubar - self.goal(asks, params)) * ONE / target;
        let sign = error.signum() as i32;
        let gain = next_gain(self, sign, params);
        let most = i64::from(params.step_max.0);
        let step = (gain * error / ONE).clamp(-most, most);
        let (low, high) = bounds(asks, params);
        let moved = self.x + (step << fixed::LOG_BITS) / ONE;
        let x = moved.clamp(fixed::ln(low), fixed::ln(high));
        State {
            x,
            ubar: Ppm(ubar as u32),
            gain: Ppm(gain as u32),
            last_sign: if sign == 0 { self.last_sign } else { sign },
            // Logarithms are rounded down: at the floor the price is the floor, and who asks it serves.
            price: Price(fixed::exp(x).clamp(low, high)),
            since,
        }
    }
}

impl State {
    /// How full supply must be for the price to stay.
    fn goal(&self, asks: Asks, params: &Params) -> i64 {
        let above = self.x - fixed::ln(asks.median.0.max(1));
        let more = (i64::from(params.scarcity.0) * above) >> fixed::LOG_BITS;
        let goal = i64::from(params.target_utilisation.0) + more;
        goal.clamp(-(UTILISATION_MAX as i64), UTILISATION_MAX as i64)
    }
}

fn utilisation(demand: Demand) -> i64 {
    let parts = u128::from(demand.admitted.0) * 1_000_000 / u128::from(demand.capacity.0.max(1));
    parts.min(UTILISATION_MAX.into()) as i64
}

fn smoothed(ubar: Ppm, now: i64) -> i64 {
    let before = i64::from(ubar.0).min(UTILISATION_MAX as i64);
    before + (now - before) / SMOOTHING
}

/// Additive increase while the error keeps its sign, multiplicative decrease when it turns.
fn next_gain(state: &State, sign: i32, params: &Params) -> i64 {
    let gain = i64::from(state.gain.0);
    let turned = sign * state.last_sign < 0;
    let next = if turned { gain / 2 } else { gain + i64::from(params.gain_step.0) };
    next.clamp(params.gain_min.0.into(), params.gain_max.0.into())
}

/// The lowest and the highest price that these asks allow.
fn bounds(asks: Asks, params: &Params) -> (u64, u64) {
    let part = |ppm: Ppm| {
        let scaled = u128::from(asks.median.0) * u128::from(ppm.0) / 1_000_000;
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let low = part(params.phi_lo).max(asks.p25.0).max(1);
    (low, part(params.phi_hi).max(low))
}

/// The most that one weight counts for when none counts for more than the part `cap` of `all`.
pub fn most_of(all: u128, cap: Ppm) -> u128 {
    (all.saturating_mul(cap.0.into()) / 1_000_000).max(1)
}

/// How much weight must be passed, from the least ask on, until a part `part` of `total` is.
pub fn rank(total: u128, part: Ppm) -> u128 {
    total.saturating_mul(part.0.into()).div_ceil(1_000_000).max(1)
}

/// The least ask such that a part `part` of all weight asks that or less. `asks` are in rising
/// order; no weight counts for more than `cap` of the whole.
pub fn quantile(asks: &[(Price, u64)], part: Ppm, cap: Ppm) -> Option<Price> {
    let most = most_of(asks.iter().map(|(_, weight)| u128::from(*weight)).sum(), cap);
    let counted = |weight: u64| u128::from(weight).min(most);
    let wanted = rank(asks.iter().map(|(_, weight)| counted(*weight)).sum(), part);
    let mut seen = 0;
    asks.iter()
        .find(|(_, weight)| {
            seen += counted(*weight);
            seen >= wanted
        })
        .map(|(ask, _)| *ask)
}

/// The work that counts as demand when no payer counts for more than `cap` of all. `others` is that
/// of payers who are too small to reach the cap.
pub fn counted(by_payer: &[Cu], others: Cu, cap: Ppm) -> Cu {
    let named: u128 = by_payer.iter().map(|cu| u128::from(cu.0)).sum();
    let most = most_of(named + u128::from(others.0), cap);
    let sum: u128 = by_payer.iter().map(|cu| u128::from(cu.0).min(most)).sum();
    Cu(u64::try_from(sum + u128::from(others.0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
