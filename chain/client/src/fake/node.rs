//! A node, and how it fails.

use super::ledger::{Ledger, mismatch, parts};
use super::shape;
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
use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use prost::Message as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a node misbehaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mood {
    /// It answers nothing but an error of HTTP.
    pub(crate) down: bool,
    /// It is so many blocks behind.
    pub(crate) behind: u64,
    /// It keeps so many blocks that it has not executed.
    pub(crate) unexecuted: u64,
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
    let mut height = node.ledger.heights();
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
        let executed = height - mood.unexecuted;
        let of = || params["height"].as_str().unwrap().parse::<u64>().unwrap();
        match method {
            "status" => Ok(shape::status(mood, height)),
            "abci_info" => Ok(json!({ "response": {
                "data": "fake", "version": "", "last_block_app_hash": "",
                "last_block_height": executed.to_string(),
            }})),
            "block" | "block_results" if of() > height => Err(format!(
                "height {} must be less than or equal to the current blockchain height {height}",
                of()
            )),
            "block" | "block_results" if of() < mood.earliest => {
                Err(format!("height {} is not available, lowest height is {}", of(), mood.earliest))
            }
            "block" => Ok(shape::block(of(), &self.ledger.block(of()))),
            "block_results" => Ok(shape::block_results(of(), self.ledger.block(of()).len())),
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
                let height = if code == 0 { executed } else { 0 };
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
        for (index, block) in self.ledger.blocks().iter().enumerate() {
            if let Some(tx) = block.iter().find(|tx| Sha256::digest(tx).as_slice() == wanted) {
                return Ok(json!({
                    "hash": hex::encode_upper(wanted), "height": (index + 1).to_string(),
                    "index": 0, "tx_result": shape::result(index as u64 + 1), "tx": BASE64.encode(tx),
                }));
            }
        }
        Err(format!("tx ({}) not found", hex::encode_upper(wanted)))
    }
}
