//! What the node is, what it began with, and what it knows.

use super::error::RpcError;
use super::methods::COMETBFT_VERSION;
use super::params::Params;
use super::shape;
use crate::ante::BLOCK_GAS_MAX;
use crate::block::{BLOCK_BYTES_MAX, BLOCK_PROTOCOL, to_tendermint};
use crate::node::Node;
use crate::query;
use proto::names::PROTOCOL_VERSION;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn health(_: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    Ok(json!({}))
}

pub(super) fn status(node: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    let info = node.keys.info();
    Ok(json!({
        "node_info": node_info(node),
        "sync_info": sync_info(node)?,
        "validator_info": shape::validator(&info),
    }))
}

fn node_info(node: &Node) -> Value {
    json!({
        "protocol_version": {
            "p2p": "8",
            "block": BLOCK_PROTOCOL.to_string(),
            "app": PROTOCOL_VERSION.to_string(),
        },
        "id": hex::encode(node.keys.address().as_bytes()),
        "listen_addr": "tcp://127.0.0.1:0",
        "network": node.genesis.chain_id,
        "version": COMETBFT_VERSION,
        "channels": "",
        "moniker": "solo",
        "other": { "tx_index": "on", "rpc_address": format!("tcp://{}", node.config.listen) },
    })
}

fn sync_info(node: &Node) -> Result<Value, RpcError> {
    let tip = node.tip();
    let (last_hash, last_app) = match &tip.last {
        Some(last) => (last.id.hash.to_string(), shape::hex(last.app_hash.as_bytes())),
        None => Default::default(),
    };
    let (first_hash, first_app, first, first_time) =
        match node.store.block(node.store.earliest()?)? {
            Some(first) => (
                first.id.hash.to_string(),
                shape::hex(first.header.app_hash.as_bytes()),
                first.header.height.value(),
                first.header.time,
            ),
            None => (String::new(), String::new(), 0, to_tendermint(node.genesis.genesis_time)),
        };
    Ok(json!({
        "latest_block_hash": last_hash,
        "latest_app_hash": last_app,
        "latest_block_height": tip.height.to_string(),
        "latest_block_time": to_tendermint(tip.time).to_rfc3339(),
        "earliest_block_hash": first_hash,
        "earliest_app_hash": first_app,
        "earliest_block_height": first.to_string(),
        "earliest_block_time": first_time.to_rfc3339(),
        "catching_up": false,
    }))
}

pub(super) fn net_info(_: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    Ok(json!({ "listening": false, "listeners": [], "n_peers": "0", "peers": [] }))
}

pub(super) fn abci_info(node: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    let tip = node.tip();
    Ok(json!({ "response": {
        "data": "lode",
        "version": env!("CARGO_PKG_VERSION"),
        "app_version": PROTOCOL_VERSION.to_string(),
        "last_block_height": tip.height.to_string(),
        "last_block_app_hash": shape::base64(tip.app_hash.0),
    }}))
}

pub(super) fn abci_query(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let path = params.text("path")?.unwrap_or_default();
    let data = params.hex("data")?.unwrap_or_default();
    let height = params.number("height")?.unwrap_or(0);
    // Whoever asks for a proof cannot be satisfied with less; many clients ask for none anyway.
    if params.flag("prove")? {
        let reason = "this engine's state is no tree and has no proofs: ask without one";
        return Err(RpcError::Internal(reason.to_owned()));
    }
    let answer = query::answer(node, &path, &data, height);
    let value = (!answer.value.is_empty()).then(|| shape::base64(&answer.value));
    Ok(json!({ "response": {
        "code": answer.code,
        "log": answer.log,
        "info": "",
        "index": "0",
        "key": null,
        "value": value,
        "proofOps": null,
        "height": answer.height.to_string(),
        "codespace": answer.codespace,
    }}))
}

pub(super) fn genesis(node: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    let info = node.keys.info();
    let balances = serde_json::to_value(&node.genesis.balances);
    let market = serde_json::to_value(&node.genesis.market);
    let plain = |value: Result<Value, serde_json::Error>| value.expect("it is plain data");
    Ok(json!({ "genesis": {
        "genesis_time": to_tendermint(node.genesis.genesis_time).to_rfc3339(),
        "chain_id": node.genesis.chain_id,
        "initial_height": "1",
        "consensus_params": consensus(),
        "validators": [{
            "address": info.address.to_string(),
            "pub_key": shape::public_key(&info),
            "power": info.power.value().to_string(),
            "name": "solo",
        }],
        "app_hash": "",
        "app_state": { "balances": plain(balances), "market": plain(market) },
    }}))
}

pub(super) fn validators(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let height = super::blocks::height(node, params)?;
    let page = params.page()?;
    let all = [shape::validator(&node.keys.info())];
    let validators: Vec<Value> = all.into_iter().skip(page.skip).take(page.take).collect();
    Ok(json!({
        "block_height": height.to_string(),
        "count": validators.len().to_string(),
        "validators": validators,
        "total": "1",
    }))
}

pub(super) fn consensus_params(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let height = super::blocks::height(node, params)?;
    Ok(json!({ "block_height": height.to_string(), "consensus_params": consensus() }))
}

fn consensus() -> Value {
    json!({
        "block": {
            "max_bytes": BLOCK_BYTES_MAX.to_string(),
            "max_gas": BLOCK_GAS_MAX.to_string(),
        },
        "evidence": {
            "max_age_num_blocks": "100000",
            "max_age_duration": "172800000000000",
            "max_bytes": "0",
        },
        "validator": { "pub_key_types": ["ed25519"] },
        "version": { "app": PROTOCOL_VERSION.to_string() },
        "abci": { "vote_extensions_enable_height": "0" },
    })
}
