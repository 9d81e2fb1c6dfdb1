use super::*;
use proptest::prelude::*;

const ASKS: Asks = Asks { median: Price(1_000_000), p25: Price(500_000) };

fn fixed_gain(gain: u32) -> Params {
    let gain = Ppm(gain);
    let (gain_min, gain_max, gain_start, gain_step) = (gain, gain, gain, Ppm(0));
    Params { gain_min, gain_max, gain_start, gain_step, scarcity: Ppm(1), ..Params::default() }
}

/// Prices over `sessions`, beside the one at which supply is as full as it asks for, when demand
/// falls by `elasticity` percent for each percent of price and is seen `delay` sessions late.
fn run(params: &Params, elasticity: i64, delay: usize, sessions: usize) -> Vec<i64> {
    let (balance, median) = (fixed::ln(1_300_000), fixed::ln(ASKS.median.0));
    let falls = elasticity * i64::from(params.target_utilisation.0);
    let rises = i64::from(params.scarcity.0);
    let rest = (falls * balance + rises * median) / (falls + rises);
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
        path.push(state.x - rest);
    }
    path
}

#[test]
fn the_price_settles_where_supply_is_as_full_as_it_asks_for() {
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
fn scarcity_calms_a_demand_that_answers_late() {
    let gain = fixed_gain(120_000);
    let params = Params { scarcity: Params::default().scarcity, ..gain };
    let path = run(&params, 4, 6, 800);
    let late = &path[600..];
    let swing = late.iter().max().unwrap() - late.iter().min().unwrap();
    assert!(swing < 500, "{swing}");
}

#[test]
fn small_prices_rise_again() {
    let params = Params::default();
    let asks = Asks { median: Price(20), p25: Price(1) };
    let after = |mut state: State, demand| {
        for _ in 0..300 {
            state = state.step(demand, Some(asks), &params, Height(1));
        }
        state
    };
    let idle = Demand { admitted: Cu(0), capacity: Cu(10) };
    let busy = Demand { admitted: Cu(20), capacity: Cu(10) };
    let low = after(State::begin(Price(1), &params, Height(1)), idle);
    let high = after(low, busy);
    assert!(low.price.0 <= 17 && high.price.0 >= 28, "{:?}, {:?}", low.price, high.price);
    assert!(after(high, idle).price.0.abs_diff(low.price.0) <= 1);
}

#[test]
fn however_little_demand_answers_a_price_stays_near_what_is_asked() {
    // All of supply is used, whatever it costs.
    let full = Demand { admitted: Cu(10), capacity: Cu(10) };
    let mut state = State::begin(Price(1_000_000), &Params::default(), Height(1));
    for _ in 0..1_000 {
        state = state.step(full, Some(ASKS), &Params::default(), Height(1));
    }
    // The part of supply that is used beyond the target, over the scarcity: 0.4 / 3.5.
    assert!((1_115_000..1_125_000).contains(&state.price.0), "{:?}", state.price);
}

#[test]
fn a_rule_by_which_wash_traffic_pays_or_that_swings_is_refused() {
    let standard = Params::default();
    let (share, lost) = (Ppm(850_000), Ppm(90_000));
    assert_eq!(standard.check(), Ok(()));
    assert_eq!(standard.check_wash(share, lost), Ok(()));
    let weak = Params { scarcity: Ppm(3_000_000), ..standard };
    let text = weak.check_wash(share, lost).unwrap_err().to_string();
    assert!(text.contains("must be at least 3148149, not 3000000"), "{text}");
    assert!(standard.check_wash(share, Ppm(0)).is_err());
    let wild = Params { scarcity: Ppm(6_000_000), ..standard };
    assert!(matches!(wild.check(), Err(ParamsRefused::Overshoots { .. })));
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
