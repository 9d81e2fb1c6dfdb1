//! JSON in CometBFT's shape: big numbers as text, hashes in upper-case hex, bytes in base64.

use crate::block::Sealed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tendermint::block::{Commit, CommitSig, Header, Id};
use tendermint::{Hash, validator};
use tendermint_proto::v0_38::abci::{Event, ExecTxResult};

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode_upper(bytes)
}

fn hash(hash: Option<Hash>) -> String {
    hash.map(|hash| hash.to_string()).unwrap_or_default()
}

pub(super) fn block_id(id: Option<&Id>) -> Value {
    match id {
        Some(id) => json!({
            "hash": id.hash.to_string(),
            "parts": {
                "total": id.part_set_header.total,
                "hash": id.part_set_header.hash.to_string(),
            },
        }),
        None => json!({ "hash": "", "parts": { "total": 0, "hash": "" } }),
    }
}

pub(super) fn header(header: &Header) -> Value {
    json!({
        "version": {
            "block": header.version.block.to_string(),
            "app": header.version.app.to_string(),
        },
        "chain_id": header.chain_id.as_str(),
        "height": header.height.to_string(),
        "time": header.time.to_rfc3339(),
        "last_block_id": block_id(header.last_block_id.as_ref()),
        "last_commit_hash": hash(header.last_commit_hash),
        "data_hash": hash(header.data_hash),
        "validators_hash": header.validators_hash.to_string(),
        "next_validators_hash": header.next_validators_hash.to_string(),
        "consensus_hash": header.consensus_hash.to_string(),
        "app_hash": hex(header.app_hash.as_bytes()),
        "last_results_hash": hash(header.last_results_hash),
        "evidence_hash": hash(header.evidence_hash),
        "proposer_address": header.proposer_address.to_string(),
    })
}

/// A commit; that before the first block is empty.
pub(super) fn commit(commit: Option<&Commit>) -> Value {
    match commit {
        Some(commit) => json!({
            "height": commit.height.to_string(),
            "round": commit.round.value(),
            "block_id": block_id(Some(&commit.block_id)),
            "signatures": commit.signatures.iter().map(commit_sig).collect::<Vec<_>>(),
        }),
        None => json!({
            "height": "0", "round": 0, "block_id": block_id(None), "signatures": [],
        }),
    }
}

fn commit_sig(sig: &CommitSig) -> Value {
    let one = |flag: u8, address: String, time: String, signature: Option<String>| {
        json!({
            "block_id_flag": flag,
            "validator_address": address,
            "timestamp": time,
            "signature": signature,
        })
    };
    match sig {
        CommitSig::BlockIdFlagAbsent => one(1, String::new(), "0001-01-01T00:00:00Z".into(), None),
        CommitSig::BlockIdFlagCommit { validator_address, timestamp, signature } => one(
            2,
            validator_address.to_string(),
            timestamp.to_rfc3339(),
            signature.as_ref().map(|signature| base64(signature.as_bytes())),
        ),
        CommitSig::BlockIdFlagNil { validator_address, timestamp, signature } => one(
            3,
            validator_address.to_string(),
            timestamp.to_rfc3339(),
            signature.as_ref().map(|signature| base64(signature.as_bytes())),
        ),
    }
}

pub(super) fn block(block: &Sealed) -> Value {
    json!({
        "header": header(&block.header),
        "data": { "txs": block.txs.iter().map(base64).collect::<Vec<_>>() },
        "evidence": { "evidence": [] },
        "last_commit": commit(block.last_commit.as_ref()),
    })
}

pub(super) fn block_with_id(sealed: &Sealed) -> Value {
    json!({ "block_id": block_id(Some(&sealed.id)), "block": block(sealed) })
}

pub(super) fn block_meta(block: &Sealed) -> Value {
    let size = prost::Message::encoded_len(&block.to_proto());
    json!({
        "block_id": block_id(Some(&block.id)),
        "block_size": size.to_string(),
        "header": header(&block.header),
        "num_txs": block.txs.len().to_string(),
    })
}

pub(super) fn events(events: &[Event]) -> Value {
    let event = |event: &Event| {
        let attributes: Vec<Value> = event
            .attributes
            .iter()
            .map(|attribute| {
                json!({
                    "key": attribute.key, "value": attribute.value, "index": attribute.index,
                })
            })
            .collect();
        json!({ "type": event.r#type, "attributes": attributes })
    };
    Value::Array(events.iter().map(event).collect())
}

pub(super) fn tx_result(result: &ExecTxResult) -> Value {
    let data = (!result.data.is_empty()).then(|| base64(&result.data));
    json!({
        "code": result.code,
        "data": data,
        "log": result.log,
        "info": result.info,
        "gas_wanted": result.gas_wanted.to_string(),
        "gas_used": result.gas_used.to_string(),
        "events": events(&result.events),
        "codespace": result.codespace,
    })
}

pub(super) fn validator(info: &validator::Info) -> Value {
    json!({
        "address": info.address.to_string(),
        "pub_key": public_key(info),
        "voting_power": info.power.value().to_string(),
    })
}

pub(super) fn public_key(info: &validator::Info) -> Value {
    json!({ "type": "tendermint/PubKeyEd25519", "value": base64(info.pub_key.to_bytes()) })
}
