//! Who is honest is paid, to the unit.

use proto::claim::Phase;
use proto::{Amount, Denom};
use tests::town::{BUDGET, STAKE, Town, Tree, draft, first_seat, sign};

#[test]
fn an_honest_supplier_is_paid_for_what_it_delivered() {
    let mut town = Town::new(3);
    let session = town.open();
    assert_eq!(session.seats.len(), 3);
    let (i, operator) = first_seat(&session);
    let tree = Tree::of((0..40).map(|n| sign(draft(&session, operator, n, n + 1), i)).collect());
    let before = town.paid(operator);
    let settled = town.settle(&session, operator, tree.root(&session), |town| {
        Some(tree.openings(&session, operator, &town.seed(&session)))
    });
    // 40 relays of 10 tokens in and 1 to 40 out, at weights 1 and 4, and a price of 1 a unit.
    let cu = 40 * 10 + 4 * (40 * 41 / 2);
    assert_eq!((settled.phase, settled.root.sum.0), (Phase::Proven, cu));
    assert_eq!(settled.cost, Amount(cu.into()));
    assert_eq!(settled.split.supplier, Amount(u128::from(cu) * 85 / 100));
    assert_eq!(town.paid(operator).0 - before.0, settled.split.supplier.0);
    assert_eq!(town.stake(operator), STAKE);
}

#[test]
fn what_a_session_does_not_use_comes_back_and_the_gateway_is_free_again() {
    let mut town = Town::new(3);
    let session = town.open();
    let gateway = |town: &Town| {
        let question = proto::query::GetGateway { address: Some(session.gateway) };
        town.ask(&question).unwrap()
    };
    assert_eq!(gateway(&town).exposure, session.exposure());
    let escrow = |town: &Town| {
        let app = town.ask(&proto::query::GetApp { app: Some(session.app) }).unwrap();
        app.escrow.iter().find(|kept| kept.denom == Denom::stake()).unwrap().amount
    };
    let locked = escrow(&town);
    town.until(session.settle_height().plus(1));
    assert_eq!(gateway(&town).exposure, Amount::ZERO);
    assert_eq!(escrow(&town).0, locked.0 + BUDGET.0);
}

#[test]
fn relays_that_the_gateway_never_acknowledged_are_paid_up_to_the_bound() {
    let mut town = Town::new(1);
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let inflight = u64::from(session.terms.inflight_max);
    let unacked = |n| {
        let mut relay = draft(&session, operator, n, 5);
        relay.acked = None;
        sign(relay, i)
    };
    let tree = Tree::of((0..inflight).map(unacked).collect());
    let settled = town.settle(&session, operator, tree.root(&session), |town| {
        Some(tree.openings(&session, operator, &town.seed(&session)))
    });
    assert_eq!((settled.phase, settled.reason.as_str()), (Phase::Proven, ""));
}

#[test]
fn claims_of_all_suppliers_beyond_the_budget_are_paid_by_the_gateways_stake() {
    let mut town = Town::new(2);
    let session = town.open();
    let mut paid = 0;
    town.until(session.claim_window().start);
    let mut trees = Vec::new();
    for seat in &session.seats {
        let i = seat.operator.0[0] - 100;
        // Each serves the whole budget: 1,000,000 units at a price of 1.
        let relay = |n| sign(draft(&session, seat.operator, n, 12_497), i);
        let tree = Tree::of((0..19).map(relay).collect());
        let root = tree.root(&session);
        assert!(root.sum <= session.budget_cu());
        let claims = proto::message::SubmitClaims { operator: seat.operator, claims: vec![root] };
        town.block(&[claims.into()])[0].as_ref().unwrap();
        paid += u128::from(root.sum.0);
        trees.push((seat.operator, tree));
    }
    town.until(session.proof_window().start);
    for (operator, tree) in &trees {
        let openings = tree.openings(&session, *operator, &town.seed(&session));
        let proof = proto::message::Proof { session_id: session.id, openings };
        let proofs = proto::message::SubmitProofs { operator: *operator, proofs: vec![proof] };
        town.block(&[proofs.into()])[0].as_ref().unwrap();
    }
    town.until(session.settle_height().plus(1));
    let question = proto::query::GetGateway { address: Some(session.gateway) };
    let stake = town.ask(&question).unwrap().stake;
    assert_eq!(STAKE.0 - stake.0, paid - BUDGET.0);
}
