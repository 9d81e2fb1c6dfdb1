//! A chain that is closed, or killed, goes on exactly where it was.

use crate::net::{Draft, Key, Net, begin};
use proto::supplier::Escrow;
use proto::{Address, Amount, Coin, Denom, Time};
use solo::{Balance, Config, Genesis, OpenError, Solo};

const TO: Address = Address([9; 20]);

#[tokio::test]
async fn a_chain_goes_on_where_it_was() {
    let mut net = Net::new();
    net.include(&Draft::pay(1, 0, &TO, 5)).await;
    let before = net.solo.tip();
    let mut net = net.reopen(Config::default());
    let after = net.solo.tip();
    assert_eq!((after.height, after.app_hash, after.seed), (1, before.app_hash, before.seed));
    assert_eq!(net.balance(&TO).await, 5);
    let (block, _) = net.include(&Draft::pay(1, 1, &TO, 5)).await;
    assert_eq!(block.header.last_block_id, Some(before.last.as_ref().unwrap().id));
    assert_eq!(block.header.height.value(), 2);
}

#[tokio::test]
async fn a_copy_of_the_file_at_any_moment_is_a_chain() {
    // A killed process leaves the file as it is: so does a copy that is made without closing it.
    let mut net = Net::new();
    let mut tips = Vec::new();
    for sequence in 0..4 {
        net.include(&Draft::pay(1, sequence, &TO, 5)).await;
        // What waits is lost with the process; what was in a block is not.
        net.broadcast(&Draft::pay(2, 0, &TO, 1).sign()).await;
        tips.push(net.solo.tip());
        let home = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(net.home.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), home.path().join(file.file_name())).unwrap();
        }
        let copy = Solo::open(home.path(), Config::default()).unwrap();
        let tip = copy.tip();
        assert_eq!((tip.height, tip.app_hash), (sequence + 1, tips.last().unwrap().app_hash));
        let next = copy.make_block(Time(tip.time.0 + 1_000)).unwrap();
        assert_eq!(next.header.app_hash.as_bytes(), tip.app_hash.0);
    }
}

#[tokio::test]
async fn the_same_transactions_give_the_same_chain() {
    let mut net = Net::new();
    let mut blocks = vec![net.block()];
    for sequence in 0..3 {
        let mut draft = Draft::pay(1, sequence, &TO, 5);
        // Also one that fails.
        draft.gas = if sequence == 1 { 20_000 } else { 300_000 };
        assert_eq!(net.broadcast(&Draft::pay(2, sequence, &TO, 7).sign()).await, "0");
        blocks.push(net.include(&draft).await.0);
    }
    let home = tempfile::tempdir().unwrap();
    begin(home.path());
    let replayed = Solo::open(home.path(), Config::default()).unwrap();
    for block in blocks {
        for tx in &block.txs {
            assert_eq!(replayed.offer(tx), Ok(0));
        }
        let time = block.header.time.unix_timestamp_nanos() / 1_000_000;
        let again = replayed.make_block(Time(time.try_into().unwrap())).unwrap();
        assert_eq!(again.id, block.id);
        assert_eq!(again.commit, block.commit);
        assert_eq!(again.app_hash, block.app_hash);
        assert_eq!(again.results, block.results);
    }
}

#[test]
fn another_genesis_is_not_taken_for_this_chain() {
    let net = Net::new();
    let home = net.home.clone();
    drop(net);
    let mut genesis = Genesis::load(home.path()).unwrap();
    genesis.balances[0].coins[0].amount = Amount(1);
    genesis.save(home.path()).unwrap();
    let opened = Solo::open(home.path(), Config::default());
    assert!(matches!(opened, Err(OpenError::OtherGenesis { .. })));
}

#[test]
fn a_genesis_whose_purses_are_short_is_refused() {
    let home = tempfile::tempdir().unwrap();
    begin(home.path());
    let mut genesis = Genesis::load(home.path()).unwrap();
    let app = Key::n(1).address();
    genesis.market.escrow = vec![Escrow { app, denom: Denom::stake(), amount: Amount(7) }];
    let error = solo::init(home.path(), &genesis).unwrap_err().to_string();
    assert_eq!(
        error,
        "the market's records owe 7ulode, but the purse market/escrow begins with 0 of them"
    );
    let purse = chain::host::Purse::Escrow.address();
    genesis.balances.push(Balance { address: purse, coins: vec![Coin::stake(Amount(7))] });
    solo::init(home.path(), &genesis).unwrap();
}

#[test]
fn one_home_is_one_running_chain() {
    let net = Net::new();
    let second = Solo::open(net.home.path(), Config::default());
    assert!(matches!(second, Err(OpenError::Store(_))));
}

#[test]
fn blocks_have_their_own_times_whatever_the_clock_says() {
    let net = Net::new();
    let times: Vec<i128> = [9_000_000_000_000u64, 5, 5]
        .map(|now| net.solo.make_block(Time(now)).unwrap().header.time.unix_timestamp_nanos())
        .into();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000), "{times:?}");
}

#[tokio::test]
async fn old_blocks_are_dropped_and_the_state_stays() {
    let config = Config { keep_blocks: 5, ..Config::default() };
    let mut net = Net::with(config.clone());
    let (first, _) = net.include(&Draft::pay(1, 0, &TO, 5)).await;
    for _ in 0..10 {
        net.block();
    }
    let status = net.call("status", serde_json::json!({})).await;
    assert_eq!(status["sync_info"]["earliest_block_height"], "7");
    let answer = net.answer("block", serde_json::json!({ "height": "1" })).await;
    let words = answer["error"]["data"].as_str().unwrap();
    assert_eq!(words, "height 1 is not available, lowest height is 7");
    let query = format!("message.sender='{}'", Key::n(1).address());
    let found = net.call("tx_search", serde_json::json!({ "query": query })).await;
    assert_eq!(found["total_count"], "0");
    assert_eq!(first.txs.len(), 1);
    let net = net.reopen(config);
    assert_eq!(net.balance(&TO).await, 5);
}
