//! A block and its results as bytes in the file.

use crate::block::Sealed;
use prost::Message;
use proto::Digest;
use proto::vrf::VrfProof;
use tendermint_proto::v0_38::abci::{Event, ExecTxResult};
use tendermint_proto::v0_38::types::{Block, BlockId, Commit};

#[derive(Clone, PartialEq, Message)]
struct BlockRow {
    #[prost(message, optional, tag = "1")]
    block: Option<Block>,
    #[prost(message, optional, tag = "2")]
    id: Option<BlockId>,
    #[prost(message, optional, tag = "3")]
    commit: Option<Commit>,
    #[prost(bytes = "vec", tag = "4")]
    seed: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    vrf_proof: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct ResultsRow {
    #[prost(message, repeated, tag = "1")]
    txs: Vec<ExecTxResult>,
    #[prost(message, repeated, tag = "2")]
    events: Vec<Event>,
    #[prost(bytes = "vec", tag = "3")]
    app_hash: Vec<u8>,
}

/// The rows of `block` and of its results.
pub(super) fn write(block: &Sealed) -> (Vec<u8>, Vec<u8>) {
    let row = BlockRow {
        block: Some(block.to_proto()),
        id: Some(block.id.into()),
        commit: Some(block.commit.clone().into()),
        seed: block.seed.0.to_vec(),
        vrf_proof: block.vrf_proof.0.to_vec(),
    };
    let results = ResultsRow {
        txs: block.results.clone(),
        events: block.events.clone(),
        app_hash: block.app_hash.0.to_vec(),
    };
    (row.encode_to_vec(), results.encode_to_vec())
}

/// The block of two rows, or what is wrong with them.
pub(super) fn read(block: &[u8], results: &[u8]) -> Result<Sealed, String> {
    let row = BlockRow::decode(block).map_err(|bad| bad.to_string())?;
    let results = ResultsRow::decode(results).map_err(|bad| bad.to_string())?;
    let block = row.block.ok_or("it has no block")?;
    let last_commit = block.last_commit.map(TryInto::try_into).transpose().map_err(text)?;
    Ok(Sealed {
        header: block.header.ok_or("it has no header")?.try_into().map_err(text)?,
        txs: block.data.unwrap_or_default().txs,
        last_commit,
        id: row.id.ok_or("it has no id")?.try_into().map_err(text)?,
        commit: row.commit.ok_or("it has no commit")?.try_into().map_err(text)?,
        seed: Digest(row.seed.try_into().map_err(|_| "its seed is no hash")?),
        vrf_proof: VrfProof(row.vrf_proof.try_into().map_err(|_| "its VRF proof is none")?),
        results: results.txs,
        events: results.events,
        app_hash: Digest(results.app_hash.try_into().map_err(|_| "its app hash is no hash")?),
    })
}

fn text(error: tendermint::Error) -> String {
    error.to_string()
}
