#![allow(clippy::unwrap_used)]

use crate::config::Times;
use crate::rig::{Gateway, HELPER, OWNER, Stand, body};
use http_body_util::BodyExt;
use proto::claim::{ClaimRoot, Phase};
use proto::leaf::Opening;
use proto::session::Session;
use proto::wire::Wire;
use proto::{Amount, Cu};

/// Serves `count` relays of 6 units each, all but the last acknowledged.
async fn serve(stand: &Stand, gateway: &mut Gateway, count: u64) {
    let body = body("say 5", 10);
    for _ in 0..count {
        let seq = gateway.next;
        assert_eq!(stand.relay(&gateway.request(&body, 20), &body).await.receipt().cu, Cu(6));
        if seq + 1 < count {
            gateway.agree(seq, 6);
        }
    }
    stand.acknowledge(gateway).await;
}

/// Makes blocks up to `height`, and waits until `stage` is where the session stands.
async fn until(stand: &Stand, height: u64, stage: &str) -> serde_json::Value {
    stand.town.grow(height);
    loop {
        let payout = stand.payout().await;
        if payout["stage"] == stage {
            return payout;
        }
        tokio::task::yield_now().await;
    }
}

fn claims_from(session: &Session) -> u64 {
    session.claim_window().start.0
}

fn all_hold(payout: &serde_json::Value) -> bool {
    payout["checks"].as_array().unwrap().iter().all(|check| check["holds"] == true)
}

#[tokio::test]
async fn what_was_served_is_claimed_proven_paid_and_explained() {
    let stand = Stand::start().await;
    let (mut gateway, session) = (stand.gateway(), stand.session.clone());
    serve(&stand, &mut gateway, 8).await;
    let open = stand.payout().await;
    assert_eq!((&open["stage"], &open["expected"]["cu"]), (&"open".into(), &48.into()));
    until(&stand, claims_from(&session), "claimed").await;
    let claim = stand.town.claim_of(&session).unwrap();
    assert_eq!((claim.root.sum, claim.root.count, claim.root.unacked_from), (Cu(48), 8, 7));
    // The customer can see that its receipts are in what was claimed.
    let answer = stand.receipt(7).await;
    let root: ClaimRoot = serde_json::from_value(answer["claim"].clone()).unwrap();
    assert_eq!(root, claim.root);
    let opening = base64_of(&answer["opening"]);
    assert_eq!(Opening::decode(&opening).unwrap().leaf.weight(), Cu(6));
    let proven = until(&stand, session.reveal_height().0, "proven").await;
    assert!(all_hold(&proven));
    assert_eq!(stand.town.claim_of(&session).unwrap().phase, Phase::Proven);
    let paid = until(&stand, session.settle_height().0, "settled").await;
    assert!(all_hold(&paid) && paid["checks"].as_array().unwrap().len() == 5, "{paid}");
    let settled = stand.town.settled_of(&session).unwrap();
    assert_eq!(settled.cost, session.terms.price.cost(Cu(48)));
    assert_eq!(paid["settled"], serde_json::to_value(&settled).unwrap());
    for (i, account) in [OWNER, HELPER].into_iter().enumerate() {
        let came = stand.town.balance(account);
        assert!(came > Amount::ZERO);
        assert_eq!(paid["paid"][i]["amount"], serde_json::to_value(came).unwrap());
    }
    let all = stand.get(format!("{}/lode/payouts", stand.admin)).await;
    let total = serde_json::to_value(settled.split.supplier).unwrap();
    assert_eq!(all["totals"]["ulode"]["paid"], total);
    // The book is kept for a while, and goes then.
    let book = stand.home.path().join(format!("books/{}.log", session.id));
    assert!(book.exists());
    stand.town.grow(settled.height.0 + 5);
    while book.exists() {
        tokio::task::yield_now().await;
    }
    stand.end().await;
}

fn base64_of(value: &serde_json::Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_lost_transaction_is_sent_again() {
    let stand = Stand::start().await;
    let session = stand.session.clone();
    serve(&stand, &mut stand.gateway(), 3).await;
    *stand.town.lose.lock().unwrap() = 2;
    until(&stand, claims_from(&session), "claimed").await;
    assert_eq!(*stand.town.sent.borrow(), 3);
    *stand.town.lose.lock().unwrap() = 1;
    until(&stand, session.reveal_height().0, "proven").await;
    assert_eq!(*stand.town.sent.borrow(), 5);
    stand.end().await;
}

#[tokio::test]
async fn after_a_kill_the_proof_is_of_the_tree_that_was_claimed() {
    let stand = Stand::start().await;
    let (mut gateway, session) = (stand.gateway(), stand.session.clone());
    serve(&stand, &mut gateway, 5).await;
    until(&stand, claims_from(&session), "claimed").await;
    let claimed = stand.town.claim_of(&session).unwrap().root;
    // An acknowledgement that comes late changes the leaf, but not what was claimed.
    gateway.agree(4, 5);
    stand.acknowledge(&mut gateway).await;
    let killed = stand.killed().await;
    stand.end().await;
    let proven = until(&killed, session.reveal_height().0, "proven").await;
    assert_eq!(proven["claim"], serde_json::to_value(claimed).unwrap());
    assert!(all_hold(&proven));
    killed.end().await;
}

#[tokio::test]
async fn a_kill_before_the_chain_answered_claims_nothing_twice() {
    let stand = Stand::start().await;
    let session = stand.session.clone();
    serve(&stand, &mut stand.gateway(), 3).await;
    let before = stand.killed().await;
    until(&stand, claims_from(&session), "claimed").await;
    let root = stand.town.claim_of(&session).unwrap().root;
    stand.end().await;
    // The other has the same book without the claim: it comes to the same, and proves it.
    until(&before, claims_from(&session), "claimed").await;
    let proven = until(&before, session.reveal_height().0, "proven").await;
    assert_eq!(proven["claim"], serde_json::to_value(root).unwrap());
    before.end().await;
}

#[tokio::test]
async fn a_session_is_claimed_in_time_though_a_relay_runs_and_again_when_it_ended() {
    let stand = Stand::with(Times { drain_ms: 1, ..Times::default() }).await;
    let (mut gateway, session) = (stand.gateway(), stand.session.clone());
    let (short, long) = (body("say 5", 10), body("endless", 100));
    stand.relay(&gateway.request(&short, 20), &short).await;
    gateway.at = session.serve_window().end.minus(1);
    stand.town.grow(gateway.at.0);
    let response = stand.begin(&gateway.request(&long, 101), &long).await;
    stand.backend.go.send_replace(4);
    let (mut answer, mut read) = (response.into_body(), 0);
    while read < 20 {
        read += answer.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    stand.town.grow(claims_from(&session));
    assert_eq!(stand.payout().await["stage"], "open");
    let latest = crate::payouts::latest_claim(&session);
    until(&stand, latest.0 - 1, "claimed").await;
    assert_eq!(stand.town.claim_of(&session).unwrap().root.sum, Cu(6));
    drop(answer);
    while stand.receipt(1).await["receipt"].is_null() {
        tokio::task::yield_now().await;
    }
    // What ended is claimed at the next block.
    stand.town.grow(stand.town.height().0 + 1);
    while stand.town.claim_of(&session).unwrap().root.sum == Cu(6) {
        stand.payout().await;
    }
    assert_eq!(stand.town.claim_of(&session).unwrap().root.sum, Cu(27));
    stand.end().await;
}

#[tokio::test]
async fn a_session_without_a_relay_that_earns_is_not_claimed() {
    let stand = Stand::start().await;
    let (mut gateway, session) = (stand.gateway(), stand.session.clone());
    let body = body("fail 500", 10);
    stand.relay(&gateway.request(&body, 20), &body).await;
    until(&stand, session.claim_window().end.0, "unclaimed").await;
    assert_eq!(*stand.town.sent.borrow(), 0);
    let payout = stand.payout().await;
    assert_eq!(payout["losses"][0]["reason"], "failed");
    assert_eq!(payout["relays"][0]["reason"], "failed");
    stand.end().await;
}
