//! Transactions through mempools that forget and answers that get lost.

use super::*;
use crate::Endpoints;
use crate::fake::{FakeNode, Ledger, SEQUENCE, parts};
use expect_test::expect;
use proto::Amount;

struct Scene {
    ledger: Ledger,
    node: FakeNode,
    sender: Sender,
}

async fn scene() -> Scene {
    let ledger = Ledger::new(5);
    let node = FakeNode::start(&ledger).await;
    let endpoints = Endpoints { patience_ms: 2_000, ..Endpoints::of(&node.url) };
    let chain = Chain::connect(&endpoints).await.unwrap();
    let signer = Signer::from_bytes(&[9; 32]).unwrap();
    let gas = GasPolicy { lifetime: 10, ..GasPolicy::at("0.025ulode".parse().unwrap()) };
    Scene { ledger, node, sender: Sender::new(chain, signer, gas) }
}

type Sending = tokio::task::JoinHandle<Result<Included, SendError>>;

impl Scene {
    /// Begins to pay `amount`.
    fn pay(&self, amount: u128) -> Sending {
        let sender = self.sender.clone();
        let coin = Coin::stake(Amount(amount));
        tokio::spawn(async move { sender.send_bank(Address([1; 20]), coin).await })
    }

    async fn until_pending(&self, count: usize) {
        self.until(|| self.ledger.pending() == count).await;
    }

    /// Waits until that is so; what hangs shall fail.
    async fn until(&self, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < Duration::from_secs(30), "it does not come");
            tokio::task::yield_now().await;
        }
    }

    fn sequences(&self) -> Vec<u64> {
        let sequence = |tx: &Vec<u8>| parts(tx).0.signer_infos[0].sequence;
        self.ledger.included().iter().map(sequence).collect()
    }
}

#[tokio::test]
async fn a_payment_is_tried_out_signed_and_followed_into_its_block() {
    let scene = scene().await;
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    scene.ledger.commit();
    let included = sending.await.unwrap().unwrap();
    assert_eq!((included.height, included.gas_used), (Height(6), 100_000));
    assert_eq!(included.events[0].kind, "did");

    let (auth, body) = parts(&scene.ledger.included()[0]);
    let fee = auth.fee.unwrap();
    assert_eq!(fee.gas_limit, 160_000);
    assert_eq!((fee.amount[0].amount.as_str(), fee.amount[0].denom.as_str()), ("4000", "ulode"));
    assert_eq!(body.timeout_height, 15);
    assert_eq!(body.messages[0].type_url, "/cosmos.bank.v1beta1.MsgSend");
}

#[tokio::test]
async fn several_are_under_way_at_once_with_a_sequence_each() {
    let scene = scene().await;
    let sendings = [scene.pay(1), scene.pay(2), scene.pay(3)];
    scene.until_pending(3).await;
    scene.ledger.commit();
    for sending in sendings {
        assert_eq!(sending.await.unwrap().unwrap().height, Height(6));
    }
    assert_eq!(scene.sequences(), [SEQUENCE, SEQUENCE + 1, SEQUENCE + 2]);
}

#[tokio::test]
async fn a_sequence_that_somebody_else_used_is_passed_over() {
    let scene = scene().await;
    for at in [0, 2] {
        let sending = scene.pay(at);
        scene.until_pending(1).await;
        scene.ledger.commit();
        sending.await.unwrap().unwrap();
        scene.ledger.use_sequence();
    }
    assert_eq!(scene.sequences(), [SEQUENCE, SEQUENCE + 2]);
}

#[tokio::test]
async fn a_lost_answer_does_not_pay_twice() {
    let scene = scene().await;
    scene.node.mood(|mood| mood.lose_answers = 1);
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    scene.until(|| scene.node.calls("broadcast_tx_sync") == 2).await;
    scene.ledger.commit();
    sending.await.unwrap().unwrap();
    assert_eq!(scene.sequences(), [SEQUENCE]);
}

#[tokio::test]
async fn a_payment_in_a_block_whose_answer_was_lost_is_not_signed_again() {
    let scene = scene().await;
    scene.node.mood(|mood| mood.lose_answers = 1);
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    // The node restarts: the block is there, the mempool and its memory are not. The same bytes
    // are refused for their sequence.
    scene.ledger.commit();
    scene.ledger.forget();
    sending.await.unwrap().unwrap();
    assert_eq!(scene.sequences(), [SEQUENCE]);
    assert_eq!(scene.ledger.pending(), 0);
}

#[tokio::test]
async fn a_mempool_that_was_lost_gets_its_transactions_again() {
    let scene = scene().await;
    let sendings = [scene.pay(1), scene.pay(2)];
    scene.until_pending(2).await;
    scene.ledger.forget();
    let looked = std::cell::Cell::new(0);
    scene
        .until(|| {
            // A block whenever both have looked for themselves in the last.
            if scene.node.calls("tx") >= looked.get() + 2 {
                looked.set(scene.node.calls("tx"));
                scene.ledger.commit();
            }
            sendings.iter().all(|sending| sending.is_finished())
        })
        .await;
    for sending in sendings {
        sending.await.unwrap().unwrap();
    }
    assert_eq!(scene.sequences(), [SEQUENCE, SEQUENCE + 1]);
}

#[tokio::test]
async fn what_is_in_no_block_after_its_last_height_is_known_to_be_lost() {
    let scene = scene().await;
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    scene.ledger.forget();
    scene.ledger.refuse(30, "tx timeout height");
    for _ in 0..11 {
        scene.ledger.commit();
    }
    let error = sending.await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Lost { last: Height(15), .. }), "{error}");
    assert!(error.may_send_again());

    scene.ledger.accept();
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    scene.ledger.commit();
    sending.await.unwrap().unwrap();
    assert_eq!(scene.sequences(), [SEQUENCE]);
}

#[tokio::test]
async fn a_silent_index_is_not_taken_for_a_loss() {
    let mut scene = scene().await;
    scene.node.mood(|mood| mood.index_off = true);
    scene.sender = scene.sender.with_patience(Duration::from_secs(2));
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    for _ in 0..12 {
        scene.ledger.commit();
    }
    let error = sending.await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error}");
    assert!(!error.may_send_again());
    assert_eq!(scene.sequences(), [SEQUENCE]);
}

#[tokio::test]
async fn a_refusal_is_a_sentence_and_uses_no_sequence() {
    let scene = scene().await;
    scene.ledger.refuse(13, "insufficient fees; got: 3250ulode required: 9000ulode");
    let error = scene.pay(1).await.unwrap().unwrap_err();
    expect![
        "the transaction is refused (sdk 13): insufficient fees; got: 3250ulode required: 9000ulode"
    ]
    .assert_eq(&error.to_string());
    scene.ledger.accept();
    let sending = scene.pay(1);
    scene.until_pending(1).await;
    scene.ledger.commit();
    sending.await.unwrap().unwrap();
    assert_eq!(scene.sequences(), [SEQUENCE]);
}

#[tokio::test]
async fn nothing_is_sent_while_no_node_answers() {
    let scene = scene().await;
    scene.node.mood(|mood| mood.down = true);
    let error = scene.pay(1).await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Offline(_)), "{error}");
    assert_eq!(scene.node.calls("broadcast_tx_sync"), 0);
}

#[tokio::test]
async fn a_message_of_another_account_is_not_sent() {
    let scene = scene().await;
    let deposit = proto::message::Deposit { app: Address([2; 20]), coin: Coin::stake(Amount(1)) };
    let error = scene.sender.send(vec![deposit.into()]).await.unwrap_err();
    assert!(matches!(error, SendError::OtherSigner { .. }), "{error}");
    assert_eq!(scene.node.calls("broadcast_tx_sync"), 0);
}
