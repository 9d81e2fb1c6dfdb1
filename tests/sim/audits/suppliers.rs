//! Suppliers that serve another model than they are paid for.

use super::market::{Habit, Market, Nature};
use crate::days::seeds;
use proto::Amount;
use proto::audit::case::Stage;
use proto::claim::{Phase, reason};
use proto::query::{GetReputation, GetSettled, ListAudits};
use proto::supplier::Standing;
use tests::town::{STAKE, supplier};

/// Plays a market with one rogue among five honest suppliers: it loses stake, and has less in the end
/// than it was paid. The honest ones keep all.
fn loses(rogue: Nature, sessions: u64) {
    let natures = [rogue, Nature::Honest, Nature::Honest, Nature::Honest, Nature::Honest];
    for seed in seeds().into_iter().take(2) {
        let mut market = Market::new(seed, &natures, &[Habit::Honest; 9]);
        market.play(sessions);
        let paid = |i| market.town.paid(supplier(i)).0 as i128;
        let lost = |i| STAKE.0 as i128 - market.town.stake(supplier(i)).0 as i128;
        assert!(lost(0) > 0, "{rogue:?} lost nothing with seed {seed}");
        for twin in 1..5 {
            assert_eq!(lost(twin), 0, "an honest supplier lost its stake with seed {seed}");
            assert!(paid(0) - lost(0) < paid(twin), "{rogue:?} has more than its twin");
        }
    }
}

#[test]
fn who_cheats_always_is_convicted() {
    loses(Nature::Cheat(100), 16);
}

#[test]
fn who_cheats_in_a_third_is_convicted() {
    loses(Nature::Cheat(30), 60);
}

#[test]
fn who_was_honest_until_it_was_rich_is_convicted_no_later() {
    loses(Nature::HonestUntil(20), 36);
}

#[test]
fn who_gives_out_no_transcript_is_convicted() {
    loses(Nature::Withholds, 16);
}

#[test]
fn who_cheats_in_a_twentieth_loses_more_than_all_its_pay() {
    loses(Nature::Cheat(5), 60);
}

#[test]
fn who_hides_the_few_answers_that_it_cheats_in_loses_as_much() {
    loses(Nature::Hides(5), 60);
}

#[test]
fn a_fined_claim_is_not_paid_and_its_supplier_goes_on() {
    let natures = [Nature::Cheat(5), Nature::Honest, Nature::Honest];
    let mut market = Market::new(1, &natures, &[Habit::Honest; 9]);
    market.play(60);
    let operator = supplier(0);
    let question = ListAudits { supplier: Some(operator), ..ListAudits::default() };
    let audits = market.town.ask(&question).unwrap().audits;
    let failed: Vec<_> = audits.iter().filter(|case| case.stage == Stage::Failed).collect();
    assert!(failed.len() > 1, "{} audits failed", failed.len());
    let mut fined = 0;
    for case in failed {
        assert!(!case.second.is_empty(), "fined by a first committee");
        let session_id = case.audit.session_id;
        let settled = GetSettled { session_id, operator: Some(operator) };
        let settled = market.town.ask(&settled).unwrap();
        assert_eq!((settled.phase, settled.cost), (Phase::Fined, Amount::ZERO));
        assert_eq!(settled.reason, reason::FAULTY);
        let claim = settled.price.cost(settled.root.sum);
        assert_eq!(settled.slashed.0, claim.0 * 50);
        fined += settled.slashed.0;
    }
    assert_eq!(market.town.stake(operator).0, STAKE.0 - fined);
    let question = proto::query::GetSupplier { operator: Some(operator) };
    assert_eq!(market.town.ask(&question).unwrap().standing, Standing::Bonded);
}

#[test]
fn a_convicted_claim_is_not_paid_and_its_supplier_is_jailed() {
    let natures = [Nature::Cheat(100), Nature::Honest, Nature::Honest];
    let mut market = Market::new(1, &natures, &[Habit::Honest; 9]);
    market.play(14);
    let operator = supplier(0);
    let question = ListAudits { supplier: Some(operator), ..ListAudits::default() };
    let audits = market.town.ask(&question).unwrap().audits;
    let case = audits.iter().find(|case| case.stage == Stage::Convicted).unwrap();
    assert!(!case.second.is_empty(), "convicted by a first committee");
    let session_id = case.audit.session_id;
    let settled = market.town.ask(&GetSettled { session_id, operator: Some(operator) }).unwrap();
    assert_eq!((settled.phase, settled.cost), (Phase::Convicted, Amount::ZERO));
    assert_eq!(settled.reason, reason::CONVICTED);
    assert!(market.town.stake(operator).0 <= STAKE.0 * 8 / 10);
    let question = proto::query::GetSupplier { operator: Some(operator) };
    assert_eq!(market.town.ask(&question).unwrap().standing, Standing::Jailed);
    let kept = market.town.ask(&GetReputation { operator: Some(operator) }).unwrap();
    assert_eq!(kept.reputations[0].standing.convictions, 1);
    let honest = market.town.ask(&GetReputation { operator: Some(supplier(1)) }).unwrap();
    assert!(
        honest.reputations[0].quality.lower_bound() > kept.reputations[0].quality.lower_bound()
    );
}
