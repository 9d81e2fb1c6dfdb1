//! What is written into a book, and its bytes.

use proto::claim::{ClaimRoot, Settled};
use proto::relay::{AckUpdate, Envelope, Receipt, Signed};
use proto::session::Session;
use proto::wire::{BadWire, Wire};
use proto::{Address, Digest, Height, Time};

/// One thing that happened in a session. Records are written in the order in which they happened,
/// and a book is what they add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The first record: whose book it is.
    Opened(Box<Opened>),
    /// A relay was let in; its reservation holds until its receipt.
    Accepted(Box<Accepted>),
    /// What a running relay would be billed if it ended here.
    Checkpoint(Box<Signed<Receipt>>),
    /// A relay ended.
    Receipt(Box<Signed<Receipt>>),
    /// An acknowledgement came that no request carried.
    Acked(Box<AckUpdate>),
    /// A claim is about to be sent.
    Claimed(Claimed),
    /// A claim is on the chain.
    Included { root: ClaimRoot, height: Height },
    /// The seed that says whether the claim must be proven.
    Drawn { seed: Digest },
    /// The drawn leaves were shown, and the chain said whether they are right.
    Shown { height: Height, right: bool },
    /// The claim is settled.
    Settled(Box<Settled>),
    /// The session is over, and nothing of it is on the chain.
    Unclaimed { height: Height },
}

/// Whose book it is, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub chain_id: String,
    pub operator: Address,
    pub session: Session,
}

/// A relay that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The height at which it started.
    pub height: Height,
    pub at: Time,
    /// The request with the entries that were not known before.
    pub envelope: Envelope,
}

/// A claim, and what of the book it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub root: ClaimRoot,
    /// The tree is that of the records before this byte of the book, also when more come later.
    pub upto: u64,
}

/// Why bytes are no record.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    #[error("a record of kind {0} is not known to this version")]
    Kind(u8),
    #[error("the record ends too early")]
    Short,
    #[error("the chain's name is not text")]
    ChainId,
    #[error(transparent)]
    Wire(#[from] BadWire),
}

const OPENED: u8 = 1;
const ACCEPTED: u8 = 2;
const CHECKPOINT: u8 = 3;
const RECEIPT: u8 = 4;
const ACKED: u8 = 5;
const CLAIMED: u8 = 6;
const INCLUDED: u8 = 7;
const DRAWN: u8 = 8;
const SHOWN: u8 = 9;
const SETTLED: u8 = 10;
const UNCLAIMED: u8 = 11;

impl Record {
    /// The kind (1 byte), then what it holds: integers big-endian, the rest in its wire form.
    pub fn encode(&self) -> Vec<u8> {
        let be = |number: u64| number.to_be_bytes();
        match self {
            Record::Opened(opened) => encode_opened(opened),
            Record::Accepted(accepted) => {
                let Accepted { height, at, envelope } = &**accepted;
                join(ACCEPTED, &[&be(height.0), &be(at.0), &envelope.encode()])
            }
            Record::Checkpoint(receipt) => join(CHECKPOINT, &[&receipt.encode()]),
            Record::Receipt(receipt) => join(RECEIPT, &[&receipt.encode()]),
            Record::Acked(update) => join(ACKED, &[&update.encode()]),
            Record::Claimed(Claimed { root, upto }) => join(CLAIMED, &[&be(*upto), &root.encode()]),
            Record::Included { root, height } => join(INCLUDED, &[&be(height.0), &root.encode()]),
            Record::Drawn { seed } => join(DRAWN, &[&seed.0]),
            Record::Shown { height, right } => join(SHOWN, &[&be(height.0), &[u8::from(*right)]]),
            Record::Settled(settled) => join(SETTLED, &[&settled.encode()]),
            Record::Unclaimed { height } => join(UNCLAIMED, &[&be(height.0)]),
        }
    }

    /// Reads what [`Record::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Record, BadRecord> {
        let mut rest = bytes;
        let [kind] = take(&mut rest)?;
        Ok(match kind {
            OPENED => Record::Opened(Box::new(decode_opened(rest)?)),
            ACCEPTED => Record::Accepted(Box::new(Accepted {
                height: Height(number(&mut rest)?),
                at: Time(number(&mut rest)?),
                envelope: Envelope::decode(rest)?,
            })),
            CHECKPOINT => Record::Checkpoint(Box::new(Signed::decode(rest)?)),
            RECEIPT => Record::Receipt(Box::new(Signed::decode(rest)?)),
            ACKED => Record::Acked(Box::new(AckUpdate::decode(rest)?)),
            CLAIMED => {
                let upto = number(&mut rest)?;
                Record::Claimed(Claimed { upto, root: ClaimRoot::decode(rest)? })
            }
            INCLUDED => {
                let height = Height(number(&mut rest)?);
                Record::Included { height, root: ClaimRoot::decode(rest)? }
            }
            DRAWN => Record::Drawn { seed: Digest(take(&mut rest)?) },
            SHOWN => {
                let height = Height(number(&mut rest)?);
                let [right] = take(&mut rest)?;
                Record::Shown { height, right: right == 1 }
            }
            SETTLED => Record::Settled(Box::new(Settled::decode(rest)?)),
            UNCLAIMED => Record::Unclaimed { height: Height(number(&mut rest)?) },
            other => return Err(BadRecord::Kind(other)),
        })
    }
}

fn encode_opened(opened: &Opened) -> Vec<u8> {
    let chain_id = opened.chain_id.as_bytes();
    let length = (chain_id.len() as u64).to_be_bytes();
    join(OPENED, &[&length, chain_id, &opened.operator.0, &opened.session.encode()])
}

fn decode_opened(mut rest: &[u8]) -> Result<Opened, BadRecord> {
    let length = usize::try_from(number(&mut rest)?).map_err(|_| BadRecord::Short)?;
    let chain_id = rest.split_off(..length).ok_or(BadRecord::Short)?;
    let chain_id = String::from_utf8(chain_id.to_vec()).map_err(|_| BadRecord::ChainId)?;
    let operator = Address(take(&mut rest)?);
    Ok(Opened { chain_id, operator, session: Session::decode(rest)? })
}

fn join(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    bytes.push(kind);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadRecord> {
    let bytes = rest.split_off(..N).ok_or(BadRecord::Short)?;
    bytes.try_into().map_err(|_| BadRecord::Short)
}

fn number(rest: &mut &[u8]) -> Result<u64, BadRecord> {
    Ok(u64::from_be_bytes(take(rest)?))
}
