//! Whatever a transaction holds, the market goes on and no coin is made or lost.

use proptest::prelude::*;
use proto::keys::RelayKey;
use proto::message::{self, Message};
use proto::service::ServiceId;
use proto::supplier::Offer;
use proto::{Address, Amount, Coin, Denom, Digest, Height, Price};
use tests::town::{APP, GATEWAY, SOURCE, Town, dollar, supplier};

fn account() -> impl Strategy<Value = Address> {
    prop_oneof![
        Just(APP),
        Just(GATEWAY),
        Just(SOURCE),
        (0u8..3).prop_map(supplier),
        any::<[u8; 20]>().prop_map(Address)
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![Just(0u128), 1u128..2_000_000_000_000, any::<u128>()].prop_map(Amount)
}

fn message() -> impl Strategy<Value = Message> {
    let denom =
        prop_oneof![Just(Denom::stake()), Just(dollar()), Just(Denom::new("nothing").unwrap())];
    let coin = || (amount(), denom.clone()).prop_map(|(amount, denom)| Coin::new(amount, denom));
    let service = || {
        prop_oneof![Just("demo"), Just("demo-usd"), Just("other")]
            .prop_map(|s| ServiceId::new(s).unwrap())
    };
    let key = || prop_oneof![Just([2u8; 32]), any::<[u8; 32]>()].prop_map(RelayKey);
    let height = || prop_oneof![0u64..200, any::<u64>()].prop_map(Height);
    prop_oneof![
        (account(), coin()).prop_map(|(app, coin)| message::Deposit { app, coin }.into()),
        (account(), coin()).prop_map(|(app, coin)| message::Withdraw { app, coin }.into()),
        (account(), account(), coin(), height()).prop_map(|(app, gateway, limit, expires)| {
            message::Delegate { app, gateway, limit, expires }.into()
        }),
        (account(), account(), service(), 1u64..60, amount()).prop_map(
            |(gateway, app, service, start, budget)| {
                let start = Height(start / 10 * 10 + 1);
                message::OpenSession { gateway, app, service, start, budget }.into()
            }
        ),
        (account(), account(), coin(), key(), service(), any::<u64>()).prop_map(
            |(owner, operator, add, relay_key, service, ask)| {
                let offers = vec![Offer { service, ask: Price(ask), capacity: 5 }];
                let (endpoint, payouts) = ("http://x".to_owned(), vec![]);
                message::StakeSupplier {
                    owner,
                    operator,
                    add,
                    relay_key,
                    endpoint,
                    offers,
                    payouts,
                }
                .into()
            }
        ),
        (account(), account()).prop_map(|(owner, operator)| message::UnstakeSupplier {
            owner,
            operator
        }
        .into()),
        (account(), coin(), key()).prop_map(|(gateway, add, relay_key)| {
            message::StakeGateway { gateway, add, relay_key }.into()
        }),
        account().prop_map(|gateway| message::UnstakeGateway { gateway }.into()),
        (account(), any::<[u8; 32]>(), any::<u64>(), any::<u64>()).prop_map(
            |(operator, id, sum, count)| {
                let root = proto::claim::ClaimRoot {
                    session_id: Digest(id),
                    root: Digest(id),
                    sum: proto::Cu(sum),
                    count,
                    unacked_from: count,
                };
                message::SubmitClaims { operator, claims: vec![root] }.into()
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_messages_in_any_order_conserve_coins(
        blocks in prop::collection::vec(prop::collection::vec(message(), 0..6), 1..60)
    ) {
        let mut town = Town::new(3);
        for messages in &blocks {
            town.block(messages);
        }
        for _ in 0..120 {
            town.block(&[]);
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_a_clear_refusal(
        bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0usize..Message::TYPE_URLS.len()
    ) {
        if let Ok(message) = Message::from_any(Message::TYPE_URLS[which], &bytes) {
            prop_assert_eq!(message.to_value(), bytes);
        }
    }
}
