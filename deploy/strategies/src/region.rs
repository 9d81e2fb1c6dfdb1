//! Parameters that the chain accepts: those that are shipped, changed at random and to extremes.

use crate::dice::Dice;
use proto::audit::Audited;
use proto::params::{Params, SETTLEMENTS_MAX, WINDOW_MAX};
use proto::{Amount, Ppm};

/// Draws of parameters after which none is looked for any more.
const TRIES: usize = 200_000;

/// So many sets of parameters that [`Params::check`] accepts, from one integer.
pub fn accepted(seed: u64, count: usize) -> Vec<Params> {
    let mut dice = Dice(seed);
    let drawn = (0..TRIES).map(|i| {
        let mut params = if i % 2 == 0 { Params::standard() } else { Params::dev() };
        for _ in 0..=dice.below(6) {
            change(&mut params, &mut dice);
        }
        params
    });
    let good: Vec<Params> = drawn.filter(|params| params.check().is_ok()).take(count).collect();
    assert_eq!(good.len(), count, "too few parameters are accepted");
    good
}

/// A value near what it was, or at an end of what the type can hold.
fn number(dice: &mut Dice, was: u64, max: u64) -> u64 {
    let next = match dice.below(14) {
        0 => 0,
        1 => 1,
        2 => max,
        3 => max - 1,
        4 => was.saturating_mul(10),
        5 => was / 10,
        6 => was.saturating_mul(2),
        7 => was / 2,
        8 => dice.below(max.saturating_add(1).max(1)),
        // Not far from it: where a bound runs close by, only these are accepted.
        _ => (u128::from(was) * u128::from(50 + dice.below(101)) / 100) as u64,
    };
    next.min(max)
}

fn ppm(dice: &mut Dice, was: &mut Ppm) {
    *was = Ppm(number(dice, was.0.into(), u32::MAX.into()) as u32);
}

fn amount(dice: &mut Dice, was: &mut Amount) {
    let near = u64::try_from(was.0).unwrap_or(u64::MAX);
    *was = match dice.below(8) {
        0 => Amount(u128::MAX),
        _ => Amount(number(dice, near, u64::MAX).into()),
    };
}

fn change(p: &mut Params, dice: &mut Dice) {
    match dice.below(10) {
        0 => change_windows(p, dice),
        1 => change_shares(p, dice),
        2 => change_proving(p, dice),
        3 => change_price(p, dice),
        4 => change_limits(p, dice),
        5 | 8 | 9 => change_audits(p, dice),
        6 => change_penalties(p, dice),
        _ => scale(p, dice),
    }
}

/// All amounts of audits and stakes together, up to what a number can hold: rules compare them.
fn scale(p: &mut Params, dice: &mut Dice) {
    let factor = 10u128.pow(dice.below(39) as u32);
    let shrinks = dice.chance(200_000);
    let audits = &mut p.audits;
    let amounts = [
        &mut audits.fee,
        &mut audits.claim_typical,
        &mut audits.bond_min,
        &mut audits.penalties.outlier,
        &mut audits.penalties.unrevealed,
        &mut audits.penalties.skipped,
        &mut audits.penalties.ringer,
        &mut p.supplier_stake_min,
    ];
    for amount in amounts {
        let scaled =
            if shrinks { amount.0 / factor.min(1 << 10) } else { amount.0.saturating_mul(factor) };
        *amount = Amount(scaled);
    }
}

fn change_windows(p: &mut Params, dice: &mut Dice) {
    let windows = [
        &mut p.session_length,
        &mut p.windows.grace,
        &mut p.windows.claim,
        &mut p.windows.proof,
        &mut p.windows.audit,
        &mut p.relay_max,
        &mut p.unbonding,
        &mut p.jail,
        &mut p.history,
    ];
    let pick = dice.below(windows.len() as u64) as usize;
    for (i, window) in windows.into_iter().enumerate() {
        if i == pick {
            *window = number(dice, *window, WINDOW_MAX);
        }
    }
    if dice.chance(500_000) {
        p.unbonding = WINDOW_MAX;
    }
}

fn change_shares(p: &mut Params, dice: &mut Dice) {
    // They must add up: what one gains another loses.
    let part = dice.below(u64::from(p.shares.burn.0) + 1) as u32;
    let to = match dice.below(4) {
        0 => &mut p.shares.supplier,
        1 => &mut p.shares.source,
        2 => &mut p.shares.audits,
        _ => &mut p.shares.treasury,
    };
    to.0 += part;
    p.shares.burn.0 -= part;
    if dice.chance(800_000) {
        hold_wash(p, dice);
    }
}

/// What less is lost by, paying oneself, scarcity must make up for.
fn hold_wash(p: &mut Params, dice: &mut Dice) {
    let lost = u64::from(p.shares.burn.0) + u64::from(p.shares.treasury.0);
    let least = u64::from(p.shares.supplier.0) * 1_000_000 / (3 * lost.max(1)) + 1;
    let scarcity = (least + dice.below(1_000_000)).min(1_000_000_000);
    let gain = (u64::from(p.price.target_utilisation.0) * 1_000_000 / scarcity) as u32;
    p.price.scarcity = Ppm(scarcity as u32);
    for part in [&mut p.price.gain_max, &mut p.price.gain_start, &mut p.price.gain_min] {
        part.0 = part.0.min(gain);
    }
}

fn change_proving(p: &mut Params, dice: &mut Dice) {
    ppm(dice, &mut p.proving.rate);
    ppm(dice, &mut p.proving.penalty_rate);
    p.proving.draws = number(dice, p.proving.draws.into(), 64) as u32;
    amount(dice, &mut p.proving.always_above);
    amount(dice, &mut p.proving.penalty_min);
}

fn change_price(p: &mut Params, dice: &mut Dice) {
    let price = &mut p.price;
    let parts = [
        &mut price.target_utilisation,
        &mut price.gain_min,
        &mut price.gain_max,
        &mut price.gain_start,
        &mut price.gain_step,
        &mut price.step_max,
        &mut price.phi_lo,
        &mut price.phi_hi,
        &mut price.payer_cap,
        &mut price.operator_cap,
        &mut price.scarcity,
    ];
    let pick = dice.below(parts.len() as u64) as usize;
    parts.into_iter().enumerate().filter(|(i, _)| *i == pick).for_each(|(_, part)| ppm(dice, part));
}

fn change_limits(p: &mut Params, dice: &mut Dice) {
    match dice.below(7) {
        0 => amount(dice, &mut p.supplier_stake_min),
        1 => amount(dice, &mut p.gateway_stake_min),
        2 => amount(dice, &mut p.owner_cap),
        3 => p.checkpoint_cu = number(dice, p.checkpoint_cu, u64::MAX),
        4 => p.suppliers_per_session = number(dice, 5, 64) as u32,
        5 => p.inflight_max = number(dice, 64, 4_096) as u32,
        _ => p.settlements_per_block = number(dice, 1_000, SETTLEMENTS_MAX.into()) as u32,
    }
}

/// Who looks less often must fine more, or nothing of it is accepted: so mostly both change.
fn change_rate(audits: &mut proto::audit::Params, dice: &mut Dice) {
    let before = u64::from(audits.rate.0);
    ppm(dice, &mut audits.rate);
    if dice.chance(800_000) {
        let after = u64::from(audits.rate.0).max(1);
        let scaled = |times: u32| (u64::from(times) * before).div_ceil(after) as u32;
        let (exact, banded) = (scaled(audits.fines.exact), scaled(audits.fines.banded));
        (audits.fines.exact, audits.fines.banded) = (exact, banded);
    }
}

fn change_audits(p: &mut Params, dice: &mut Dice) {
    let audits = &mut p.audits;
    match dice.below(11) {
        9 => audits.fines.exact = number(dice, audits.fines.exact.into(), u32::MAX.into()) as u32,
        10 => {
            audits.fines.banded = number(dice, audits.fines.banded.into(), u32::MAX.into()) as u32
        }
        0 => change_rate(audits, dice),
        1 => audits.committee = number(dice, audits.committee.into(), 64) as u32,
        2 => audits.large_committee = number(dice, audits.large_committee.into(), 64) as u32,
        3 => amount(dice, &mut audits.claim_typical),
        4 => ppm(dice, &mut audits.slash_rate),
        5 => ppm(dice, &mut audits.overcount_rate),
        6 => ppm(dice, &mut audits.test.cheat),
        7 => ppm(dice, &mut audits.test.honest),
        _ => {
            audits.unchosen = Audited::Full;
            amount(dice, &mut audits.probe_deposit);
        }
    }
}

fn change_penalties(p: &mut Params, dice: &mut Dice) {
    let audits = &mut p.audits;
    match dice.below(7) {
        0 => amount(dice, &mut audits.fee),
        1 => amount(dice, &mut audits.penalties.outlier),
        2 => amount(dice, &mut audits.penalties.unrevealed),
        3 => amount(dice, &mut audits.penalties.skipped),
        4 => amount(dice, &mut audits.penalties.ringer),
        5 => ppm(dice, &mut audits.ringer_rate),
        _ => amount(dice, &mut audits.bond_min),
    }
}
