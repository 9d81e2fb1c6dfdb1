//! JSON-RPC: what it answers is what `tendermint-rpc` reads, and what it does not know it says.

use crate::net::{Draft, Net};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::Address;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tendermint_rpc::endpoint;

const TO: Address = Address([9; 20]);

async fn read<R: DeserializeOwned>(net: &Net, method: &str, params: Value) -> R {
    let result = net.call(method, params).await;
    serde_json::from_value(result.clone()).unwrap_or_else(|bad| panic!("{method}: {bad}: {result}"))
}

#[tokio::test]
async fn tendermint_rpc_reads_every_answer() {
    let mut net = Net::new();
    net.block();
    let (block, _) = net.include(&Draft::pay(1, 0, &TO, 5)).await;
    net.block();
    let none = json!({});
    let status: endpoint::status::Response = read(&net, "status", none.clone()).await;
    assert_eq!(status.sync_info.latest_block_height.value(), 3);
    assert_eq!(status.node_info.network.as_str(), "lode-test");
    let info: endpoint::abci_info::Response = read(&net, "abci_info", none.clone()).await;
    assert_eq!(info.response.last_block_height.value(), 3);
    for height in [1, 2, 3] {
        let params = json!({ "height": height.to_string() });
        let answer: endpoint::block::v0_38::DialectResponse =
            read(&net, "block", params.clone()).await;
        let header: endpoint::header::Response = read(&net, "header", params.clone()).await;
        assert_eq!(answer.block.header, header.header);
        assert_eq!(header.header.hash(), answer.block_id.hash);
        let commit: endpoint::commit::Response = read(&net, "commit", params.clone()).await;
        assert_eq!(commit.signed_header.commit.block_id, answer.block_id);
        let _: endpoint::validators::Response = read(&net, "validators", params.clone()).await;
        let _: endpoint::consensus_params::Response =
            read(&net, "consensus_params", params.clone()).await;
        let results: endpoint::block_results::Response = read(&net, "block_results", params).await;
        assert_eq!(results.app_hash.as_bytes(), net_app_hash(&net, height).await);
    }
    let by_hash = json!({ "hash": STANDARD.encode(block.id.hash.as_bytes()) });
    let found: endpoint::block_by_hash::v0_38::DialectResponse =
        read(&net, "block_by_hash", by_hash.clone()).await;
    assert_eq!(found.block.unwrap().header, block.header);
    let _: endpoint::header_by_hash::Response = read(&net, "header_by_hash", by_hash).await;
    let range = json!({ "minHeight": "1", "maxHeight": "2" });
    let metas: endpoint::blockchain::Response = read(&net, "blockchain", range).await;
    assert_eq!(metas.block_metas.len(), 2);
    let found: endpoint::tx_search::Response =
        read(&net, "tx_search", json!({ "query": "tx.height=2", "prove": true })).await;
    assert_eq!(found.txs[0].tx, block.txs[0]);
    let _: endpoint::block_search::v0_38::DialectResponse =
        read(&net, "block_search", json!({ "query": "block.height=2" })).await;
    let genesis: endpoint::genesis::Response<Value> = read(&net, "genesis", none.clone()).await;
    assert_eq!(genesis.genesis.validators.len(), 1);
    let net_info: endpoint::net_info::Response = read(&net, "net_info", none.clone()).await;
    assert_eq!(net_info.n_peers, 0);
    let _: endpoint::health::Response = read(&net, "health", none).await;
}

/// The state's hash after `height`, as the node's own call tells it.
async fn net_app_hash(net: &Net, height: u64) -> Vec<u8> {
    let results = net.call("block_results", json!({ "height": height })).await;
    STANDARD.decode(results["app_hash"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn tendermint_rpc_reads_what_becomes_of_a_transaction() {
    let mut net = Net::new();
    let tx = |sequence| json!({ "tx": STANDARD.encode(Draft::pay(1, sequence, &TO, 5).sign()) });
    let checked: endpoint::broadcast::tx_sync::Response =
        read(&net, "broadcast_tx_sync", tx(0)).await;
    assert!(checked.code.is_ok());
    let waiting = net.call("unconfirmed_txs", json!({})).await;
    assert_eq!((&waiting["total"], waiting["txs"].as_array().unwrap().len()), (&json!("1"), 1));
    net.block();
    let found: endpoint::tx::Response =
        read(&net, "tx", json!({ "hash": STANDARD.encode(checked.hash.as_bytes()) })).await;
    assert_eq!((found.height.value(), found.tx_result.code.value()), (1, 0));
    let refused = net.call("check_tx", tx(0)).await;
    assert_eq!(refused["code"], 32);
    assert_eq!(net.call("check_tx", tx(1)).await["code"], 0);
    assert_eq!(net.call("num_unconfirmed_txs", json!({})).await["total"], "0");
}

#[tokio::test]
async fn a_caller_can_wait_for_the_block() {
    let mut net = Net::new();
    let tx = Draft::pay(1, 0, &TO, 5).sign();
    let params = json!({ "tx": STANDARD.encode(&tx) });
    let mut waits = std::pin::pin!({
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_commit", "params": params });
        let router = solo::router(&net.solo, daemon::Stop::new());
        let request =
            axum::http::Request::post("/").body(axum::body::Body::from(call.to_string())).unwrap();
        tower::ServiceExt::oneshot(router, request)
    });
    // It waits: the block is made when the transaction is there.
    let response = loop {
        tokio::select! {
            response = &mut waits => break response.unwrap(),
            () = tokio::task::yield_now() => {
                if net.call("num_unconfirmed_txs", json!({})).await["total"] == "1" {
                    net.block();
                }
            }
        }
    };
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let result: endpoint::broadcast::tx_commit::Response =
        serde_json::from_value(answer["result"].clone()).unwrap();
    assert!(result.check_tx.code.is_ok() && result.tx_result.code.is_ok());
    assert_eq!(result.height.value(), 1);
}

#[tokio::test]
async fn a_call_by_uri_says_what_a_call_by_post_says() {
    let mut net = Net::new();
    net.include(&Draft::pay(1, 0, &TO, 5)).await;
    let (status, answer) = net.get("/block?height=1").await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"], net.call("block", json!({ "height": "1" })).await);
    let (_, found) = net.get("/tx_search?query=%22tx.height=1%22&per_page=1").await;
    assert_eq!(found["result"]["total_count"], "1");
    let (status, answer) = net.get("/block?height=9").await;
    assert_eq!((status, answer["error"]["code"].as_i64()), (500, Some(-32_603)));
}

#[tokio::test]
async fn what_is_no_call_is_refused_with_words() {
    let net = Net::new();
    for (body, code) in [
        ("{", -32_700),
        ("[]x", -32_700),
        ("{}", -32_600),
        (r#"{"id":1,"method":7}"#, -32_600),
        (r#"{"id":1,"method":"nope"}"#, -32_601),
        (r#"{"id":1,"method":"block","params":[1,2]}"#, -32_602),
        (r#"{"id":1,"method":"block","params":"1"}"#, -32_602),
        (r#"{"id":1,"method":"block","params":{"height":"x"}}"#, -32_602),
        (r#"{"id":1,"method":"block","params":{"height":5}}"#, -32_603),
        (r#"{"id":1,"method":"broadcast_tx_sync","params":{"tx":"!"}}"#, -32_602),
    ] {
        let (status, answer) = net.post("/", body.to_owned()).await;
        assert_eq!((status, answer["error"]["code"].as_i64()), (200, Some(code)), "{body}");
    }
    let many = json!(vec![json!({ "id": 1, "method": "health" }); 33]).to_string();
    assert_eq!(net.post("/", many).await.1["error"]["code"], -32_600);
    let (status, _) = net.post("/", "x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_batch_is_answered_together_and_a_notification_not_at_all() {
    let net = Net::new();
    let calls = json!([
        { "id": "a", "method": "health" },
        { "method": "health" },
        { "id": 2, "method": "nope" },
    ]);
    let (_, answers) = net.post("/", calls.to_string()).await;
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|a| &a["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!(2)]);
    let (status, _) = net.post("/", r#"{"method":"health"}"#.to_owned()).await;
    assert_eq!(status, 204);
}
