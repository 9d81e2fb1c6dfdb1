//! One chain in a temporary folder, whose blocks are made when a test says so.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::base::v1beta1::Coin as WireCoin;
use cosmrs::proto::cosmos::crypto::secp256k1::PubKey;
use cosmrs::proto::cosmos::tx::v1beta1::{
    AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info,
};
use daemon::Stop;
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::{Signature, SigningKey};
use prost::Message as _;
use proto::message::{self, Message};
use proto::params::Params;
use proto::{Address, Amount, Coin, Time};
use serde_json::{Value, json};
use solo::{Balance, Config, Genesis, GenesisValidator, Sealed, Solo, ValidatorKeys};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const CHAIN_ID: &str = "lode-test";

/// What every account begins with.
pub(crate) const WEALTH: u128 = 1_000_000_000_000;

/// The account that signed what is in `cosmjs.txt`; its number is 0.
pub(crate) const COSMJS: &str = "lode19rl4cm2hmr8afy4kldpxz3fka4jguq0asu32g9";

/// The first block's time.
const BEGAN: u64 = 1_800_000_000_000;

/// A chain, and where it is.
pub(crate) struct Net {
    pub(crate) home: Arc<TempDir>,
    pub(crate) solo: Solo,
    now: u64,
}

/// An account's secret. Number 1 has the account number 1, and so on to 6.
#[derive(Clone)]
pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn n(n: u8) -> Key {
        Key(SigningKey::from_slice(&[n; 32]).unwrap())
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.0.verifying_key().to_encoded_point(true).as_bytes().to_vec()
    }

    pub(crate) fn address(&self) -> Address {
        Address::of_secp256k1(&self.public())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Signature {
        let signature: Signature = self.0.sign(bytes);
        signature.normalize_s().unwrap_or(signature)
    }
}

/// Puts a genesis and the keys of its validator into `home`.
pub(crate) fn begin(home: &Path) {
    let keys = ValidatorKeys::from_bytes(&[1; 32], &[2; 32]);
    std::fs::write(
        home.join(solo::KEYS_FILE),
        json!({ "format": 1, "signing": "01".repeat(32), "vrf": "02".repeat(32) }).to_string(),
    )
    .unwrap();
    let coins = vec![Coin::stake(Amount(WEALTH))];
    let addresses = std::iter::once(Address::parse(COSMJS).unwrap())
        .chain((1..=6).map(|n| Key::n(n).address()));
    let authority = Key::n(6).address();
    let genesis = Genesis {
        chain_id: CHAIN_ID.to_owned(),
        genesis_time: Time(BEGAN),
        balances: addresses.map(|address| Balance { address, coins: coins.clone() }).collect(),
        validators: vec![GenesisValidator { operator: authority, power: 10, keys: keys.public() }],
        market: message::Genesis {
            authority,
            params: Params::dev(),
            services: Vec::new(),
            suppliers: Vec::new(),
            gateways: Vec::new(),
            escrow: Vec::new(),
            delegations: Vec::new(),
            audits: message::AuditGenesis::default(),
        },
    };
    solo::init(home, &genesis).unwrap();
}

impl Net {
    pub(crate) fn new() -> Net {
        Net::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Net {
        let home = Arc::new(tempfile::tempdir().unwrap());
        begin(home.path());
        Net { solo: Solo::open(home.path(), config).unwrap(), home, now: BEGAN }
    }

    /// The same chain, opened again.
    pub(crate) fn reopen(self, config: Config) -> Net {
        let Net { home, solo, now } = self;
        drop(solo);
        Net { solo: Solo::open(home.path(), config).unwrap(), home, now }
    }

    /// Makes a block, a second after the last.
    pub(crate) fn block(&mut self) -> Arc<Sealed> {
        self.now += 1_000;
        self.solo.make_block(Time(self.now)).unwrap()
    }

    /// The whole answer to a JSON-RPC call.
    pub(crate) async fn answer(&self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.post("/", call.to_string()).await.1
    }

    /// The result of a JSON-RPC call that has one.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    pub(crate) async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let router = solo::router(&self.solo, Stop::new());
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// What the node says of a transaction: `0`, or the code, its codespace and the words.
    pub(crate) async fn broadcast(&self, tx: &[u8]) -> String {
        let answer = self.answer("broadcast_tx_sync", json!({ "tx": STANDARD.encode(tx) })).await;
        if let Some(error) = answer.get("error") {
            return error["data"].as_str().unwrap().to_owned();
        }
        let result = &answer["result"];
        match result["code"].as_u64().unwrap() {
            0 => "0".to_owned(),
            code => format!(
                "{code} {}: {}",
                result["codespace"].as_str().unwrap(),
                result["log"].as_str().unwrap()
            ),
        }
    }

    /// Takes a transaction and makes a block with it: its place there.
    pub(crate) async fn include(&mut self, tx: &Draft) -> (Arc<Sealed>, usize) {
        let bytes = tx.sign();
        assert_eq!(self.broadcast(&bytes).await, "0");
        let block = self.block();
        let index = block.txs.iter().position(|included| *included == bytes).unwrap();
        (block, index)
    }

    pub(crate) async fn balance(&self, address: &Address) -> u128 {
        use cosmrs::proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
        let request =
            QueryBalanceRequest { address: address.to_string(), denom: "ulode".to_owned() };
        let response = self.query("/cosmos.bank.v1beta1.Query/Balance", &request).await;
        let response = QueryBalanceResponse::decode(response.unwrap().as_slice()).unwrap();
        response.balance.unwrap().amount.parse().unwrap()
    }

    /// The answer to a question over ABCI, or its code and log.
    pub(crate) async fn query(
        &self,
        path: &str,
        request: &impl prost::Message,
    ) -> Result<Vec<u8>, String> {
        self.query_at(path, &request.encode_to_vec(), 0).await
    }

    pub(crate) async fn query_at(
        &self,
        path: &str,
        data: &[u8],
        height: u64,
    ) -> Result<Vec<u8>, String> {
        let params =
            json!({ "path": path, "data": hex::encode(data), "height": height.to_string() });
        let response = self.call("abci_query", params).await["response"].take();
        match response["code"].as_u64().unwrap() {
            0 => Ok(STANDARD.decode(response["value"].as_str().unwrap_or_default()).unwrap()),
            code => Err(format!(
                "{code} {}: {}",
                response["codespace"].as_str().unwrap(),
                response["log"].as_str().unwrap()
            )),
        }
    }
}

/// A transaction to be signed, right in all its parts until a test changes one.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) messages: Vec<Any>,
    pub(crate) memo: String,
    pub(crate) timeout: u64,
    pub(crate) fee: Vec<WireCoin>,
    pub(crate) gas: u64,
    pub(crate) payer: String,
    pub(crate) granter: String,
    pub(crate) chain_id: String,
    pub(crate) mode: i32,
    /// Key, account number and sequence of each.
    pub(crate) signers: Vec<(Key, u64, u64)>,
}

pub(crate) fn coin(amount: u128, denom: &str) -> WireCoin {
    WireCoin { denom: denom.to_owned(), amount: amount.to_string() }
}

pub(crate) fn send(from: &Address, to: &Address, amount: Vec<WireCoin>) -> Any {
    let (from_address, to_address) = (from.to_string(), to.to_string());
    Any {
        type_url: "/cosmos.bank.v1beta1.MsgSend".to_owned(),
        value: MsgSend { from_address, to_address, amount }.encode_to_vec(),
    }
}

pub(crate) fn market(message: impl Into<Message>) -> Any {
    let message = message.into();
    Any { type_url: message.type_url().to_owned(), value: message.to_value() }
}

impl Draft {
    /// A payment by account `n`, which has sent `sequence` transactions before.
    pub(crate) fn pay(n: u8, sequence: u64, to: &Address, amount: u128) -> Draft {
        let message = send(&Key::n(n).address(), to, vec![coin(amount, "ulode")]);
        Draft::of(n, sequence, message)
    }

    /// A message of account `n`.
    pub(crate) fn of(n: u8, sequence: u64, message: Any) -> Draft {
        Draft {
            messages: vec![message],
            memo: String::new(),
            timeout: 0,
            fee: vec![coin(300, "ulode")],
            gas: 300_000,
            payer: String::new(),
            granter: String::new(),
            chain_id: CHAIN_ID.to_owned(),
            mode: 1,
            signers: vec![(Key::n(n), u64::from(n), sequence)],
        }
    }

    pub(crate) fn body(&self) -> TxBody {
        TxBody {
            messages: self.messages.clone(),
            memo: self.memo.clone(),
            timeout_height: self.timeout,
            ..TxBody::default()
        }
    }

    pub(crate) fn auth_info(&self) -> AuthInfo {
        let info = |(key, _, sequence): &(Key, u64, u64)| SignerInfo {
            public_key: Some(Any {
                type_url: "/cosmos.crypto.secp256k1.PubKey".to_owned(),
                value: PubKey { key: key.public() }.encode_to_vec(),
            }),
            mode_info: Some(ModeInfo {
                sum: Some(mode_info::Sum::Single(mode_info::Single { mode: self.mode })),
            }),
            sequence: *sequence,
        };
        AuthInfo {
            signer_infos: self.signers.iter().map(info).collect(),
            fee: Some(Fee {
                amount: self.fee.clone(),
                gas_limit: self.gas,
                payer: self.payer.clone(),
                granter: self.granter.clone(),
            }),
            ..AuthInfo::default()
        }
    }

    pub(crate) fn sign(&self) -> Vec<u8> {
        self.sign_as(self.body(), self.auth_info())
    }

    pub(crate) fn sign_as(&self, body: TxBody, auth_info: AuthInfo) -> Vec<u8> {
        self.sign_bytes(body.encode_to_vec(), auth_info.encode_to_vec())
    }

    pub(crate) fn sign_bytes(&self, body_bytes: Vec<u8>, auth_info_bytes: Vec<u8>) -> Vec<u8> {
        let signature = |(key, account_number, _): &(Key, u64, u64)| {
            let document = SignDoc {
                body_bytes: body_bytes.clone(),
                auth_info_bytes: auth_info_bytes.clone(),
                chain_id: self.chain_id.clone(),
                account_number: *account_number,
            };
            key.sign(&document.encode_to_vec()).to_vec()
        };
        let signatures = self.signers.iter().map(signature).collect();
        TxRaw { body_bytes, auth_info_bytes, signatures }.encode_to_vec()
    }
}
