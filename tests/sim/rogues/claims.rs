//! Liars in claims, and in when they make them.

use proto::claim::ClaimRoot;
use proto::message::{OpenSession, Proof, SubmitClaims, SubmitProofs, UpdateParams};
use proto::params::Params;
use proto::session::Session;
use proto::{Address, Amount, Cu, Digest, Ppm};
use tests::town::{BUDGET, GATEWAY, Town, Tree, draft, first_seat, sign};

/// What the chain says to one claim, made at a height of its session's claim window.
fn says(claim: impl FnOnce(&Session, ClaimRoot) -> (Address, ClaimRoot), late: bool) -> String {
    let mut town = Town::new(1);
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let tree = Tree::of(vec![sign(draft(&session, operator, 0, 5), i)]);
    let window = session.claim_window();
    town.until(if late { window.end } else { window.start });
    let (operator, root) = claim(&session, tree.root(&session));
    let claims = SubmitClaims { operator, claims: vec![root] };
    match &town.block(&[claims.into()])[0] {
        Ok(()) => "taken".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

fn own(session: &Session) -> Address {
    session.seats[0].operator
}

#[test]
fn an_honest_claim_in_time_is_taken() {
    assert_eq!(says(|session, root| (own(session), root), false), "taken");
}

#[test]
fn the_latecomer_claims_when_the_window_is_closed() {
    let text = says(|session, root| (own(session), root), true);
    assert!(text.contains("claims are taken in"), "{text}");
}

#[test]
fn the_stranger_claims_for_a_session_that_did_not_draw_it() {
    let text = says(|_, root| (Address([77; 20]), root), false);
    assert!(text.contains("does not serve in the session"), "{text}");
}

#[test]
fn the_dreamer_claims_for_a_session_that_never_was() {
    let unknown = |root| ClaimRoot { session_id: Digest([9; 32]), ..root };
    let text = says(|session, root| (own(session), unknown(root)), false);
    assert!(text.contains("is not there"), "{text}");
}

#[test]
fn the_greedy_one_claims_more_than_the_budget_buys() {
    let text = says(|s, root| (own(s), ClaimRoot { sum: Cu(s.budget_cu().0 + 1), ..root }), false);
    assert!(text.contains("the budget buys"), "{text}");
    let text = says(|s, root| (own(s), ClaimRoot { sum: Cu(u64::MAX), ..root }), false);
    assert!(text.contains("the budget buys"), "{text}");
}

#[test]
fn the_multiplier_counts_more_relays_than_weight() {
    let text = says(|s, root| (own(s), ClaimRoot { count: root.sum.0 + 1, ..root }), false);
    assert!(text.contains("each relay weighs at least 1"), "{text}");
}

#[test]
fn a_decided_claim_is_not_decided_again() {
    let mut town = Town::new(1);
    let session = town.open();
    let (i, operator) = first_seat(&session);
    let tree = Tree::of((0..9).map(|n| sign(draft(&session, operator, n, 5), i)).collect());
    town.until(session.claim_window().start);
    let claims = SubmitClaims { operator, claims: vec![tree.root(&session)] };
    town.block(&[claims.into()])[0].as_ref().unwrap();
    town.until(session.proof_window().start);
    let right = tree.openings(&session, operator, &town.seed(&session));
    let prove = |openings| {
        let proofs = vec![Proof { session_id: session.id, openings }];
        SubmitProofs { operator, proofs }.into()
    };
    let outcomes = town.block(&[prove(vec![]), prove(right)]);
    assert!(outcomes[0].is_ok());
    let text = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(text.contains("Refuted cannot be Shown"), "{text}");
}

#[test]
fn the_over_committer_opens_no_more_than_its_stake_covers() {
    let mut town = Town::new(3);
    let start = town.ask(&proto::query::GetClock {}).unwrap().start;
    let service = town.ask(&proto::query::ListServices { after: None, limit: 1 }).unwrap();
    let open = OpenSession {
        gateway: GATEWAY,
        app: GATEWAY,
        service: service.services[0].id.clone(),
        start,
        budget: Amount(10_000_000_000),
    };
    let text = town.block(&[open.into()])[0].as_ref().unwrap_err().to_string();
    assert!(text.contains("the gateway could owe 20000000000"), "{text}");
}

#[test]
fn the_double_opener_opens_a_session_once() {
    let mut town = Town::new(1);
    let session = town.open();
    let again = OpenSession {
        gateway: GATEWAY,
        app: GATEWAY,
        service: session.service.clone(),
        start: session.start,
        budget: BUDGET,
    };
    let text = town.block(&[again.into()])[0].as_ref().unwrap_err().to_string();
    assert!(text.contains("is open already"), "{text}");
}

#[test]
fn the_usurper_changes_no_parameters() {
    let mut town = Town::new(1);
    let update = UpdateParams { authority: GATEWAY, params: Params::dev() };
    assert!(town.block(&[update.into()])[0].is_err());
    let mut lax = Params::dev();
    lax.proving.rate = Ppm(1);
    let update = UpdateParams { authority: tests::town::SOURCE, params: lax };
    let text = town.block(&[update.into()])[0].as_ref().unwrap_err().to_string();
    assert!(text.contains("lying pays"), "{text}");
}
