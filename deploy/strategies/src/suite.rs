//! All strategies under one set of parameters.

use crate::career::{Cheat, bad_luck, cheating, honest_first, watchful};
use crate::price::{MOVES, Move, Scene};
use crate::{Return, bench, coalition, price, stakes};
use proto::audit::Identity;
use proto::params::Params;

/// Cheats that are looked at, in parts of a million of all answers.
pub const CHEATS: [u64; 9] =
    [5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 300_000, 600_000, 1_000_000];

/// Honest audits before who was patient begins to cheat.
const PATIENCE: u64 = 10_000;

/// Coalitions before customers whose games on prices are shown: part of capacity, elasticity.
pub const SCENES: [(f64, f64); 6] =
    [(0.1, 0.25), (0.1, 0.5), (0.1, 2.0), (0.33, 0.25), (0.33, 1.0), (0.33, 2.0)];

/// Of the most capable stake, how many times as much it offers as the least, where stakes are less alike
/// than the rule for supply wants them.
pub const UNLIKE: f64 = 2.0;

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Careers of each cheat.
    pub careers: u64,
    /// Seats of each auditor.
    pub seats: u64,
    /// Audits of honest suppliers with bad luck.
    pub audits: u64,
}

/// Everything that must lose, under whatever the chain accepts.
pub fn attacks(params: &Params, effort: Effort) -> Vec<Return> {
    let mut returns = coalition::returns(params);
    for how in Cheat::ALL {
        returns.extend(CHEATS.map(|cheats| cheating(params, cheats, how, effort.careers)));
    }
    let few = effort.careers.div_ceil(6);
    returns.push(honest_first(params, PATIENCE, few));
    returns.push(watchful(params, few));
    // What a seat returns beside an honest one.
    let seats = bench::returns(&params.audits, 1, effort.seats);
    let honest = seats.first().map_or(0.0, |honest| honest.percent);
    returns.extend(seats.into_iter().skip(1).map(|one| {
        let strategy = format!("{}, beside an honest one", one.strategy);
        Return { strategy, percent: one.percent - honest }
    }));
    returns
}

/// What moves a price, or weights, and what fines cost the honest.
pub fn markets(params: &Params, effort: Effort) -> Vec<Return> {
    let mut returns = Vec::new();
    for (share, elasticity) in SCENES {
        let scene = Scene::of(share, elasticity);
        returns.extend(price::returns(params, scene, &MOVES));
    }
    returns.extend(stakes::splits().into_iter().map(|split| stakes::splitting(params, split)));
    returns.extend([300, 500, 700].map(|quality| stakes::whitewash(params, quality)));
    let luck = [(0, Identity::Differs), (1, Identity::Differs), (20_000, Identity::Unlike)];
    returns.extend(luck.map(|(luck, wrong)| bad_luck(params, luck, wrong, effort.audits)));
    returns
}

/// The games with prices that return most: wash traffic, offers that are not what is there, and the same
/// where stakes are less alike.
pub fn worst_games(params: &Params) -> Vec<Return> {
    let (washes, offers) = (price::washes(), price::offers());
    let games = [(&washes, 1.0), (&offers, 1.0), (&offers, UNLIKE)];
    games.into_iter().filter_map(|(moves, range)| worst(params, moves, range)).collect()
}

/// Of all `moves` that are looked for where the most capable stake offers `range` times what the least
/// does, what returns most.
fn worst(params: &Params, moves: &[Move], range: f64) -> Option<Return> {
    let played = price::scenes(range).into_iter().flat_map(|scene| {
        let named = move |one: Return| {
            let strategy = format!("{}, balance {}, range {range}", one.strategy, scene.balance);
            Return { strategy, ..one }
        };
        price::returns(params, scene, moves).into_iter().map(named)
    });
    played.max_by(|one, other| one.percent.total_cmp(&other.percent))
}
