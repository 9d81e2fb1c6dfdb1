//! The price of a service: follows demand in bounded steps, once a session.
//!
//! ```text
//! u     = min(admitted / capacity, 2)           utilisation of the last session
//! ubar += (u - ubar) / 3                        smoothed
//! x    += clamp(gain * (ubar / u* - 1), +-c)    x is the logarithm of the price
//! gain:  halves when the error changes its sign, else grows by a step
//! x is kept in [ln max(phi_lo * median ask, p25 ask), ln(phi_hi * median ask)]
//! ```
//! The state is the logarithm, not the price: small prices rise again like large ones. With signal
//! delay d sessions and demand elasticity e the price does not overshoot while
//! `gain * e <= d^d / (d+1)^(d+1)` (Levin and May, 1976).

mod history;

pub use history::{HISTORY_SESSIONS, Point};

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
    /// Bonded work that could have been done.
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
        let error = (ubar - target) * ONE / target;
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASKS: Asks = Asks { median: Price(1_000_000), p25: Price(500_000) };

    fn fixed_gain(gain: u32) -> Params {
        let gain = Ppm(gain);
        let (gain_min, gain_max, gain_start, gain_step) = (gain, gain, gain, Ppm(0));
        Params { gain_min, gain_max, gain_start, gain_step, ..Params::default() }
    }

    /// Prices over `sessions` when demand falls by `elasticity` percent for each percent of price
    /// and is seen `delay` sessions late.
    fn run(params: &Params, elasticity: i64, delay: usize, sessions: usize) -> Vec<i64> {
        let balance = fixed::ln(1_300_000);
        let mut state = State::begin(Price(1_000_000), params, Height(1));
        let mut seen = vec![state.x; delay + 1];
        let mut path = Vec::new();
        for _ in 0..sessions {
            let away = elasticity * (balance - seen[seen.len() - 1 - delay]);
            let target = i64::from(params.target_utilisation.0);
            let admitted = target + target * away / (1 << fixed::LOG_BITS);
            let demand = Demand { admitted: Cu(admitted.max(0) as u64), capacity: Cu(1_000_000) };
            state = state.step(demand, Some(ASKS), params, Height(1));
            seen.push(state.x);
            path.push(state.x - balance);
        }
        path
    }

    #[test]
    fn the_price_settles_where_demand_meets_the_target() {
        for (elasticity, delay) in [(1, 0), (1, 2), (3, 1)] {
            let path = run(&Params::default(), elasticity, delay, 600);
            let off = path.last().unwrap().abs();
            assert!(off < 700, "elasticity {elasticity}, delay {delay}: {off} of 65536");
        }
    }

    #[test]
    fn a_gain_inside_the_stable_region_does_not_overshoot_much_and_outside_it_swings() {
        let swing = |gain: u32| {
            let path = run(&fixed_gain(gain), 4, 6, 800);
            let late = &path[600..];
            late.iter().max().unwrap() - late.iter().min().unwrap()
        };
        let (calm, wild) = (swing(10_000), swing(120_000));
        assert!(calm < 500, "inside: {calm}");
        assert!(wild > 10 * calm.max(100), "outside: {wild} against {calm}");
    }

    #[test]
    fn small_prices_rise_again() {
        let params = Params { phi_hi: Ppm(1_000_000_000), ..Params::default() };
        let asks = Asks { median: Price(1), p25: Price(1) };
        let busy = Demand { admitted: Cu(10), capacity: Cu(10) };
        let mut state = State::begin(Price(1), &params, Height(1));
        for _ in 0..300 {
            state = state.step(busy, Some(asks), &params, Height(1));
        }
        assert!(state.price.0 > 49, "{:?}", state.price);
    }

    #[test]
    fn without_supply_the_price_stays() {
        let state = State::begin(Price(77), &Params::default(), Height(1));
        let idle = Demand { admitted: Cu(5), capacity: Cu(0) };
        let next = state.step(idle, Some(ASKS), &Params::default(), Height(9));
        assert_eq!(next, State { since: Height(9), ..state });
        let none = Demand { admitted: Cu(5), capacity: Cu(5) };
        assert_eq!(state.step(none, None, &Params::default(), Height(9)), next);
    }

    #[test]
    fn who_asks_the_floor_serves_when_the_price_has_fallen_to_it() {
        let asks = Asks { median: Price(1_000_000), p25: Price(1_000_000) };
        let idle = Demand { admitted: Cu(0), capacity: Cu(10) };
        let mut state = State::begin(Price(2_000_000), &Params::default(), Height(1));
        for _ in 0..200 {
            state = state.step(idle, Some(asks), &Params::default(), Height(1));
        }
        assert_eq!(state.price, Price(1_000_000));
    }

    #[test]
    fn one_operator_does_not_move_the_median_nor_one_payer_the_demand() {
        let asks = [(Price(1), 10), (Price(2), 10), (Price(3), 10), (Price(900), 1_000_000)];
        let half = Ppm(500_000);
        assert_eq!(quantile(&asks, half, Ppm::ONE), Some(Price(900)));
        assert_eq!(quantile(&asks, half, Ppm(100_000)), Some(Price(900)));
        let fair = [(Price(1), 10), (Price(2), 10), (Price(3), 10), (Price(900), 12)];
        assert_eq!(quantile(&fair, half, Ppm(250_000)), Some(Price(2)));
        assert_eq!(quantile(&[], half, Ppm::ONE), None);
        assert_eq!(counted(&[Cu(100), Cu(0), Cu(900)], Cu(0), Ppm(200_000)), Cu(300));
        assert_eq!(counted(&[Cu(900)], Cu(100), Ppm(200_000)), Cu(300));
    }

    proptest! {
        #[test]
        fn a_step_is_bounded_and_nothing_overflows(
            x in 0..fixed::LOG_MAX, ubar: u32, gain: u32, sign in -1i32..=1,
            admitted: u64, capacity: u64, median in 1u64.., p25 in 1u64..
        ) {
            let params = Params::default();
            let before = State {
                x, ubar: Ppm(ubar), gain: Ppm(gain), last_sign: sign, price: Price(1), since: Height(1),
            };
            let demand = Demand { admitted: Cu(admitted), capacity: Cu(capacity) };
            let asks = Asks { median: Price(median), p25: Price(p25.min(median)) };
            let after = before.step(demand, Some(asks), &params, Height(2));
            let moved = ((after.x - x).abs() * 1_000_000) >> fixed::LOG_BITS;
            let (low, high) = bounds(asks, &params);
            prop_assert!(capacity == 0 || (low..=high).contains(&after.price.0));
            let (low, high) = (fixed::ln(low), fixed::ln(high));
            prop_assert!(moved <= i64::from(params.step_max.0) || after.x == low || after.x == high
                || capacity == 0);
        }

        #[test]
        fn more_demand_never_means_a_lower_price(
            x in 900_000i64..950_000, admitted in 0u64..1_000_000, more in 0u64..1_000_000
        ) {
            let params = fixed_gain(50_000);
            let before = State { x, ..State::begin(Price(1_000_000), &params, Height(1)) };
            let step = |admitted| {
                let demand = Demand { admitted: Cu(admitted), capacity: Cu(1_000_000) };
                before.step(demand, Some(ASKS), &params, Height(2)).price
            };
            prop_assert!(step(admitted) <= step(admitted + more));
        }
    }
}
