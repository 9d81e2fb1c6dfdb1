//! Ways to earn without work, over parameters that the chain accepts. `LODE_LONG=1` plays ten times as
//! many; `tests/examples/strategies.rs` writes the table of docs/attacks.md.

use proto::audit::Identity;
use proto::params::Params;
use tests::strategies::career::Cheat;
use tests::strategies::{Return, bench, career, coalition, price, region};

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
    let params = Params::standard();
    let exact = career::bad_luck(&params, 0, Identity::Differs, 1_000_000);
    assert_eq!(exact.percent, 0.0);
    let banded = career::bad_luck(&params, career::BAD_LUCK, Identity::Unlike, 1_000_000);
    assert!((-4.0..0.0).contains(&banded.percent), "{banded:?}");
    // One bit of memory that flips in a million audits.
    let flipped = career::bad_luck(&params, 1, Identity::Differs, 1_000_000);
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
fn no_coalition_earns_by_its_asks_and_none_by_wash_traffic_where_customers_answer_to_prices() {
    let params = Params::standard();
    for (share, elasticity) in [(0.1, 0.5), (0.1, 2.0), (0.3, 1.0), (0.3, 2.0)] {
        for moved in price::MOVES {
            let one = price::returns(&params, price::Scene { share, elasticity }, moved);
            let loses = match moved {
                price::Move::Wash(_) | price::Move::Withhold(_) => elasticity >= 2.0,
                price::Move::Shade(_) | price::Move::Dump | price::Move::Honest => true,
            };
            assert!(one.percent <= 0.0 || !loses, "{one:?}");
        }
    }
}
