//! Who moves a price: wash traffic, withheld capacity, shaded asks, by the chain's own price rule
//! against a demand that answers to it, more or less.

use super::Return;
use proto::params::Params;
use proto::price::{Asks, Demand, Density, State, Stratum, counted, quantile, supply};
use proto::{Cu, Height, Ppm, Price};

/// Sessions that are played: three days by the network's parameters.
const SESSIONS: usize = 864;

/// Sessions before them, in which all are honest and the price finds its place.
const SETTLING: usize = 200;

/// Work that all suppliers can do in one session.
const CAPACITY: f64 = 1e9;

/// What work costs suppliers, who all ask it: for 1,000,000 cu, before the shares of others.
const COST: u64 = 1_000_000;

/// Owners that all suppliers are, each with the same stake.
const OWNERS: usize = 60;

/// The weight of each.
const WEIGHT: u64 = 1_000_000;

/// What a coalition of suppliers does to the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    Honest,
    /// Pays itself for `part` of all capacity, by so many accounts, in `on` sessions of each `on + off`.
    Wash {
        part: f64,
        payers: usize,
        on: usize,
        off: usize,
    },
    /// Offers this part less of what it has.
    Withhold(f64),
    /// Says that it can do this part less than it can, and serves as before.
    Understate(f64),
    /// Says that it can do so many times what it can.
    Overstate(f64),
    /// Asks so many times what work costs it, under as many names as it takes.
    Shade(f64),
    /// Asks as little as there is, to pull the price down for others.
    Dump,
}

impl Move {
    pub fn name(self) -> String {
        match self {
            Move::Honest => "honest".into(),
            Move::Wash { part, off: 0, .. } => format!("washes {:.0} % of capacity", part * 100.0),
            Move::Wash { part, on, off, .. } => {
                format!("washes {:.0} % in {on} of {} sessions", part * 100.0, on + off)
            }
            Move::Understate(part) => {
                format!("offers {:.0} % less, serves as before", part * 100.0)
            }
            Move::Overstate(times) => format!("offers {times} times what it has"),
            Move::Withhold(part) => format!("withholds {:.0} % of what it has", part * 100.0),
            Move::Shade(times) => format!("asks {times} times its cost"),
            Move::Dump => "asks nothing".into(),
        }
    }
}

/// The moves that are played.
pub const MOVES: [Move; 10] = [
    wash(0.02),
    wash(0.05),
    wash(0.2),
    Move::Understate(0.4),
    Move::Understate(1.0),
    Move::Overstate(1e6),
    Move::Withhold(0.25),
    Move::Withhold(0.75),
    Move::Shade(2.0),
    Move::Dump,
];

/// Wash traffic in every session, by more accounts than the payers' cap holds back.
const fn wash(part: f64) -> Move {
    Move::Wash { part, payers: 16, on: 1, off: 0 }
}

/// A coalition with a part of all capacity, before customers who buy `elasticity` percent less for each
/// percent of price.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub share: f64,
    pub elasticity: f64,
    /// The price at which demand meets the target, in parts of the cost.
    pub balance: f64,
    /// So many times as much as for the least is offered for the most capable stake.
    pub range: f64,
}

impl Scene {
    /// Where demand meets the target somewhat above the cost.
    pub fn of(share: f64, elasticity: f64) -> Scene {
        Scene { share, elasticity, balance: 1.3, range: 1.0 }
    }
}

/// All wash traffic that is looked for in a search.
pub fn washes() -> Vec<Move> {
    let mut all = Vec::new();
    for part in [0.01, 0.05, 0.2, 0.5] {
        for (payers, on, off) in [(1, 1, 0), (16, 1, 0), (64, 1, 0), (64, 3, 5), (64, 12, 20)] {
            all.push(Move::Wash { part, payers, on, off });
        }
    }
    all
}

/// What is looked for in a search of those who offer or say other than what they have.
pub fn offers() -> Vec<Move> {
    let parts = [0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9];
    let less = parts.into_iter().flat_map(|part| [Move::Withhold(part), Move::Understate(part)]);
    less.chain([Move::Understate(1.0), Move::Overstate(2.0), Move::Overstate(1e6)]).collect()
}

/// Where they are looked for: suppliers whose stakes offer from as much to `range` times as much.
pub fn scenes(range: f64) -> Vec<Scene> {
    let mut all = Vec::new();
    for share in [0.05, 0.1, 0.2, 0.33] {
        for elasticity in [0.25, 0.5, 1.0, 2.0] {
            for balance in [1.0, 1.3, 2.0, 4.0] {
                all.push(Scene { share, elasticity, balance, range });
            }
        }
    }
    all
}

/// What each move returns beside honest work, for each coin that the honest would have been paid.
pub fn returns(params: &Params, scene: Scene, moves: &[Move]) -> Vec<Return> {
    let (honest, turnover) = profit(params, scene, Move::Honest);
    let one = |moved: &Move| {
        let (gained, _) = profit(params, scene, *moved);
        let name = format!(
            "suppliers with {:.0} % of capacity, elasticity {}: {}",
            scene.share * 100.0,
            scene.elasticity,
            moved.name()
        );
        Return::of(name, gained - honest, turnover)
    };
    moves.iter().map(one).collect()
}

/// What the coalition earns over all sessions, and what it is paid.
fn profit(params: &Params, scene: Scene, moved: Move) -> (f64, f64) {
    let mut state = State::begin(Price(COST), &params.price, Height(1));
    let (mut earned, mut turnover) = (0.0, 0.0);
    let played = moved;
    let told = [Move::Honest, played].map(|moved| Told::of(params, scene, moved));
    for session in 0..SETTLING + SESSIONS {
        let settled = session >= SETTLING;
        let moved = if settled { played } else { Move::Honest };
        let price = state.price.0 as f64;
        let offered = offered(scene, moved);
        let own = if eligible(moved, state.price) { offered } else { 0.0 };
        let others = CAPACITY * (1.0 - scene.share);
        let wanted = wanted(scene, price);
        let sold = wanted.min(own + others);
        let served = if own > 0.0 { sold * own / (own + others) } else { 0.0 };
        let washed = match moved {
            Move::Wash { part, on, off, .. } if session % (on + off) < on => {
                (CAPACITY * part).min(own - served).max(0.0)
            }
            _ => 0.0,
        };
        let share = params.shares.supplier.0 as f64 / 1e6;
        // Work costs what it asks: at that price nothing is earned.
        if settled {
            earned += served * share * (price - COST as f64) / 1e6;
            earned -= washed * price / 1e6 * lost(params);
            turnover += served * share * price / 1e6;
        }
        let told = told[usize::from(settled)];
        state = step(&state, params, Sales { sold, washed }, moved, told);
    }
    (earned, turnover)
}

/// Demand that fills six tenths of all capacity at the balance.
fn wanted(scene: Scene, price: f64) -> f64 {
    0.6 * CAPACITY * (price / (COST as f64 * scene.balance)).powf(-scene.elasticity)
}

fn offered(scene: Scene, moved: Move) -> f64 {
    let own = CAPACITY * scene.share;
    if let Move::Withhold(part) = moved { own * (1.0 - part) } else { own }
}

fn ask(moved: Move) -> Price {
    match moved {
        Move::Shade(times) => Price((COST as f64 * times) as u64),
        Move::Dump => Price(1),
        Move::Honest
        | Move::Wash { .. }
        | Move::Withhold(_)
        | Move::Understate(_)
        | Move::Overstate(_) => Price(COST),
    }
}

fn eligible(moved: Move, price: Price) -> bool {
    ask(moved) <= price
}

/// What is lost of each coin that one pays oneself, at best: as supplier, source and auditor at once.
fn lost(params: &Params) -> f64 {
    let shares = &params.shares;
    let back = shares.supplier.0 + shares.source.0 + shares.audits.0;
    1.0 - f64::from(back) / 1e6
}

/// What one session brought.
struct Sales {
    sold: f64,
    washed: f64,
}

/// What suppliers say of themselves, as the chain counts it.
#[derive(Clone, Copy)]
struct Told {
    supply: Cu,
    asks: Option<Asks>,
}

impl Told {
    fn of(params: &Params, scene: Scene, moved: Move) -> Told {
        Told { supply: supplied(scene, moved), asks: asks(params, scene, moved) }
    }
}

fn step(
    state: &State,
    params: &Params,
    Sales { sold, washed }: Sales,
    moved: Move,
    told: Told,
) -> State {
    let payers = match moved {
        Move::Wash { payers, .. } if washed > 0.0 => {
            vec![Cu((washed / payers as f64) as u64); payers]
        }
        _ => Vec::new(),
    };
    let admitted = counted(&payers, Cu(sold as u64), params.price.payer_cap);
    state.step(Demand { admitted, capacity: told.supply }, told.asks, &params.price, Height(1))
}

/// Supply as the chain counts it, of what all say that they have.
fn supplied(scene: Scene, moved: Move) -> Cu {
    let told = match moved {
        Move::Understate(part) | Move::Withhold(part) => 1.0 - part,
        Move::Overstate(times) => times,
        Move::Honest | Move::Wash { .. } | Move::Shade(_) | Move::Dump => 1.0,
    };
    // The coalition has owners everywhere between the least and the most capable.
    let place = |i: usize| (i as f64 + 0.5) / OWNERS as f64 - 0.5;
    let parts: Vec<f64> = (0..OWNERS).map(|i| scene.range.powf(place(i))).collect();
    let whole: f64 = parts.iter().sum();
    let member =
        |i: usize| ((i + 1) as f64 * scene.share).floor() > (i as f64 * scene.share).floor();
    let stratum = |(i, part): (usize, &f64)| {
        let capacity = CAPACITY * part / whole * if member(i) { told } else { 1.0 };
        let capacity = (capacity as u64).max(1);
        (Density::of(capacity, WEIGHT), Stratum { weight: WEIGHT, capacity: capacity.into() })
    };
    let mut strata: Vec<_> = parts.iter().enumerate().map(stratum).collect();
    strata.sort_unstable_by_key(|(density, _)| *density);
    supply(&strata)
}

/// The asks of all: the coalition under as many names as others have for as much.
fn asks(params: &Params, scene: Scene, moved: Move) -> Option<Asks> {
    let names = (OWNERS as f64 * scene.share).round() as usize;
    let mut asks = vec![(ask(moved), WEIGHT); names];
    asks.extend(vec![(Price(COST), WEIGHT); OWNERS - names]);
    asks.sort_unstable();
    let cap = params.price.operator_cap;
    Some(Asks {
        median: quantile(&asks, Ppm(500_000), cap)?,
        p25: quantile(&asks, Ppm(250_000), cap)?,
    })
}
