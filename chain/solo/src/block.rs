//! A block in CometBFT's shape: its header, hashes and the validator's signature.
//!
//! `header(h)` commits to the state and results after `h-1`, `commit(h)` signs the header's hash, and
//! `header(h+1)` names both: a light client follows from one to the next.

use crate::state::Changes;
use crate::validator::ValidatorKeys;
use prost::Message as _;
use proto::vrf::VrfProof;
use proto::{Digest, Time};
use sha2::{Digest as _, Sha256};
use tendermint::block::header::Version;
use tendermint::block::parts::Header as PartSetHeader;
use tendermint::block::{Commit, CommitSig, Header, Height, Id, Round};
use tendermint::{AppHash, Hash, merkle, vote};
use tendermint_proto::v0_38 as pb;
use tendermint_proto::v0_38::abci::{Event, ExecTxResult};

/// CometBFT's block protocol, of its 0.38 line.
pub(crate) const BLOCK_PROTOCOL: u64 = 11;

/// Bytes of all transactions of one block at most: it travels in one RPC answer.
pub const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of the parts that CometBFT cuts a block into.
const PART_BYTES: usize = 65_536;

/// Where the chain stands: what the next block builds on.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The last block's height; 0 before the first.
    pub height: u64,
    /// The last block's time, or the genesis'.
    pub time: Time,
    /// The last height's seed.
    pub seed: Digest,
    /// The state's hash after the last block.
    pub app_hash: Digest,
    /// The hash of the last block's results.
    pub results_hash: Hash,
    /// The last block; none before the first.
    pub last: Option<Last>,
}

/// What the next header and a node's status say of the last block.
#[derive(Clone, Debug)]
pub struct Last {
    pub id: Id,
    /// The state's hash before it.
    pub app_hash: AppHash,
    /// The signatures under it.
    pub commit: Commit,
}

/// A block that was executed, signed and written.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub header: Header,
    pub txs: Vec<Vec<u8>>,
    /// The signatures under the block before.
    pub last_commit: Option<Commit>,
    pub id: Id,
    /// The signatures under this block.
    pub commit: Commit,
    /// This height's seed.
    pub seed: Digest,
    /// That the seed was not chosen.
    pub vrf_proof: VrfProof,
    /// One for each transaction, in order.
    pub results: Vec<ExecTxResult>,
    /// What happened outside of transactions.
    pub events: Vec<Event>,
    /// The state's hash after this block.
    pub app_hash: Digest,
}

/// What a block is made of.
pub(crate) struct Content {
    pub(crate) time: Time,
    pub(crate) seed: Digest,
    pub(crate) vrf_proof: VrfProof,
    pub(crate) txs: Vec<Vec<u8>>,
    pub(crate) results: Vec<ExecTxResult>,
    pub(crate) events: Vec<Event>,
    pub(crate) app_hash: Digest,
}

impl Tip {
    /// What follows `block`.
    pub(crate) fn after(block: &Sealed) -> Tip {
        Tip {
            height: block.header.height.value(),
            time: from_tendermint(block.header.time),
            seed: block.seed,
            app_hash: block.app_hash,
            last: Some(Last {
                id: block.id,
                app_hash: block.header.app_hash.clone(),
                commit: block.commit.clone(),
            }),
            results_hash: results_hash(&block.results),
        }
    }
}

impl Sealed {
    /// Puts a header before `content` and signs it.
    pub(crate) fn seal(
        tip: &Tip,
        chain_id: &str,
        keys: &ValidatorKeys,
        content: Content,
    ) -> Sealed {
        let validators_hash = keys.set().hash();
        let height = Height::try_from(tip.height + 1).expect("a height fits 63 bits");
        let last_commit = tip.last.as_ref().map(|last| last.commit.clone());
        let hashes: Vec<_> = content.txs.iter().map(Sha256::digest).collect();
        let header = Header {
            version: Version {
                block: BLOCK_PROTOCOL,
                app: u64::from(proto::names::PROTOCOL_VERSION),
            },
            chain_id: chain_id.parse().expect("the genesis' chain id was checked"),
            height,
            time: to_tendermint(content.time),
            last_block_id: tip.last.as_ref().map(|last| last.id),
            last_commit_hash: Some(commit_hash(last_commit.as_ref())),
            data_hash: Some(root(&hashes)),
            validators_hash,
            next_validators_hash: validators_hash,
            consensus_hash: consensus_hash(),
            app_hash: AppHash::try_from(tip.app_hash.0.to_vec()).expect("it takes any bytes"),
            last_results_hash: Some(tip.results_hash),
            evidence_hash: Some(root::<Vec<u8>>(&[])),
            proposer_address: keys.address(),
        };
        let bytes = block_proto(&header, &content.txs, last_commit.as_ref()).encode_to_vec();
        let id = Id { hash: header.hash(), part_set_header: part_set(&bytes) };
        let commit = sign(&header, id, keys);
        Sealed {
            header,
            txs: content.txs,
            last_commit,
            id,
            commit,
            seed: content.seed,
            vrf_proof: content.vrf_proof,
            results: content.results,
            events: content.events,
            app_hash: content.app_hash,
        }
    }

    /// The block as CometBFT writes it.
    pub(crate) fn to_proto(&self) -> pb::types::Block {
        block_proto(&self.header, &self.txs, self.last_commit.as_ref())
    }
}

/// The state's hash after `changes`: a chain over what every block changed.
///
/// ```text
/// H' = sha256(H, for each changed key in order: |key|, key, 0 if removed or 1, |value|, value)
/// ```
/// Lengths are 8 bytes, big-endian. Two nodes with the same hash executed the same changes.
pub(crate) fn app_hash(previous: &Digest, changes: &Changes) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(previous.0);
    for (key, value) in changes {
        hasher.update((key.len() as u64).to_be_bytes());
        hasher.update(key);
        match value {
            None => hasher.update([0]),
            Some(value) => {
                hasher.update([1]);
                hasher.update((value.len() as u64).to_be_bytes());
                hasher.update(value);
            }
        }
    }
    Digest(hasher.finalize().into())
}

/// The hash of a block's results: of what is deterministic in them.
pub(crate) fn results_hash(results: &[ExecTxResult]) -> Hash {
    let leaves: Vec<Vec<u8>> = results
        .iter()
        .map(|result| {
            let hashed = ExecTxResult {
                code: result.code,
                data: result.data.clone(),
                gas_wanted: result.gas_wanted,
                gas_used: result.gas_used,
                ..ExecTxResult::default()
            };
            hashed.encode_to_vec()
        })
        .collect();
    root(&leaves)
}

/// Milliseconds as tendermint's time.
pub(crate) fn to_tendermint(time: Time) -> tendermint::Time {
    let seconds = i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX);
    let nanos = u32::try_from(time.0 % 1_000).unwrap_or(0) * 1_000_000;
    tendermint::Time::from_unix_timestamp(seconds, nanos)
        .unwrap_or_else(|_| tendermint::Time::unix_epoch())
}

/// Tendermint's time as milliseconds.
pub(crate) fn from_tendermint(time: tendermint::Time) -> Time {
    Time(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
}

fn root<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
    type Sha = tendermint::crypto::default::Sha256;
    Hash::Sha256(merkle::simple_hash_from_byte_vectors::<Sha>(leaves))
}

fn commit_hash(commit: Option<&Commit>) -> Hash {
    let signatures = commit.map(|commit| commit.signatures.clone()).unwrap_or_default();
    let leaves: Vec<Vec<u8>> = signatures
        .into_iter()
        .map(|signature| pb::types::CommitSig::from(signature).encode_to_vec())
        .collect();
    root(&leaves)
}

/// The hash of CometBFT's `HashedParams`: a block's most bytes and gas.
fn consensus_hash() -> Hash {
    let params = pb::types::HashedParams {
        block_max_bytes: BLOCK_BYTES_MAX as i64,
        block_max_gas: crate::ante::BLOCK_GAS_MAX as i64,
    };
    Hash::Sha256(Sha256::digest(params.encode_to_vec()).into())
}

fn block_proto(header: &Header, txs: &[Vec<u8>], last_commit: Option<&Commit>) -> pb::types::Block {
    pb::types::Block {
        header: Some(header.clone().into()),
        data: Some(pb::types::Data { txs: txs.to_vec() }),
        evidence: Some(pb::types::EvidenceList::default()),
        last_commit: last_commit.map(|commit| commit.clone().into()),
    }
}

fn part_set(bytes: &[u8]) -> PartSetHeader {
    let parts: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    let total = u32::try_from(parts.len()).expect("a block has few parts");
    PartSetHeader::new(total, root(&parts)).expect("a block has at least one part")
}

fn sign(header: &Header, id: Id, keys: &ValidatorKeys) -> Commit {
    let vote = vote::Vote {
        vote_type: vote::Type::Precommit,
        height: header.height,
        round: Round::default(),
        block_id: Some(id),
        timestamp: Some(header.time),
        validator_address: keys.address(),
        validator_index: vote::ValidatorIndex::try_from(0u32).expect("it is the only one"),
        signature: None,
        extension: Vec::new(),
        extension_signature: None,
    };
    let signature = keys.sign(&vote.into_signable_vec(header.chain_id.clone()));
    let signature = CommitSig::BlockIdFlagCommit {
        validator_address: keys.address(),
        timestamp: header.time,
        signature: Some(signature),
    };
    Commit {
        height: header.height,
        round: Round::default(),
        block_id: id,
        signatures: vec![signature],
    }
}
