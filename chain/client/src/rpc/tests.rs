//! Several nodes as one.

use crate::fake::{CHAIN_ID, FakeNode, Ledger, Mood};
use crate::{Chain, ConnectError, Endpoints, QueryError};
use expect_test::expect;
use proto::Height;
use tendermint_rpc::client::Client;

/// Endpoints of nodes; two seconds of patience, for tests that wait for its end.
fn endpoints(nodes: &[&FakeNode]) -> Endpoints {
    Endpoints {
        rpc: nodes.iter().map(|node| node.url.clone()).collect(),
        chain_id: Some(CHAIN_ID.to_owned()),
        patience_ms: 2_000,
    }
}

async fn connect(nodes: &[&FakeNode]) -> Chain {
    Chain::connect(&endpoints(nodes)).await.unwrap()
}

#[tokio::test]
async fn another_node_answers_when_one_fails() {
    let ledger = Ledger::new(5);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    let chain = connect(&[&a, &b]).await;
    for _ in 0..3 {
        a.mood(|mood| mood.down = true);
        b.mood(|mood| mood.down = false);
        assert_eq!(chain.height().await.unwrap(), Height(5));
        a.mood(|mood| mood.down = false);
        b.mood(|mood| mood.down = true);
        assert_eq!(chain.height().await.unwrap(), Height(5));
    }
}

#[tokio::test]
async fn a_node_that_was_down_at_first_is_used_when_it_is_needed() {
    let ledger = Ledger::new(5);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    b.mood(|mood| mood.down = true);
    let chain = connect(&[&a, &b]).await;
    a.mood(|mood| mood.down = true);
    b.mood(|mood| mood.down = false);
    assert_eq!(chain.height().await.unwrap(), Height(5));
}

#[tokio::test]
async fn a_node_that_is_behind_does_not_take_the_chain_back() {
    let ledger = Ledger::new(5);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    let chain = connect(&[&a, &b]).await;
    assert_eq!(chain.height().await.unwrap(), Height(5));
    a.mood(|mood| mood.behind = 2);
    assert_eq!(chain.height().await.unwrap(), Height(5));
    b.mood(|mood| mood.down = true);
    // Only the node that is behind is left: the question waits until that has caught up.
    let asked = tokio::spawn({
        let chain = chain.clone();
        async move { chain.height().await }
    });
    while a.calls("status") < 5 {
        tokio::task::yield_now().await;
    }
    assert!(!asked.is_finished());
    ledger.commit();
    ledger.commit();
    assert_eq!(asked.await.unwrap().unwrap(), Height(5));
}

#[tokio::test]
async fn a_node_that_is_behind_is_not_believed_when_it_knows_no_record() {
    let late: [fn(&mut Mood); 2] = [|mood| mood.behind = 1, |mood| mood.unexecuted = 1];
    for how in late {
        let ledger = Ledger::new(5);
        let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
        let chain = connect(&[&a, &b]).await;
        assert_eq!(chain.height().await.unwrap(), Height(5));
        a.mood(how);
        assert_eq!(chain.session(proto::Digest([1; 32])).await.unwrap(), None);
        assert!(b.calls("abci_query") > 0, "the node that is behind was believed");
    }
}

#[tokio::test]
async fn when_no_node_answers_the_error_says_how_long_and_why() {
    let ledger = Ledger::new(5);
    let node = FakeNode::start(&ledger).await;
    let chain = connect(&[&node]).await;
    node.mood(|mood| mood.down = true);
    let error = chain.height().await.unwrap_err();
    let QueryError::Offline(offline) = &error else { panic!("{error}") };
    assert_eq!(offline.nodes, 1);
    assert!(offline.waited.as_millis() >= 900, "{error}");
    assert!(offline.reason.contains("HTTP status 503"), "{error}");
}

#[tokio::test]
async fn a_node_of_another_chain_is_an_error_though_others_are_right() {
    let ledger = Ledger::new(5);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    b.mood(|mood| mood.chain_id = Some("other-9".to_owned()));
    let error = Chain::connect(&endpoints(&[&a, &b])).await.unwrap_err();
    let told = error.to_string().replace(&b.url, "URL");
    expect![[r#"URL/ is of the chain "other-9", but "fake-1" is wanted: check the endpoints"#]]
        .assert_eq(&told);
    let error = Chain::connect(&endpoints(&[&b])).await.unwrap_err();
    assert!(matches!(error, ConnectError::OtherChain { .. }), "{error}");
}

#[tokio::test]
async fn endpoints_that_are_none_are_refused() {
    let none = Endpoints { rpc: Vec::new(), ..Endpoints::of("") };
    let mut outcomes = String::new();
    for endpoints in [none, Endpoints::of("localhost:26657"), Endpoints::of("nonsense")] {
        outcomes += &format!("{}\n", Chain::connect(&endpoints).await.unwrap_err());
    }
    expect![[r#"
        no RPC endpoint is given: name at least one, such as http://127.0.0.1:26657
        "localhost:26657" is not the address of an RPC endpoint (localhost is not http or https): it should look like http://127.0.0.1:26657
        "nonsense" is not the address of an RPC endpoint (relative URL without a base): it should look like http://127.0.0.1:26657
    "#]]
    .assert_eq(&outcomes);
}

#[tokio::test]
async fn the_rest_of_cometbft_is_there_through_tendermint_rpc() {
    let ledger = Ledger::new(5);
    let (a, b) = (FakeNode::start(&ledger).await, FakeNode::start(&ledger).await);
    let chain = connect(&[&a, &b]).await;
    a.mood(|mood| mood.down = true);
    let block = chain.comet().block(4u32).await.unwrap();
    assert_eq!(block.block.header.height.value(), 4);
    let error = chain.comet().block(9u32).await.unwrap_err();
    assert!(error.to_string().contains("must be less than or equal"), "{error}");
}
