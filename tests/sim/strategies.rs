//! Ways to earn without work, over parameters that the chain accepts. `LODE_LONG=1` plays ten times as
//! many; `lode simulate strategies` writes the table of docs/attacks.md.

use proto::audit::Identity;
use proto::params::Params;
use strategies::career::Cheat;
use strategies::price::Scene;
use strategies::{Return, bench, career, coalition, price, region, stakes, suite};

/// Cheats that are played, in parts of a million of all answers.
const CHEATS: [u64; 7] = [5_000, 10_000, 20_000, 50_000, 100_000, 300_000, 1_000_000];

fn times(few: usize) -> usize {
    if std::env::var_os("LODE_LONG").is_some() { few * 10 } else { few }
}

fn all_lose(returns: Vec<Return>, params: &Params) {
    for one in returns {
        assert!(one.percent < 0.0, "{}: {:.4} % with {params:?}", one.strategy, one.percent);
    }
}

#[test]
fn no_coalition_of_roles_gets_back_what_it_pays_itself() {
    for params in region::accepted(1, times(8)) {
        all_lose(coalition::returns(&params), &params);
    }
}

#[test]
fn cheating_loses_stake_however_rarely_and_however_it_is_hidden() {
    for params in region::accepted(2, times(20)) {
        for how in Cheat::ALL {
            for cheats in CHEATS {
                all_lose(vec![career::cheating(&params, cheats, how, 20)], &params);
            }
        }
        all_lose(vec![career::honest_first(&params, 500, 20)], &params);
        all_lose(vec![career::watchful(&params, 4)], &params);
    }
}

#[test]
fn fines_cost_the_honest_nothing_in_a_kernel_class_and_a_few_percent_within_bands() {
    let (params, audits) = (Params::standard(), times(100_000) as u64);
    let exact = career::bad_luck(&params, 0, Identity::Differs, audits);
    assert_eq!(exact.percent, 0.0);
    let banded = career::bad_luck(&params, career::BAD_LUCK, Identity::Unlike, audits);
    assert!((-4.0..0.0).contains(&banded.percent), "{banded:?}");
    // A bit of memory that flips once in a million audits.
    let flipped = career::bad_luck(&params, 1, Identity::Differs, audits);
    assert!((-0.001..=0.0).contains(&flipped.percent), "{flipped:?}");
}

#[test]
fn auditors_who_do_not_look_end_below_those_who_do() {
    for params in region::accepted(3, times(20)) {
        let returns = bench::returns(&params.audits, 1, 4_000);
        let honest = returns[0].percent;
        for one in &returns[1..] {
            assert!(
                one.percent < honest || params.audits.fee.is_zero(),
                "{one:?}, {honest} with {params:?}"
            );
        }
    }
}

#[test]
fn no_coalition_of_up_to_a_third_earns_by_wash_traffic_nor_by_what_it_offers() {
    let games = suite::worst_games(&Params::standard());
    let [washes, offers, unlike] = games.try_into().unwrap();
    assert!(washes.percent <= 0.0, "{washes:?}");
    assert!(offers.percent <= 0.0, "{offers:?}");
    assert!(unlike.percent < 4.0, "{unlike:?}");
}

#[test]
fn no_coalition_earns_by_its_asks() {
    let params = Params::standard();
    for (share, elasticity) in suite::SCENES {
        for one in price::returns(&params, Scene::of(share, elasticity), &price::MOVES) {
            assert!(one.percent <= 0.0, "{one:?}");
        }
    }
}

#[test]
fn a_stake_under_many_names_gets_no_more_than_its_part() {
    let params = Params::standard();
    for split in stakes::splits() {
        let beyond = stakes::beyond_its_part(&params, split);
        assert!(beyond < 0.1, "{split:?}: {beyond}");
    }
}

#[test]
fn a_new_name_costs_more_than_it_is_believed() {
    for quality in [100, 300, 500, 700, 800] {
        let one = stakes::whitewash(&Params::standard(), quality);
        assert!(one.percent < 0.0, "{one:?}");
    }
}
