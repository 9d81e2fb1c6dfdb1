//! Parameters at their extremes, by proposal and while sessions run: whatever is accepted keeps what the
//! market promises, and nothing panics or overflows.

use proto::audit::fine::Fault;
use proto::audit::standing::Test;
use proto::message::{Message, OpenSession, SubmitClaims, UpdateParams};
use proto::params::Params;
use proto::query::{GetClock, GetPrice, GetPriceHistory, GetSession};
use proto::session::Session;
use proto::{Amount, Height, Ppm};
use strategies::dice::Dice;
use strategies::{career, region};
use tests::town::{BUDGET, CHAIN, GATEWAY, SOURCE, Town, Tree, draft, service, services, sign};

/// Sets of parameters that are looked at; `LODE_LONG=1` looks at ten times as many.
fn count() -> usize {
    if std::env::var_os("LODE_LONG").is_some() { 2_000 } else { 200 }
}

#[test]
fn dealing_with_oneself_loses_under_whatever_is_accepted() {
    for params in region::accepted(11, count()) {
        for cost in [1u128, 99, 1_000_000, 1 << 40, u128::from(u64::MAX)] {
            let split = params.shares.split(Amount(cost));
            let back = split.supplier.0 + split.source.0 + split.audits.0;
            assert!(back < cost, "{back} of {cost} with {:?}", params.shares);
            assert_eq!(back + split.treasury.0 + split.burn.0, cost);
        }
    }
}

#[test]
fn no_guess_pays_under_whatever_is_accepted() {
    for params in region::accepted(12, count()) {
        let (fee, penalties) = (params.audits.fee.0 as f64, params.audits.penalties);
        let ringers = f64::from(params.audits.ringer_rate.0) / 1e6;
        // Says that all is well, and is fooled by each bad ringer.
        assert!(fee - ringers * penalties.ringer.0 as f64 <= fee * 1e-9, "{:?}", params.audits);
        // Is apart every second time, shows nothing, or does not come.
        assert!(fee - penalties.outlier.0 as f64 / 2.0 <= fee * 1e-9, "{:?}", params.audits);
        assert!(penalties.unrevealed >= penalties.outlier && penalties.skipped.0 as f64 >= fee);
        assert!(params.audits.bond_min.0 >= penalties.unrevealed.0.saturating_mul(16));
    }
}

#[test]
fn the_cheat_that_the_test_is_made_for_gains_less_than_the_slash_under_whatever_is_accepted() {
    for params in region::accepted(13, count()) {
        let Test { honest, cheat, threshold } = params.audits.test;
        let (honest, cheat) = (f64::from(honest.0) / 1e6, f64::from(cheat.0) / 1e6);
        // Wald: the expected number of audits is the threshold over the drift, and one more.
        let drift =
            cheat * (cheat / honest).ln() + (1.0 - cheat) * ((1.0 - cheat) / (1.0 - honest)).ln();
        let audits = f64::from(threshold) / 65_536.0 / drift + 1.0;
        let claims = audits * 1e6 / f64::from(params.audits.rate.0);
        let pay = params.shares.supplier.of(params.audits.claim_typical).0 as f64;
        let gain = claims * pay * career::tested(&params) as f64 / 1e6;
        let slash = params.audits.slash_rate.of(params.supplier_stake_min).0 as f64;
        assert!(gain < slash, "{gain} against {slash} with {:?}", params.audits);
    }
}

#[test]
fn each_cheated_coin_loses_more_than_it_gains_under_whatever_is_accepted() {
    for params in region::accepted(14, count()) {
        let share = f64::from(params.shares.supplier.0) / 1e6;
        let fines = params.audits.fines;
        for worth in [1u128, params.audits.claim_typical.0] {
            let (worth, stake) = (Amount(worth), params.supplier_stake_min);
            let rate = fines.rate(params.audits.rate, worth, stake);
            for fault in Fault::ALL {
                let fine = fines.of(fault, worth).min(stake).0 as f64;
                let loses = f64::from(rate.0) / 1e6 * career::POWER as f64 / 1e6 * fine;
                let gains = share * worth.0 as f64;
                // Where a fine is more than the stake, the rate makes up for it.
                assert!(loses * 1.000_1 >= gains, "{fault:?} {worth}: {params:?}");
            }
        }
    }
}

/// A market in which a proposal comes every few blocks, with sessions open and claims on the way.
fn proposals(seed: u64, blocks: u64) {
    let mut dice = Dice(seed);
    let mut sets = region::accepted(seed, 12);
    sets.iter_mut().for_each(|params| params.coins = tests::town::genesis(1).params.coins);
    let mut town = Town::new(4);
    let mut sessions: Vec<Session> = Vec::new();
    for _ in 0..blocks {
        let mut messages: Vec<Message> = Vec::new();
        if dice.chance(150_000) {
            let params = sets[dice.below(12) as usize].clone();
            messages.push(UpdateParams { authority: SOURCE, params }.into());
        }
        let height = town.height().plus(1);
        let start = town.ask(&GetClock {}).unwrap().start;
        for service in services() {
            let (gateway, app, service) = (GATEWAY, GATEWAY, service.id);
            messages.push(OpenSession { gateway, app, service, start, budget: BUDGET }.into());
        }
        for session in sessions.iter().filter(|s| s.claim_window().start == height) {
            for seat in &session.seats {
                let relay = draft(session, seat.operator, 0, 400);
                let tree = Tree::of(vec![sign(relay, seat.operator.0[0] - 100)]);
                let (operator, claims) = (seat.operator, vec![tree.root(session)]);
                messages.push(SubmitClaims { operator, claims }.into());
            }
        }
        // Coins and purses are checked after each block; what is refused is refused.
        town.run(&messages);
        remember(&town, start, &mut sessions);
        ask(&town);
    }
}

fn remember(town: &Town, start: Height, sessions: &mut Vec<Session>) {
    for service in services() {
        let id = Session::id_of(CHAIN, &service.id, &GATEWAY, &GATEWAY, start);
        if sessions.iter().all(|session| session.id != id)
            && let Ok(session) = town.ask(&GetSession { id })
        {
            sessions.push(session);
        }
    }
}

fn ask(town: &Town) {
    let service = Some(service().id);
    let state = town.ask(&GetPrice { service: service.clone() }).unwrap();
    assert!(state.price.0 > 0 && state.ubar <= Ppm(2_000_000), "{state:?}");
    town.ask(&GetPriceHistory { service, before: Height(0), limit: 0 }).unwrap();
}

#[test]
fn a_market_goes_on_through_proposals_at_the_ends_of_what_is_accepted() {
    for seed in 1..=if std::env::var_os("LODE_LONG").is_some() { 60 } else { 6 } {
        proposals(seed, 400);
    }
}

#[test]
fn the_shipped_parameters_are_in_the_region() {
    assert!(Params::standard().check().is_ok() && Params::dev().check().is_ok());
    let sets = region::accepted(5, 200);
    let differ = |of: fn(&Params) -> u128| {
        let mut values: Vec<u128> = sets.iter().map(of).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    // It is a region, and not the two that are shipped.
    assert!(differ(|p| p.audits.rate.0.into()) > 5);
    assert!(differ(|p| p.shares.burn.0.into()) > 20);
    assert!(differ(|p| p.liable().into()) > 5);
}
