//! Transactions and blocks are found by what happened in them.

use crate::net::{Draft, Key, Net};
use proto::Address;
use proto::params::Params;
use serde_json::{Value, json};

const TO: Address = Address([9; 20]);

/// Five payments: heights 1 to 5, by accounts 1 and 2 in turn, the last to another address.
async fn chain() -> Net {
    let mut net = Net::new();
    for (n, sequence) in [(1, 0), (2, 0), (1, 1), (2, 1)] {
        net.include(&Draft::pay(n, sequence, &TO, 5)).await;
    }
    net.include(&Draft::pay(1, 2, &Address([8; 20]), 5)).await;
    net
}

/// The heights of the transactions that are found.
async fn found(net: &Net, query: &str) -> Vec<String> {
    let result = net.call("tx_search", json!({ "query": query, "per_page": "100" })).await;
    let txs = result["txs"].as_array().unwrap();
    assert_eq!(result["total_count"], txs.len().to_string());
    txs.iter().map(|tx| tx["height"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn transactions_are_found_by_height_and_attributes() {
    let net = chain().await;
    let one = Key::n(1).address();
    for (query, heights) in [
        ("tx.height=3".to_owned(), vec!["3"]),
        ("tx.height>1 AND tx.height<=3".to_owned(), vec!["2", "3"]),
        (format!("message.sender='{one}'"), vec!["1", "3", "5"]),
        (format!("message.sender='{one}' AND tx.height > 1"), vec!["3", "5"]),
        (format!("message.sender='{one}' AND transfer.recipient='{TO}'"), vec!["1", "3"]),
        (format!("tx.acc_seq='{one}/1'"), vec!["3"]),
        ("message.action='/cosmos.bank.v1beta1.MsgSend'".to_owned(), vec!["1", "2", "3", "4", "5"]),
        ("tm.event='Tx' AND tx.height=2".to_owned(), vec!["2"]),
        ("coin_received.receiver EXISTS AND tx.height>=4".to_owned(), vec!["4", "5"]),
        ("message.action CONTAINS 'MsgSe' AND tx.height<2".to_owned(), vec!["1"]),
        ("message.sender='nobody'".to_owned(), vec![]),
        ("tx.height=99".to_owned(), vec![]),
        ("burn.burner EXISTS".to_owned(), vec![]),
    ] {
        assert_eq!(found(&net, &query).await, heights, "{query}");
    }
}

#[tokio::test]
async fn a_transaction_is_found_by_its_hash() {
    let net = chain().await;
    let all = net.call("tx_search", json!({ "query": "tx.height=4", "prove": true })).await;
    let tx = &all["txs"][0];
    let hash = tx["hash"].as_str().unwrap();
    assert_eq!(found(&net, &format!("tx.hash='{hash}'")).await, ["4"]);
    assert_eq!(net.call("tx", json!({ "hash": hash })).await["tx"], tx["tx"]);
    let block = net.call("block", json!({ "height": "4" })).await;
    assert_eq!(tx["proof"]["root_hash"], block["block"]["header"]["data_hash"]);
    let words = net.answer("tx", json!({ "hash": "00".repeat(32) })).await;
    assert_eq!(words["error"]["data"], format!("tx ({}) not found", "00".repeat(32)));
}

#[tokio::test]
async fn a_long_answer_comes_in_pages() {
    let net = chain().await;
    let page = async |page: u32, order: &str| {
        let params =
            json!({ "query": "tx.height>0", "page": page, "per_page": "2", "order_by": order });
        let result = net.call("tx_search", params).await;
        assert_eq!(result["total_count"], "5");
        let height = |tx: &Value| tx["height"].as_str().unwrap().to_owned();
        result["txs"].as_array().unwrap().iter().map(height).collect::<Vec<_>>()
    };
    assert_eq!(page(1, "asc").await, ["1", "2"]);
    assert_eq!(page(3, "asc").await, ["5"]);
    assert_eq!(page(1, "desc").await, ["5", "4"]);
    let beyond = json!({ "query": "tx.height>0", "page": 4, "per_page": "2" });
    assert!(net.answer("tx_search", beyond).await.get("error").is_some());
}

#[tokio::test]
async fn what_is_no_query_is_refused_with_words() {
    let net = chain().await;
    for (query, words) in [
        ("height = ".to_owned(), "is no query"),
        ("transfer.amount > 5".to_owned(), "only heights can be compared"),
        ("a='".to_owned() + &"x".repeat(600) + "'", "the query has 604 bytes, at most 512"),
    ] {
        let answer = net.answer("tx_search", json!({ "query": query })).await;
        let data = answer["error"]["data"].as_str().unwrap();
        assert!(data.contains(words), "{data}");
    }
}

#[tokio::test]
async fn blocks_are_found_by_height() {
    let net = chain().await;
    let query = "block.height > 1 AND block.height < 4";
    let result = net.call("block_search", json!({ "query": query })).await;
    let blocks = result["blocks"].as_array().unwrap();
    let heights: Vec<&str> =
        blocks.iter().map(|b| b["block"]["header"]["height"].as_str().unwrap()).collect();
    assert_eq!(heights, ["2", "3"]);
}

#[tokio::test]
async fn blocks_are_found_by_what_happened_outside_of_transactions() {
    let mut net = Net::new();
    for _ in 0..Params::dev().session_length + 2 {
        net.block();
    }
    for (query, count) in [
        ("lode_session_boundary.start EXISTS", "2"),
        ("lode_session_boundary.start = 1", "1"),
        ("lode_session_boundary.start = '1' AND block.height > 1", "0"),
    ] {
        let result = net.call("block_search", json!({ "query": query })).await;
        assert_eq!(result["total_count"], count, "{query}");
    }
}
