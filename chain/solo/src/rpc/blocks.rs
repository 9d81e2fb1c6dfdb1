//! Blocks: one, several, what they did, and searches for them.

use super::error::RpcError;
use super::params::Params;
use super::shape;
use crate::block::Sealed;
use crate::index::{self, Place};
use crate::node::Node;
use crate::store::Indexed;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Headers in one answer of `blockchain` at most, as in CometBFT.
const METAS_MAX: u64 = 20;

/// The height that a call names, or the last; one that is kept.
pub(super) fn height(node: &Node, params: &Params) -> Result<u64, RpcError> {
    let (first, last) = (node.store.earliest()?, node.tip().height);
    let asked = params.number("height")?.unwrap_or(0);
    let height = if asked == 0 { last } else { asked };
    let refused = |reason: String| Err(RpcError::Internal(reason));
    if height == 0 {
        refused("no block was made yet".to_owned())
    } else if height > last {
        refused(format!(
            "height {height} must be less than or equal to the current blockchain height {last}"
        ))
    } else if height < first {
        refused(format!("height {height} is not available, lowest height is {first}"))
    } else {
        Ok(height)
    }
}

fn named(node: &Node, params: &Params) -> Result<Sealed, RpcError> {
    at(node, height(node, params)?)
}

fn at(node: &Node, height: u64) -> Result<Sealed, RpcError> {
    let pruned = || RpcError::Internal(format!("height {height} is not available any more"));
    node.store.block(height)?.ok_or_else(pruned)
}

fn by_hash(node: &Node, params: &Params) -> Result<Option<Sealed>, RpcError> {
    let height = node.store.height_of(&params.hash("hash")?)?;
    height.map(|height| at(node, height)).transpose()
}

pub(super) fn block(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    Ok(shape::block_with_id(&named(node, params)?))
}

pub(super) fn block_by_hash(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    Ok(match by_hash(node, params)? {
        Some(block) => shape::block_with_id(&block),
        None => json!({ "block_id": shape::block_id(None), "block": null }),
    })
}

pub(super) fn header(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    Ok(json!({ "header": shape::header(&named(node, params)?.header) }))
}

pub(super) fn header_by_hash(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let header = by_hash(node, params)?.map(|block| shape::header(&block.header));
    Ok(json!({ "header": header }))
}

pub(super) fn commit(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let block = named(node, params)?;
    Ok(json!({
        "signed_header": {
            "header": shape::header(&block.header),
            "commit": shape::commit(Some(&block.commit)),
        },
        "canonical": true,
    }))
}

pub(super) fn block_results(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let block = named(node, params)?;
    let results: Vec<Value> = block.results.iter().map(shape::tx_result).collect();
    Ok(json!({
        "height": block.header.height.to_string(),
        "txs_results": (!results.is_empty()).then_some(results),
        "finalize_block_events": shape::events(&block.events),
        "validator_updates": null,
        "consensus_param_updates": null,
        "app_hash": shape::base64(block.app_hash.0),
    }))
}

/// The seed of a height and the proof that nobody chose it: the VRF's input is
/// `vrf_input(seed of the height before, height)` of `proto::seed`.
pub(super) fn seed(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let block = named(node, params)?;
    Ok(json!({
        "height": block.header.height.to_string(),
        "seed": block.seed,
        "vrf_proof": block.vrf_proof,
        "vrf_key": node.keys.vrf_public(),
    }))
}

pub(super) fn blockchain(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let (first, last) = (node.store.earliest()?, node.tip().height);
    let to = match params.number("maxHeight")?.unwrap_or(0) {
        0 => last,
        to => to.min(last),
    };
    let from = params.number("minHeight")?.unwrap_or(0).max(first);
    let from = from.max((to + 1).saturating_sub(METAS_MAX));
    if from > to {
        let reason = format!("min height {from} can't be greater than max height {to}");
        return Err(RpcError::Internal(reason));
    }
    let metas: Result<Vec<Value>, RpcError> =
        (from..=to).rev().map(|height| Ok(shape::block_meta(&at(node, height)?))).collect();
    Ok(json!({ "last_height": last.to_string(), "block_metas": metas? }))
}

pub(super) fn block_search(node: &Arc<Node>, params: &Params) -> Result<Value, RpcError> {
    let (found, total) = search(node, params, Indexed::Blocks)?;
    let blocks: Result<Vec<Value>, RpcError> =
        found.iter().map(|place| Ok(shape::block_with_id(&at(node, place.height)?))).collect();
    Ok(json!({ "blocks": blocks?, "total_count": total.to_string() }))
}

/// The page that a search asks for, and how many places were found in all.
pub(super) fn search(
    node: &Node,
    params: &Params,
    indexed: Indexed,
) -> Result<(Vec<Place>, usize), RpcError> {
    let text = params.text("query")?.unwrap_or_default();
    let (page, last_first) = (params.page()?, params.is_descending()?);
    let query = index::parse(&text)?;
    let found: BTreeSet<Place> = index::search(&node.store, indexed, &query, node.tip().height)?;
    let total = found.len();
    if page.skip > 0 && page.skip >= total {
        let reason = format!("the page begins at {} but {total} were found", page.skip);
        return Err(RpcError::Internal(reason));
    }
    let page: Vec<Place> = if last_first {
        found.into_iter().rev().skip(page.skip).take(page.take).collect()
    } else {
        found.into_iter().skip(page.skip).take(page.take).collect()
    };
    Ok((page, total))
}
