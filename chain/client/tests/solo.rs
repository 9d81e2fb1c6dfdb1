//! The client and the embedded engine.
#![allow(clippy::unwrap_used)]

mod node;

use chain_client::keys::Signer;
use chain_client::{Blocks, Chain, Endpoints, Event, GasPolicy, GasPrice, SendError, Sender};
use futures::StreamExt;
use node::{CHAIN_ID, GAS_PRICE, Node, PURSE};
use proto::message::{Deposit, Message, Withdraw};
use proto::params::Params;
use proto::service::ServiceId;
use proto::{Address, Amount, Coin, Denom, Digest, Height};
use std::collections::BTreeSet;
use std::time::Duration;

/// The secret key of the account that the genesis gives coins.
const RICH: [u8; 32] = [5; 32];

/// What hangs shall fail.
const TEST_MAX: Duration = Duration::from_secs(60);

fn rich() -> Signer {
    Signer::from_bytes(&RICH).unwrap()
}

async fn connect(node: &Node) -> Chain {
    Chain::connect(&Endpoints::of(node.url()).named(CHAIN_ID)).await.unwrap()
}

async fn sender(node: &Node) -> Sender {
    Sender::new(connect(node).await, rich(), GasPolicy::at(GAS_PRICE.parse().unwrap()))
}

fn coin(amount: u128) -> Coin {
    Coin::stake(Amount(amount))
}

async fn balance(chain: &Chain, address: Address) -> u128 {
    chain.balance(address, &Denom::stake()).await.unwrap().0
}

/// Blocks as they come, and what they say was paid to one account.
struct Follower {
    blocks: Blocks,
    last: Height,
    to: String,
    paid: Vec<String>,
}

impl Follower {
    /// Takes the next block, which must be the one after the last.
    async fn follow(&mut self) {
        let news = tokio::time::timeout(TEST_MAX, self.blocks.next()).await.unwrap().unwrap();
        assert_eq!(news.height, self.last.plus(1));
        self.last = news.height;
        let ours = |event: &&Event| {
            event.kind == "transfer" && event.get("recipient") == Some(self.to.as_str())
        };
        let amount = |event: &Event| event.get("amount").unwrap().to_owned();
        self.paid.extend(news.events.iter().filter(ours).map(amount));
    }
}

#[tokio::test]
async fn a_payment_arrives_costs_its_fee_and_is_found() {
    let node = Node::start(rich().address());
    let sender = sender(&node).await;
    let (chain, to) = (sender.chain(), Address([1; 20]));
    let included = sender.send_bank(to, coin(250)).await.unwrap();

    assert_eq!(balance(chain, to).await, 250);
    assert_eq!(chain.balances(to).await.unwrap(), [coin(250)]);
    let found = chain.tx(included.hash).await.unwrap().unwrap();
    assert_eq!((found.height, found.code, found.events), (included.height, 0, included.events));
    let fee = PURSE - 250 - balance(chain, sender.address()).await;
    let price: GasPrice = GAS_PRICE.parse().unwrap();
    assert!(fee >= price.fee(included.gas_used).amount.0 && fee > 0, "{fee}");

    let query = format!("transfer.recipient='{to}'");
    let page = chain.tx_search(&query, 1, 10).await.unwrap();
    assert_eq!((page.total, page.found[0].hash), (1, included.hash));
    let account = chain.account(sender.address()).await.unwrap().unwrap();
    assert_eq!(account.sequence, 1);
    assert_eq!(chain.account(Address([9; 20])).await.unwrap(), None);
    assert_eq!(chain.tx(Digest([1; 32])).await.unwrap(), None);
}

#[tokio::test]
async fn messages_reach_the_market_and_its_refusals_come_back() {
    let node = Node::start(rich().address());
    let sender = sender(&node).await;
    let app = sender.address();
    let both: Vec<Message> =
        vec![Deposit { app, coin: coin(1_000) }.into(), Withdraw { app, coin: coin(400) }.into()];
    sender.send(both).await.unwrap();
    let escrow = sender.chain().app(app).await.unwrap().unwrap().escrow;
    assert_eq!(escrow[0].amount, Amount(600));

    let too_much = Withdraw { app, coin: coin(601) };
    let error = sender.send(vec![too_much.into()]).await.unwrap_err();
    let SendError::Refused { codespace, height, log, .. } = &error else { panic!("{error}") };
    assert_eq!((codespace.as_str(), *height), ("lode", None), "{error}");
    assert!(log.contains("the escrow has 600ulode free, but 601ulode is wanted"), "{error}");
    assert!(error.may_send_again());
}

#[tokio::test]
async fn records_are_there_or_not() {
    let node = Node::start(rich().address());
    let chain = connect(&node).await;
    assert_eq!(chain.chain_id(), CHAIN_ID);
    assert_eq!(chain.params().await.unwrap(), Params::dev());
    let service = ServiceId::new("no-such-model").unwrap();
    assert_eq!(chain.service(&service).await.unwrap(), None);
    assert_eq!(chain.session(Digest([3; 32])).await.unwrap(), None);
    assert_eq!(chain.supplier(Address([3; 20])).await.unwrap(), None);
    let (app, gateway) = (Address([1; 20]), Address([2; 20]));
    assert_eq!(chain.current_session(&service, app, gateway).await.unwrap(), None);
    assert!(chain.clock().await.unwrap().next_start > Height(1));
}

#[tokio::test]
async fn many_payments_at_once_are_each_made_once() {
    const PAYMENTS: u128 = 24;
    let node = Node::start(rich().address());
    let sender = sender(&node).await;
    let to = Address([1; 20]);
    let payments: Vec<_> = (0..PAYMENTS)
        .map(|index| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send_bank(to, coin(1 << index)).await.unwrap() })
        })
        .collect();
    let mut heights = BTreeSet::new();
    for payment in payments {
        heights.insert(payment.await.unwrap().height);
    }
    assert_eq!(balance(sender.chain(), to).await, (1 << PAYMENTS) - 1);
    assert!(heights.len() < PAYMENTS as usize / 2, "one a block: {heights:?}");
}

#[tokio::test]
async fn two_senders_of_one_account_do_not_stop_each_other() {
    let node = Node::start(rich().address());
    let (a, b) = (sender(&node).await, sender(&node).await);
    let to = Address([1; 20]);
    for _ in 0..3 {
        let (paid_a, paid_b) = tokio::join!(a.send_bank(to, coin(1)), b.send_bank(to, coin(100)));
        paid_a.unwrap();
        paid_b.unwrap();
    }
    assert_eq!(balance(a.chain(), to).await, 303);
}

#[tokio::test]
async fn blocks_and_payments_go_on_where_they_were_when_the_node_is_killed() {
    let mut node = Node::start(rich().address());
    let sender = sender(&node).await;
    let to = Address([1; 20]);
    let (blocks, paid) = (sender.chain().blocks(Height(1)), Vec::new());
    let mut follower = Follower { blocks, last: Height(0), to: to.to_string(), paid };
    for round in 0..3u32 {
        let payment = {
            let (sender, amount) = (sender.clone(), coin(10u128.pow(round)));
            tokio::spawn(async move { sender.send_bank(to, amount).await.unwrap().height })
        };
        // At one time it waits to be tried out, at another it is in the mempool, or in a block.
        for _ in 0..round {
            follower.follow().await;
        }
        node.kill().await;
        node.revive();
        let included = tokio::time::timeout(TEST_MAX, payment).await.unwrap().unwrap();
        while follower.last < included {
            follower.follow().await;
        }
    }
    assert_eq!(balance(sender.chain(), to).await, 111);
    assert_eq!(follower.paid, ["1ulode", "10ulode", "100ulode"]);
}
