//! Blocks through lost connections and failing nodes.

use super::*;
use crate::Endpoints;
use crate::fake::{FakeNode, Ledger};
use expect_test::expect;

async fn connect(nodes: &[&FakeNode]) -> Chain {
    let rpc = nodes.iter().map(|node| node.url.clone()).collect();
    Chain::connect(&Endpoints { rpc, patience_ms: 2_000, ..Endpoints::of("") }).await.unwrap()
}

/// What hangs shall fail.
const TEST_MAX: Duration = Duration::from_secs(30);

async fn next(blocks: &mut Blocks) -> u64 {
    tokio::time::timeout(TEST_MAX, blocks.next()).await.unwrap().unwrap().height.0
}

#[tokio::test]
async fn each_height_comes_once_in_order_and_later_ones_as_they_are_made() {
    let ledger = Ledger::new(40);
    let node = FakeNode::start(&ledger).await;
    let mut blocks = connect(&[&node]).await.blocks(Height(3));
    for height in 3..=40 {
        assert_eq!(next(&mut blocks).await, height);
    }
    for height in 41..50 {
        ledger.commit();
        assert_eq!(next(&mut blocks).await, height);
    }
}

#[tokio::test]
async fn nothing_is_missed_when_the_websocket_is_cut() {
    let ledger = Ledger::new(1);
    let node = FakeNode::start(&ledger).await;
    let mut blocks = connect(&[&node]).await.blocks(Height(2));
    node.listened_to().await;
    ledger.commit();
    assert_eq!(next(&mut blocks).await, 2);
    node.cut_sockets();
    for _ in 3..=7 {
        ledger.commit();
    }
    for height in 3..=7 {
        assert_eq!(next(&mut blocks).await, height);
    }
    node.listened_to().await;
    ledger.commit();
    assert_eq!(next(&mut blocks).await, 8);
}

#[tokio::test]
async fn nothing_is_missed_when_a_node_fails_or_falls_behind() {
    let ledger = Ledger::new(10);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    let mut blocks = connect(&[&a, &b]).await.blocks(Height(1));
    assert_eq!(next(&mut blocks).await, 1);
    a.mood(|mood| mood.down = true);
    ledger.commit();
    for height in 2..=11 {
        assert_eq!(next(&mut blocks).await, height);
    }
    a.mood(|mood| (mood.down, mood.behind) = (false, 4));
    b.mood(|mood| mood.down = true);
    ledger.commit();
    for _ in 0..4 {
        ledger.commit();
    }
    assert_eq!(next(&mut blocks).await, 12);
}

#[tokio::test]
async fn a_block_tells_what_happened_in_order_and_when() {
    let ledger = Ledger::new(2);
    let node = FakeNode::start(&ledger).await;
    let news = connect(&[&node]).await.blocks(Height(2)).next().await.unwrap();
    expect![[r#"{"height":2,"time":1767225602250,"events":[{"kind":"begin","attributes":[["at","2"],["mode","BeginBlock"]]},{"kind":"end","attributes":[["at","2"],["mode","EndBlock"]]}]}"#]]
        .assert_eq(&serde_json::to_string(&news).unwrap());
    assert_eq!(news.events[0].get("at"), Some("2"));
    assert_eq!(news.events[0].get("height"), None);
}

#[tokio::test]
async fn blocks_are_not_fetched_before_somebody_wants_them() {
    let ledger = Ledger::new(100);
    let node = FakeNode::start(&ledger).await;
    let mut blocks = connect(&[&node]).await.blocks(Height(1));
    assert_eq!(node.calls("block_results"), 0);
    assert_eq!(next(&mut blocks).await, 1);
    assert!(node.calls("block_results") <= AHEAD + 1, "{}", node.calls("block_results"));
}

#[tokio::test]
async fn the_stream_ends_where_no_node_has_the_blocks_any_more() {
    let ledger = Ledger::new(9);
    let node = FakeNode::start(&ledger).await;
    node.mood(|mood| mood.earliest = 4);
    let mut blocks = connect(&[&node]).await.blocks(Height(3));
    assert!(blocks.next().await.is_none());
    expect!["the block at height 3 is gone: the nodes' first block is at height 4; name a node that keeps more, or begin there"]
        .assert_eq(&blocks.gap().unwrap().to_string());
    assert!(blocks.next().await.is_none());
}
