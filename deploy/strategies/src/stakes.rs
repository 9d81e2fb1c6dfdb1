//! One owner as many, and a name that is given up: what that is worth, by the chain's own weights, draw
//! and record of quality.

use super::Return;
use proto::audit::Quality;
use proto::audit::quality::Record;
use proto::draw::{Ballot, Stretch, draw, weight};
use proto::params::Params;
use proto::service::ServiceId;
use proto::{Address, Amount, Height, seed};

/// Sessions that are drawn.
const SESSIONS: u64 = 100_000;

/// Other suppliers, each an owner of its own, all with the same stake.
const OTHERS: u64 = 100;

/// The stake of each of them, in times of the least one.
const OTHER_STAKE: u128 = 10;

/// How an owner appears.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    /// Its part of all stake, in percent.
    pub percent: u64,
    /// Suppliers among which it spreads that.
    pub names: u64,
    /// Whether these say that they have one owner.
    pub told: bool,
}

/// The splits that are played.
pub fn splits() -> Vec<Split> {
    let mut all = Vec::new();
    for told in [true, false] {
        for percent in [1, 10, 30] {
            for names in [2, 4, 16] {
                all.push(Split { percent, names, told });
            }
        }
    }
    all
}

/// What a split brings beside the same stake under one name, for each seat that this gets.
///
/// A name is drawn once a session at most, so a large stake under one name gets less than its part.
pub fn splitting(params: &Params, split: Split) -> Return {
    let one = seats(params, Split { names: 1, told: true, ..split });
    let many = seats(params, split);
    let owners = if split.told { "one owner" } else { "as many owners" };
    let Split { percent, names, .. } = split;
    let name = format!("supplier: {percent} % of all stake under {names} names of {owners}");
    Return::of(name, many - one, one)
}

/// What a split gets beyond its part of all stake, for each seat of that part.
pub fn beyond_its_part(params: &Params, split: Split) -> f64 {
    let part = SESSIONS as f64 * params.suppliers_per_session as f64 * split.percent as f64 / 100.0;
    seats(params, split) / part - 1.0
}

/// Seats in all sessions.
fn seats(params: &Params, split: Split) -> f64 {
    let stake = params.supplier_stake_min.0.saturating_mul(OTHER_STAKE);
    let others = stake * u128::from(OTHERS);
    let own = others * u128::from(split.percent) / u128::from(100 - split.percent);
    let each = own / u128::from(split.names);
    let total = if split.told { own } else { each };
    let own = weight(Amount(each), Amount(total), params.owner_cap);
    let other = weight(Amount(stake), Amount(stake), params.owner_cap);
    let service = ServiceId::new("m").expect("it is a name");
    let mut seats = 0;
    for session in 0..SESSIONS {
        let seed = seed::hash("strategies/stakes", &[&session.to_be_bytes()]);
        let ballot =
            Ballot { seed: &seed, service: &service, app: &Address([1; 20]), start: Height(1) };
        let all = own * split.names + other * OTHERS;
        let drawn = draw(ballot, params.suppliers_per_session as usize, all, |point| {
            Some(lies_at(point, own, split.names, other))
        });
        seats += drawn.into_iter().filter(|own| *own).count();
    }
    seats as f64
}

/// Whose a point of the line of weights is: the owner's names lie first.
fn lies_at(point: u64, own: u64, names: u64, other: u64) -> (bool, Stretch) {
    let first = own * names;
    match point < first {
        true => (true, Stretch { start: point / own * own, weight: own }),
        false => {
            let start = first + (point - first) / other * other;
            (false, Stretch { start, weight: other })
        }
    }
}

/// Who gives bad answers, of `quality` thousandths, and takes a new name when its record shows it: what
/// that brings, for each claim that it would have had meanwhile under its old one.
///
/// A new name is believed to be good until its own scores say otherwise, and so is drawn more often. But
/// its stake is bound to the old one until it has unbonded.
pub fn whitewash(params: &Params, quality: u32) -> Return {
    let score = Quality::new(quality).expect("it is within the scale");
    let after = |record: Record, audits: u32| (0..audits).fold(record, |r, _| r.after(score));
    let claims_per_audit = 1e6 / f64::from(params.audits.rate.0);
    let weighs = |record: Record| f64::from(record.lower_bound().0);
    let old = weighs(after(Record::default(), LONG));
    let gained: f64 = (0..LONG)
        .map(|audits| (weighs(after(Record::default(), audits)) / old - 1.0) * claims_per_audit)
        .sum();
    // One claim a session at most; none while the stake returns.
    let waits = params.unbonding as f64 / params.session_length as f64;
    let name = format!("supplier: takes a new name when its answers of {quality} are known");
    Return::of(name, gained - waits, waits)
}

/// Audits after which a record is that of the supplier's own answers.
const LONG: u32 = 400;
