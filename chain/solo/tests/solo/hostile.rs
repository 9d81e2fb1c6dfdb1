//! Bytes that nobody should send: they cost the sender, never the chain.

use crate::net::{Draft, Key, Net};
use cosmrs::proto::cosmos::tx::v1beta1::TxRaw;
use proptest::prelude::*;
use prost::Message as _;
use proto::{Address, Time};
use std::sync::LazyLock;

/// One chain for all cases: none of them may change it.
static NET: LazyLock<Net> = LazyLock::new(Net::new);

/// A right transaction of account 3 that is never sent.
fn right() -> Vec<u8> {
    Draft::pay(3, 0, &Address([9; 20]), 5).sign()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let code = NET.solo.offer(&bytes);
        prop_assert!(matches!(code, Ok(1..)), "{code:?}");
    }

    #[test]
    fn a_transaction_with_a_changed_byte_is_refused(at: prop::sample::Index, change in 1u8..) {
        let mut bytes = right();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let code = NET.solo.offer(&bytes);
        prop_assert!(matches!(code, Ok(1..)), "{code:?}");
    }

    #[test]
    fn arbitrary_parts_are_refused(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        auth in proptest::collection::vec(any::<u8>(), 0..200),
        signatures in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..9),
    ) {
        let raw = TxRaw { body_bytes: body, auth_info_bytes: auth, signatures };
        let code = NET.solo.offer(&raw.encode_to_vec());
        prop_assert!(matches!(code, Ok(1..)), "{code:?}");
    }

    #[test]
    fn arbitrary_messages_of_the_market_do_no_harm(
        kind: prop::sample::Index,
        value in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let urls = proto::message::Message::TYPE_URLS;
        let mut draft = Draft::pay(3, 0, &Address([9; 20]), 5);
        draft.messages[0] =
            cosmrs::Any { type_url: urls[kind.index(urls.len())].to_owned(), value };
        let code = NET.solo.offer(&draft.sign());
        prop_assert!(matches!(code, Ok(1..)), "{code:?}");
    }
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let (mut one, other) = (Net::new(), Net::new());
    let mut poor = Draft::pay(1, 0, &Address([9; 20]), 5);
    poor.fee.clear();
    for tx in [vec![1, 2, 3], poor.sign(), Draft::pay(2, 7, &Address([9; 20]), 5).sign()] {
        assert_ne!(one.solo.offer(&tx), Ok(0));
    }
    let (block, time) = (one.block(), one.solo.tip().time);
    let empty = other.solo.make_block(Time(time.0)).unwrap();
    assert_eq!((block.app_hash, block.txs.len()), (empty.app_hash, 0));
}

#[tokio::test]
async fn what_turns_wrong_in_its_block_leaves_nothing_behind() {
    // Two transactions are right alone; the first takes what the second's fee needs.
    let mut net = Net::new();
    let all = net.balance(&Key::n(1).address()).await;
    let first = Draft::pay(1, 0, &Address([9; 20]), all - 300).sign();
    let second = Draft::pay(1, 1, &Address([9; 20]), 5).sign();
    assert_eq!(net.broadcast(&first).await, "0");
    assert_eq!(net.broadcast(&second).await, "0");
    let block = net.block();
    assert_eq!(block.results.iter().map(|r| r.code).collect::<Vec<_>>(), [0, 5]);
    assert_eq!(net.balance(&Key::n(1).address()).await, 0);
    assert_eq!(net.balance(&Address([9; 20])).await, all - 300);
}
