//! What is remembered of a price: each step, and what it followed from.

use super::{Demand, State};
use crate::units::{Cu, Height, Ppm, Price};
use serde::{Deserialize, Serialize};

/// Sessions back to which steps are remembered: at the network's lengths some four days.
pub const HISTORY_SESSIONS: u64 = 1_024;

/// One step of a service's price, and what it followed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The first height of the session from which on it held.
    pub since: Height,
    pub price: Price,
    /// Smoothed utilisation.
    pub ubar: Ppm,
    pub gain: Ppm,
    /// Work that was settled and paid since the step before, each payer within its cap.
    pub admitted: Cu,
    /// Work that suppliers with a bonded stake could do, as [`supply`](super::supply) counts it.
    pub capacity: Cu,
}

impl Point {
    /// The step that led to `state`.
    pub fn of(state: &State, demand: Demand) -> Point {
        let State { price, ubar, gain, since, .. } = *state;
        let Demand { admitted, capacity } = demand;
        Point { since, price, ubar, gain, admitted, capacity }
    }
}
