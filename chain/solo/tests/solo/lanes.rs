//! Claims and proofs reach the chain whatever else is sent.

use crate::net::{Draft, Key, Net, market};
use proto::keys::RelaySecret;
use proto::message::{ListService, StakeSupplier, SubmitClaims};
use proto::service::{Service, ServiceId};
use proto::supplier::{Offer, PayoutShare};
use proto::units::Price;
use proto::{Address, Amount, Coin, CuWeights, Denom, Digest, Ppm};

fn service() -> Service {
    Service {
        id: ServiceId::new("tiny").unwrap(),
        source: Key::n(2).address(),
        model_hash: Digest([1; 32]),
        tokenizer_hash: Digest([2; 32]),
        template_hash: Digest([3; 32]),
        precision: "q8_0".to_owned(),
        kernel_class: "cpu".to_owned(),
        context_max: 2_048,
        cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 4 },
        price_start: Price(1_000),
        denom: Denom::stake(),
        identity_threshold: 0,
    }
}

/// A chain on which account 1 is a staked supplier.
async fn staked() -> Net {
    let mut net = Net::new();
    let list = ListService { source: Key::n(2).address(), service: service() };
    let listed = net.include(&Draft::of(2, 0, market(list))).await;
    assert_eq!(listed.0.results[0].code, 0, "{}", listed.0.results[0].log);
    let operator = Key::n(1).address();
    let stake = StakeSupplier {
        owner: operator,
        operator,
        add: Coin::stake(Amount(100_000_000_000)),
        relay_key: RelaySecret::from_bytes(&[5; 32]).public(),
        endpoint: "http://127.0.0.1:9000".to_owned(),
        offers: vec![Offer { service: service().id, ask: Price(1), capacity: 1_000_000 }],
        payouts: vec![PayoutShare { to: operator, share: Ppm::ONE }],
    };
    let staked = net.include(&Draft::of(1, 0, market(stake))).await;
    assert_eq!(staked.0.results[0].code, 0, "{}", staked.0.results[0].log);
    net
}

fn claims(n: u8, sequence: u64) -> Draft {
    let claims = SubmitClaims { operator: Key::n(n).address(), claims: Vec::new() };
    Draft::of(n, sequence, market(claims))
}

#[tokio::test]
async fn claims_of_a_staked_supplier_come_first() {
    let mut net = staked().await;
    let payments: Vec<Vec<u8>> =
        (0..5).map(|sequence| Draft::pay(3, sequence, &Address([9; 20]), 1).sign()).collect();
    for tx in &payments {
        assert_eq!(net.broadcast(tx).await, "0");
    }
    let claim = claims(1, 1).sign();
    assert_eq!(net.broadcast(&claim).await, "0");
    let block = net.block();
    assert_eq!(block.txs[0], claim);
    assert_eq!(block.txs[1..], payments);
}

#[tokio::test]
async fn who_has_no_stake_claims_in_line() {
    let mut net = staked().await;
    let payment = Draft::pay(3, 0, &Address([9; 20]), 1).sign();
    let claim = claims(4, 0).sign();
    assert_eq!(net.broadcast(&payment).await, "0");
    assert_eq!(net.broadcast(&claim).await, "0");
    assert_eq!(net.block().txs, [payment, claim]);
}

#[tokio::test]
async fn a_claim_does_not_overtake_its_senders_own_payment() {
    let mut net = staked().await;
    let other = Draft::pay(3, 0, &Address([9; 20]), 1).sign();
    let payment = Draft::pay(1, 1, &Address([9; 20]), 1).sign();
    let claim = claims(1, 2).sign();
    for tx in [&other, &payment, &claim] {
        assert_eq!(net.broadcast(tx).await, "0");
    }
    assert_eq!(net.block().txs, [payment, claim, other]);
}
