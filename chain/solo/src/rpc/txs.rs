//! Transactions: offered, waiting, included.

use super::error::RpcError;
use super::params::Params;
use super::{Rpc, blocks, shape};
use crate::block::Sealed;
use crate::index::Place;
use crate::node::{Node, Offered};
use crate::store::Indexed;
use crate::tx::TxHash;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tendermint::merkle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Waiting transactions in one answer at most, as in CometBFT.
const UNCONFIRMED_MAX: u64 = 100;

pub(super) fn broadcast_sync(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    Ok(offered(&node.offer(&params.base64("tx")?)?))
}

/// Tells only whether there is room: what becomes of the transaction nobody waits for.
pub(super) fn broadcast_async(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let hash = node.offer(&params.base64("tx")?)?.hash;
    Ok(offered(&Offered { hash, ..Offered::default() }))
}

/// Answers when the transaction is in a block.
pub(super) async fn broadcast_commit(rpc: &Rpc, params: Params) -> Result<Value, RpcError> {
    let tx = params.base64("tx")?;
    // Subscribed first: the block may be made at once.
    let mut blocks = rpc.node.subscribe();
    let node = rpc.node.clone();
    let checked = tokio::task::spawn_blocking(move || node.offer(&tx)).await;
    let checked = checked
        .map_err(|_| RpcError::Internal("checking the transaction panicked".to_owned()))??;
    if checked.code != 0 {
        let nothing = shape::tx_result(&Default::default());
        return Ok(committed(&checked, &nothing, 0));
    }
    let wait = Duration::from_secs(rpc.node.config.commit_timeout_s);
    let found = tokio::select! {
        found = tokio::time::timeout(wait, included(&mut blocks, &checked.hash)) => found,
        () = rpc.stop.asked() => Ok(None),
    };
    match found {
        Ok(Some((block, index))) => {
            let result = shape::tx_result(&block.results[index]);
            Ok(committed(&checked, &result, block.header.height.value()))
        }
        _ => Err(RpcError::Internal("timed out waiting for tx to be included in a block".into())),
    }
}

async fn included(
    blocks: &mut broadcast::Receiver<Arc<Sealed>>,
    hash: &TxHash,
) -> Option<(Arc<Sealed>, usize)> {
    loop {
        let block = match blocks.recv().await {
            Ok(block) => block,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return None,
        };
        let place = block.txs.iter().position(|tx| Sha256::digest(tx).as_slice() == hash);
        if let Some(place) = place {
            return Some((block, place));
        }
    }
}

fn committed(checked: &Offered, result: &Value, height: u64) -> Value {
    json!({
        "check_tx": check_result(checked),
        "tx_result": result,
        "hash": shape::hex(checked.hash),
        "height": height.to_string(),
    })
}

/// Checks a transaction and takes nothing.
pub(super) fn check(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    Ok(check_result(&node.check(&params.base64("tx")?, false)?))
}

fn check_result(checked: &Offered) -> Value {
    json!({
        "code": checked.code,
        "data": null,
        "log": checked.log,
        "info": "",
        "gas_wanted": checked.gas_wanted.to_string(),
        "gas_used": checked.gas_used.to_string(),
        "events": [],
        "codespace": checked.codespace,
    })
}

fn offered(offered: &Offered) -> Value {
    json!({
        "code": offered.code,
        "data": "",
        "log": offered.log,
        "codespace": offered.codespace,
        "hash": shape::hex(offered.hash),
    })
}

pub(super) fn tx(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let hash = params.hash("hash")?;
    let missing = || RpcError::Internal(format!("tx ({}) not found", shape::hex(hash)));
    let place = node.store.place_of(&hash)?.ok_or_else(missing)?;
    found(node, place, params.flag("prove")?)
}

pub(super) fn search(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let (places, total) = blocks::search(node, params, Indexed::Txs)?;
    let prove = params.flag("prove")?;
    let txs: Result<Vec<Value>, RpcError> =
        places.into_iter().map(|place| found(node, place, prove)).collect();
    Ok(json!({ "txs": txs?, "total_count": total.to_string() }))
}

fn found(node: &Node, place: Place, prove: bool) -> Result<Value, RpcError> {
    let gone = || RpcError::Internal(format!("block {} is not available", place.height));
    let block = node.store.block(place.height)?.ok_or_else(gone)?;
    let index = usize::try_from(place.index).unwrap_or(usize::MAX);
    let (tx, result) = block.txs.get(index).zip(block.results.get(index)).ok_or_else(gone)?;
    let mut answer = json!({
        "hash": shape::hex(Sha256::digest(tx)),
        "height": place.height.to_string(),
        "index": place.index,
        "tx_result": shape::tx_result(result),
        "tx": shape::base64(tx),
    });
    if prove {
        answer["proof"] = proof(&block, index);
    }
    Ok(answer)
}

/// That a transaction is in the block whose header has this data hash.
fn proof(block: &Sealed, index: usize) -> Value {
    let leaves: Vec<[u8; 32]> = block.txs.iter().map(|tx| Sha256::digest(tx).into()).collect();
    let leaf: [u8; 32] =
        Sha256::new().chain_update([0]).chain_update(leaves[index]).finalize().into();
    let aunts: Vec<String> = aunts(&leaves, index).iter().map(shape::base64).collect();
    json!({
        "root_hash": block.header.data_hash.map(|hash| hash.to_string()),
        "data": shape::base64(&block.txs[index]),
        "proof": {
            "total": leaves.len().to_string(),
            "index": index.to_string(),
            "leaf_hash": shape::base64(leaf),
            "aunts": aunts,
        },
    })
}

/// The hashes beside the way from a leaf to the root (RFC 6962), from the leaf on.
fn aunts(leaves: &[[u8; 32]], index: usize) -> Vec<[u8; 32]> {
    type Sha = tendermint::crypto::default::Sha256;
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut way, beside) = if index < left.len() {
        (aunts(left, index), right)
    } else {
        (aunts(right, index - left.len()), left)
    };
    way.push(merkle::simple_hash_from_byte_vectors::<Sha>(beside));
    way
}

pub(super) fn unconfirmed(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let limit = params.number("limit")?.unwrap_or(30).min(UNCONFIRMED_MAX);
    let mempool = node.mempool();
    let (total, bytes) = mempool.size();
    let first = mempool.first(usize::try_from(limit).expect("it is at most the bound"));
    let txs: Vec<String> = first.iter().map(shape::base64).collect();
    Ok(json!({
        "n_txs": txs.len().to_string(),
        "total": total.to_string(),
        "total_bytes": bytes.to_string(),
        "txs": txs,
    }))
}

pub(super) fn num_unconfirmed(node: &Arc<Node>, _: &Params) -> Result<Value, RpcError> {
    let (total, bytes) = node.mempool().size();
    Ok(json!({
        "n_txs": total.to_string(),
        "total": total.to_string(),
        "total_bytes": bytes.to_string(),
        "txs": null,
    }))
}
