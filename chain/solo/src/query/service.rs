//! Questions about transactions and the node.

use super::{NoAnswer, read};
use crate::block::BLOCK_PROTOCOL;
use crate::node::Node;
use crate::rpc::COMETBFT_VERSION;
use crate::tx::TxHash;
use cosmrs::Any;
use cosmrs::proto::cosmos::base::abci::v1beta1::{
    GasInfo, Result as TxResult, TxMsgData, TxResponse,
};
use cosmrs::proto::cosmos::base::tendermint::v1beta1::{
    GetLatestBlockResponse, GetNodeInfoResponse, VersionInfo,
};
use cosmrs::proto::cosmos::tx::v1beta1::{
    GetTxRequest, GetTxResponse, SimulateRequest, SimulateResponse, Tx as WireTx, TxBody, TxRaw,
};
use prost::Message as _;
use tendermint_proto::v0_38::p2p;

/// The answer of the transaction's and the node's services; `None` for a method that is not there.
pub(super) fn answer(
    node: &Node,
    service: &str,
    method: &str,
    data: &[u8],
) -> Result<Option<Vec<u8>>, NoAnswer> {
    Ok(Some(match (service, method) {
        ("cosmos.tx.v1beta1.Service", "Simulate") => simulate(node, read(data)?)?.encode_to_vec(),
        ("cosmos.tx.v1beta1.Service", "GetTx") => {
            let request: GetTxRequest = read(data)?;
            get_tx(node, &request.hash)?.encode_to_vec()
        }
        (_, "GetNodeInfo") => node_info(node).encode_to_vec(),
        (_, "GetLatestBlock") => latest_block(node)?.encode_to_vec(),
        _ => return Ok(None),
    }))
}

fn simulate(node: &Node, request: SimulateRequest) -> Result<SimulateResponse, NoAnswer> {
    #[allow(deprecated, reason = "old clients still fill it in")]
    let bytes = match request.tx {
        Some(tx) if request.tx_bytes.is_empty() => raw(tx).encode_to_vec(),
        _ => request.tx_bytes,
    };
    let done = node.simulate(&bytes).map_err(|refused| NoAnswer::Refused {
        codespace: refused.codespace(),
        code: refused.code(),
        log: refused.to_string(),
    })?;
    let gas_used = u64::try_from(done.gas_used).unwrap_or(0);
    let responses = TxMsgData::decode(done.data.clone()).unwrap_or_default().msg_responses;
    Ok(SimulateResponse {
        gas_info: Some(GasInfo { gas_wanted: crate::ante::BLOCK_GAS_MAX, gas_used }),
        result: Some(TxResult {
            events: done.events,
            msg_responses: responses,
            ..TxResult::default()
        }),
    })
}

fn raw(tx: WireTx) -> TxRaw {
    TxRaw {
        body_bytes: tx.body.unwrap_or_default().encode_to_vec(),
        auth_info_bytes: tx.auth_info.unwrap_or_default().encode_to_vec(),
        signatures: tx.signatures,
    }
}

fn get_tx(node: &Node, text: &str) -> Result<GetTxResponse, NoAnswer> {
    let missing = || NoAnswer::NotFound(format!("tx not found: {text}"));
    let unreadable = |bad: crate::store::StoreError| NoAnswer::Unreadable(bad.to_string());
    let hash: TxHash = hex::decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| NoAnswer::Invalid(format!("{text:?} is no hash of a transaction")))?;
    let place = node.store.place_of(&hash).map_err(unreadable)?.ok_or_else(missing)?;
    let block = node.store.block(place.height).map_err(unreadable)?.ok_or_else(missing)?;
    let index = usize::try_from(place.index).unwrap_or(usize::MAX);
    let (bytes, result) = block.txs.get(index).zip(block.results.get(index)).ok_or_else(missing)?;
    let tx = TxRaw::decode(bytes.as_slice()).ok().map(|raw| WireTx {
        body: TxBody::decode(raw.body_bytes.as_slice()).ok(),
        auth_info: prost::Message::decode(raw.auth_info_bytes.as_slice()).ok(),
        signatures: raw.signatures,
    });
    let type_url = "/cosmos.tx.v1beta1.Tx".to_owned();
    let response = TxResponse {
        height: i64::try_from(place.height).unwrap_or(i64::MAX),
        txhash: hex::encode_upper(hash),
        codespace: result.codespace.clone(),
        code: result.code,
        data: hex::encode_upper(&result.data),
        raw_log: result.log.clone(),
        gas_wanted: result.gas_wanted,
        gas_used: result.gas_used,
        tx: tx.as_ref().map(|tx| Any { type_url, value: tx.encode_to_vec() }),
        timestamp: block.header.time.to_rfc3339(),
        events: result.events.clone(),
        ..TxResponse::default()
    };
    Ok(GetTxResponse { tx, tx_response: Some(response) })
}

fn node_info(node: &Node) -> GetNodeInfoResponse {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    GetNodeInfoResponse {
        default_node_info: Some(p2p::DefaultNodeInfo {
            protocol_version: Some(p2p::ProtocolVersion {
                p2p: 8,
                block: BLOCK_PROTOCOL,
                app: u64::from(proto::names::PROTOCOL_VERSION),
            }),
            network: node.genesis.chain_id.clone(),
            version: COMETBFT_VERSION.to_owned(),
            moniker: "solo".to_owned(),
            ..p2p::DefaultNodeInfo::default()
        }),
        application_version: Some(VersionInfo {
            name: "lode".to_owned(),
            app_name: "solo".to_owned(),
            version,
            ..VersionInfo::default()
        }),
    }
}

fn latest_block(node: &Node) -> Result<GetLatestBlockResponse, NoAnswer> {
    let height = node.tip().height;
    let block = node.store.block(height).map_err(|bad| NoAnswer::Unreadable(bad.to_string()))?;
    let block = block.ok_or_else(|| NoAnswer::NotFound("no block was made yet".to_owned()))?;
    Ok(GetLatestBlockResponse {
        block_id: Some(block.id.into()),
        block: Some(block.to_proto()),
        sdk_block: None,
    })
}
