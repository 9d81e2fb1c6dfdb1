//! Answers in CometBFT's shape.

use super::ledger::CHAIN_ID;
use super::node::Mood;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

pub(super) fn block(height: u64, txs: &[Vec<u8>]) -> Value {
    let txs: Vec<_> = txs.iter().map(|tx| BASE64.encode(tx)).collect();
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

pub(super) fn block_results(height: u64, txs: usize) -> Value {
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

pub(super) fn result(height: u64) -> Value {
    json!({
        "code": 0, "data": null, "log": "", "info": "", "gas_wanted": "130000",
        "gas_used": "100000", "codespace": "",
        "events": [{ "type": "did", "attributes": [
            { "key": "at", "value": height.to_string(), "index": true }] }],
    })
}

pub(super) fn status(mood: &Mood, height: u64) -> Value {
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
