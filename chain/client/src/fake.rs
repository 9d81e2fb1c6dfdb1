//! Nodes that answer as CometBFT does, and fail as a test wants.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cosmrs::proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountResponse};
use cosmrs::proto::cosmos::base::abci::v1beta1::GasInfo;
use cosmrs::proto::cosmos::tx::v1beta1::{
    AuthInfo, SimulateRequest, SimulateResponse, TxBody, TxRaw,
};
use prost::Message as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const CHAIN_ID: &str = "fake-1";
/// The account's sequence before any transaction.
pub(crate) const SEQUENCE: u64 = 7;

type Tx = Vec<u8>;

/// One chain that several nodes serve. Its blocks come when a test says so.
#[derive(Clone)]
pub(crate) struct Ledger {
    inner: Arc<Mutex<Inner>>,
    height: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Inner {
    blocks: Vec<Vec<Tx>>,
    pending: Vec<Tx>,
    cache: Vec<Tx>,
    foreign: u64,
    refusal: Option<(u32, String)>,
}

impl Ledger {
    pub(crate) fn new(height: u64) -> Ledger {
        let inner = Inner { blocks: vec![Vec::new(); height as usize], ..Inner::default() };
        Ledger { inner: Arc::new(Mutex::new(inner)), height: Arc::new(watch::channel(height).0) }
    }

    /// Makes a block of what is pending.
    pub(crate) fn commit(&self) {
        let height = {
            let mut inner = self.inner.lock().unwrap();
            let height = inner.blocks.len() as u64 + 1;
            let pending = std::mem::take(&mut inner.pending);
            let in_time = |tx: &Tx| parts(tx).1.timeout_height >= height;
            inner.blocks.push(pending.into_iter().filter(in_time).collect());
            height
        };
        self.height.send_replace(height);
    }

    /// Forgets what is pending, as a node does that is killed.
    pub(crate) fn forget(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.pending.clear();
        inner.cache.clear();
    }

    /// Uses a sequence of the account elsewhere.
    pub(crate) fn use_sequence(&self) {
        self.inner.lock().unwrap().foreign += 1;
    }

    /// Refuses what is offered from here on.
    pub(crate) fn refuse(&self, code: u32, log: &str) {
        self.inner.lock().unwrap().refusal = Some((code, log.to_owned()));
    }

    /// Takes what is offered from here on.
    pub(crate) fn accept(&self) {
        self.inner.lock().unwrap().refusal = None;
    }

    /// All transactions in blocks.
    pub(crate) fn included(&self) -> Vec<Tx> {
        self.inner.lock().unwrap().blocks.concat()
    }

    pub(crate) fn pending(&self) -> usize {
        self.inner.lock().unwrap().pending.len()
    }

    fn height(&self) -> u64 {
        *self.height.borrow()
    }

    fn committed_sequence(&self) -> u64 {
        let inner = self.inner.lock().unwrap();
        SEQUENCE + inner.foreign + inner.blocks.concat().len() as u64
    }

    /// What CheckTx says: code, log.
    fn offer(&self, tx: Tx) -> Result<(u32, String), String> {
        let next = self.committed_sequence() + self.pending() as u64;
        let mut inner = self.inner.lock().unwrap();
        if let Some(refusal) = &inner.refusal {
            return Ok(refusal.clone());
        }
        if inner.cache.contains(&tx) {
            return Err("tx already exists in cache".to_owned());
        }
        let is = parts(&tx).0.signer_infos[0].sequence;
        if is != next {
            return Ok((32, mismatch(next, is)));
        }
        inner.cache.push(tx.clone());
        inner.pending.push(tx);
        Ok((0, String::new()))
    }
}

fn mismatch(expected: u64, is: u64) -> String {
    format!("account sequence mismatch, expected {expected}, got {is}: incorrect account sequence")
}

/// What a transaction says.
pub(crate) fn parts(tx: &[u8]) -> (AuthInfo, TxBody) {
    let raw = TxRaw::decode(tx).unwrap();
    let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    (auth, TxBody::decode(raw.body_bytes.as_slice()).unwrap())
}

/// How a node misbehaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mood {
    /// It answers nothing but an error of HTTP.
    pub(crate) down: bool,
    /// It is so many blocks behind.
    pub(crate) behind: u64,
    /// It takes the next so many transactions, and the answer gets lost.
    pub(crate) lose_answers: u32,
    /// It finds no transactions.
    pub(crate) index_off: bool,
    /// Its first blocks are gone.
    pub(crate) earliest: u64,
    /// It is of this chain.
    pub(crate) chain_id: Option<String>,
}

/// A node. It stops when it is dropped.
pub(crate) struct FakeNode {
    pub(crate) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    ledger: Ledger,
    mood: Mutex<Mood>,
    calls: Mutex<Vec<String>>,
    sockets: watch::Sender<u32>,
}

impl FakeNode {
    pub(crate) async fn start(ledger: &Ledger) -> FakeNode {
        let shared = Arc::new(Shared {
            ledger: ledger.clone(),
            mood: Mutex::default(),
            calls: Mutex::default(),
            sockets: watch::channel(0).0,
        });
        let router = Router::new()
            .route("/", post(rpc))
            .route("/websocket", get(websocket))
            .with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeNode { url, shared, server }
    }

    pub(crate) fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.shared.mood.lock().unwrap());
    }

    /// Cuts all WebSockets.
    pub(crate) fn cut_sockets(&self) {
        self.shared.sockets.send_modify(|generation| *generation += 1);
    }

    /// Resolves when somebody listens to blocks.
    pub(crate) async fn listened_to(&self) {
        let mut sockets = self.shared.sockets.subscribe();
        while self.shared.sockets.receiver_count() < 2 {
            tokio::select! {
                _ = sockets.changed() => {}
                () = tokio::task::yield_now() => {}
            }
        }
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, method: &str) -> usize {
        self.shared.calls.lock().unwrap().iter().filter(|call| *call == method).count()
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn rpc(State(node): State<Arc<Shared>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let method = request["method"].as_str().unwrap();
    let mood = node.mood.lock().unwrap().clone();
    node.calls.lock().unwrap().push(method.to_owned());
    if mood.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"] });
    match node.answer(method, &request["params"], &mood) {
        Ok(result) => answer["result"] = result,
        Err(data) => {
            answer["error"] = json!({ "code": -32603, "message": "Internal error", "data": data });
        }
    }
    if method == "broadcast_tx_sync" && mood.lose_answers > 0 {
        node.mood.lock().unwrap().lose_answers -= 1;
        return StatusCode::BAD_GATEWAY.into_response();
    }
    axum::Json(answer).into_response()
}

async fn websocket(State(node): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    let cut = node.sockets.subscribe();
    upgrade.on_upgrade(move |socket| events(node, socket, cut))
}

async fn events(node: Arc<Shared>, mut socket: WebSocket, mut cut: watch::Receiver<u32>) {
    let mut height = node.ledger.height.subscribe();
    let Some(Ok(subscribe)) = socket.recv().await else { return };
    assert!(subscribe.to_text().unwrap().contains("tm.event='NewBlock'"));
    loop {
        tokio::select! {
            _ = cut.changed() => return,
            _ = height.changed() => {
                let sent = socket.send(Message::text(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
                if sent.await.is_err() { return }
            }
        }
    }
}

impl Shared {
    fn answer(&self, method: &str, params: &Value, mood: &Mood) -> Result<Value, String> {
        let height = self.ledger.height() - mood.behind;
        let of = || params["height"].as_str().unwrap().parse::<u64>().unwrap();
        match method {
            "status" => Ok(status(mood, height)),
            "block" | "block_results" if of() > height => Err(format!(
                "height {} must be less than or equal to the current blockchain height {height}",
                of()
            )),
            "block" | "block_results" if of() < mood.earliest => {
                Err(format!("height {} is not available, lowest height is {}", of(), mood.earliest))
            }
            "block" => Ok(self.block(of())),
            "block_results" => Ok(self.block_results(of())),
            "broadcast_tx_sync" => {
                let tx = BASE64.decode(params["tx"].as_str().unwrap()).unwrap();
                let hash = hex::encode_upper(Sha256::digest(&tx));
                let (code, log) = self.ledger.offer(tx)?;
                let codespace = if code == 0 { "" } else { "sdk" };
                Ok(
                    json!({ "code": code, "codespace": codespace, "log": log, "data": "", "hash": hash }),
                )
            }
            "tx" if mood.index_off => Err("tx (AB) not found".to_owned()),
            "tx" => self.tx(params),
            "abci_query" => {
                let data = hex::decode(params["data"].as_str().unwrap()).unwrap();
                let (code, log, value) = self.abci(params["path"].as_str().unwrap(), &data);
                // As the SDK does, errors do not say their height.
                let height = if code == 0 { height } else { 0 };
                Ok(json!({ "response": {
                    "code": code, "log": log, "info": "", "index": "0", "key": null,
                    "value": BASE64.encode(value), "proofOps": null,
                    "height": height.to_string(), "codespace": "sdk",
                }}))
            }
            other => Err(format!("no method {other}")),
        }
    }

    fn abci(&self, path: &str, data: &[u8]) -> (u32, String, Vec<u8>) {
        let sequence = self.ledger.committed_sequence();
        match path {
            "/cosmos.auth.v1beta1.Query/Account" => {
                let account = BaseAccount { account_number: 3, sequence, ..BaseAccount::default() };
                let account = cosmrs::Any {
                    type_url: "/cosmos.auth.v1beta1.BaseAccount".to_owned(),
                    value: account.encode_to_vec(),
                };
                let answer = QueryAccountResponse { account: Some(account) };
                (0, String::new(), answer.encode_to_vec())
            }
            "/cosmos.tx.v1beta1.Service/Simulate" => {
                let tx = SimulateRequest::decode(data).unwrap().tx_bytes;
                let is = parts(&tx).0.signer_infos[0].sequence;
                let next = sequence + self.ledger.pending() as u64;
                if is != next {
                    return (18, mismatch(next, is), Vec::new());
                }
                let gas_info = Some(GasInfo { gas_wanted: 0, gas_used: 100_000 });
                let answer = SimulateResponse { gas_info, result: None };
                (0, String::new(), answer.encode_to_vec())
            }
            _ => (22, "there is no such record".to_owned(), Vec::new()),
        }
    }

    fn tx(&self, params: &Value) -> Result<Value, String> {
        let wanted = BASE64.decode(params["hash"].as_str().unwrap()).unwrap();
        let inner = self.ledger.inner.lock().unwrap();
        for (index, block) in inner.blocks.iter().enumerate() {
            if let Some(tx) = block.iter().find(|tx| Sha256::digest(tx).as_slice() == wanted) {
                return Ok(json!({
                    "hash": hex::encode_upper(wanted), "height": (index + 1).to_string(),
                    "index": 0, "tx_result": result(index as u64 + 1), "tx": BASE64.encode(tx),
                }));
            }
        }
        Err(format!("tx ({}) not found", hex::encode_upper(wanted)))
    }

    fn block(&self, height: u64) -> Value {
        let inner = self.ledger.inner.lock().unwrap();
        let txs: Vec<_> =
            inner.blocks[height as usize - 1].iter().map(|tx| BASE64.encode(tx)).collect();
        let (hash, id) = ("AB".repeat(32), "CD".repeat(20));
        let block_id = json!({ "hash": hash, "parts": { "total": 1, "hash": hash } });
        let absent = json!({ "block_id_flag": 1, "validator_address": "",
            "timestamp": "0001-01-01T00:00:00Z", "signature": null });
        // The first block has none before it.
        let (last_id, signatures) = match height {
            1 => (json!({ "hash": "", "parts": { "total": 0, "hash": "" } }), json!([])),
            _ => (block_id.clone(), json!([absent])),
        };
        json!({ "block_id": block_id, "block": {
            "header": {
                "version": { "block": "11", "app": "0" }, "chain_id": CHAIN_ID,
                "height": height.to_string(), "time": time(height), "last_block_id": last_id,
                "last_commit_hash": hash, "data_hash": hash, "validators_hash": hash,
                "next_validators_hash": hash, "consensus_hash": hash, "app_hash": hash,
                "last_results_hash": hash, "evidence_hash": hash, "proposer_address": id,
            },
            "data": { "txs": txs }, "evidence": { "evidence": [] },
            "last_commit": {
                "height": (height - 1).to_string(), "round": 0, "block_id": last_id,
                "signatures": signatures,
            },
        }})
    }

    fn block_results(&self, height: u64) -> Value {
        let txs = self.ledger.inner.lock().unwrap().blocks[height as usize - 1].len();
        let event = |kind: &str, mode: &str| {
            json!({ "type": kind, "attributes": [
                { "key": "at", "value": height.to_string(), "index": true },
                { "key": "mode", "value": mode, "index": true },
            ]})
        };
        json!({
            "height": height.to_string(), "txs_results": vec![result(height); txs],
            "finalize_block_events": [event("end", "EndBlock"), event("begin", "BeginBlock")],
            "validator_updates": [], "consensus_param_updates": null, "app_hash": "",
        })
    }
}

fn result(height: u64) -> Value {
    json!({
        "code": 0, "data": null, "log": "", "info": "", "gas_wanted": "130000",
        "gas_used": "100000", "codespace": "",
        "events": [{ "type": "did", "attributes": [
            { "key": "at", "value": height.to_string(), "index": true }] }],
    })
}

fn status(mood: &Mood, height: u64) -> Value {
    let (hash, id) = ("AB".repeat(32), "CD".repeat(20));
    let network = mood.chain_id.as_deref().unwrap_or(CHAIN_ID);
    json!({
        "node_info": {
            "protocol_version": { "p2p": "8", "block": "11", "app": "0" }, "id": id.to_lowercase(),
            "listen_addr": "tcp://0.0.0.0:26656", "network": network, "version": "0.38.0",
            "channels": "40202122233038606100", "moniker": "fake",
            "other": { "tx_index": "on", "rpc_address": "tcp://0.0.0.0:26657" },
        },
        "sync_info": {
            "latest_block_hash": hash, "latest_app_hash": hash,
            "latest_block_height": height.to_string(), "latest_block_time": time(height),
            "earliest_block_hash": hash, "earliest_app_hash": hash,
            "earliest_block_height": mood.earliest.max(1).to_string(),
            "earliest_block_time": time(1), "catching_up": false,
        },
        "validator_info": {
            "address": id, "voting_power": "10",
            "pub_key": { "type": "tendermint/PubKeyEd25519", "value": BASE64.encode([7; 32]) },
        },
    })
}

fn time(height: u64) -> String {
    format!("2026-01-01T00:{:02}:{:02}.250Z", height / 60 % 60, height % 60)
}
