//! Ways to earn without work, over parameters that the chain accepts. `LODE_LONG=1` plays ten times as
//! many; `tests/examples/strategies.rs` writes the table of docs/attacks.md.

use proto::audit::Identity;
use proto::params::Params;
use tests::strategies::{Return, bench, career, coalition, price, region};

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
fn cheating_at_least_as_often_as_the_test_is_made_for_loses_stake() {
    for params in region::accepted(2, times(20)) {
        let tested = career::tested(&params);
        for cheats in [tested, (tested + 1_000_000) / 2, 1_000_000] {
            let one = career::cheating(&params, cheats, Identity::Differs, 20);
            all_lose(vec![one], &params);
        }
        all_lose(vec![career::cheating(&params, 1_000_000, Identity::Withheld, 20)], &params);
        all_lose(vec![career::honest_first(&params, 500, 20)], &params);
    }
}

#[test]
fn a_test_for_rare_cheats_is_accepted_and_lets_none_from_three_percent_on_pay() {
    let mut params = Params::standard();
    params.audits.test = career::for_rare_cheats();
    assert_eq!(params.check(), Ok(()));
    for cheats in [30_000, 50_000, 100_000, 300_000, 1_000_000] {
        all_lose(vec![career::cheating(&params, cheats, Identity::Differs, 60)], &params);
    }
    let wrongly = (1..=50).filter(|seed| {
        let mut career = career::Career::new(*seed, params.audits.test);
        (0..career::HORIZON).any(|_| career.audit(career::BAD_LUCK, Identity::Differs))
    });
    assert_eq!(wrongly.count(), 0, "an honest supplier was convicted");
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
