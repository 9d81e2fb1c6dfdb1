//! What no honest supplier signs: bills that are wrong by themselves, without any tokenizer.
//!
//! A receipt is shown by whoever has it, a leaf by whoever was shown it. What is looked at was signed
//! by the supplier's relay key, or lies under the root that it claimed, so nobody else can make it;
//! and a relay miner that follows the protocol makes none of it, whatever gateway, app and backend do.
//! Less than that - a count that only the listed tokenizer can refute - is for auditors to find
//! ([`Identity::Inflated`](crate::audit::Identity)).

use crate::claim::ClaimRoot;
use crate::leaf::{BadLeaf, Opening};
use crate::relay::{Receipt, Signed, Status};
use crate::session::{Seat, Session};
use crate::transcript::CHUNK_BYTES;
use crate::units::{Cu, Digest};
use smst::{DecodeRefused, VerifyRefused};

/// Tokens that a tokenizer makes of one delivered byte at most. A byte is one token at most, and what
/// a normaliser makes of text first grows no more than elevenfold (NFKC in UTF-8, UAX #15), and again
/// where a mark of three bytes stands for a space.
pub const TOKENS_PER_BYTE_MAX: u64 = 16;

/// What a supplier is guilty of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overcount {
    #[error("the receipt's usage weighs {weighed:?} compute units, but it bills {billed}")]
    Weight { weighed: Option<Cu>, billed: Cu },
    #[error("the relay failed, but {0} compute units are billed")]
    Failed(Cu),
    #[error(
        "{out} tokens are billed for {bytes} delivered bytes at most, of which no tokenizer makes more than {TOKENS_PER_BYTE_MAX} each"
    )]
    Bytes { out: u64, bytes: u64 },
    #[error("{claimed} compute units are claimed for a relay whose receipt says {receipted}")]
    Claimed { claimed: Cu, receipted: Cu },
    #[error("a claimed leaf is wrong: {0}")]
    Leaf(BadLeaf),
}

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    #[error("neither a receipt nor a leaf is shown")]
    Nothing,
    #[error("the receipt is of session {0}, not of the claim's")]
    OtherSession(Digest),
    #[error("the receipt is not signed by the supplier's relay key of that session")]
    Signature,
    #[error("the leaf's way to the claimed root: {0}")]
    Path(DecodeRefused),
    #[error("the leaf does not lie under the claimed root: {0}")]
    Tree(VerifyRefused),
    #[error("nothing is wrong with what is shown: a count that needs a tokenizer is for auditors")]
    Right,
}

/// What is shown of one claim.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub receipt: Option<&'a Signed<Receipt>>,
    pub opening: Option<&'a Opening>,
}

/// What the supplier in `seat` is guilty of, by what is shown of its claim `root` in `session`.
pub fn overcount(
    chain_id: &str,
    session: &Session,
    seat: &Seat,
    root: &ClaimRoot,
    shown: Evidence<'_>,
) -> Result<Overcount, NotShown> {
    if shown.receipt.is_none() && shown.opening.is_none() {
        return Err(NotShown::Nothing);
    }
    if let Some(receipt) = shown.receipt {
        check_receipt(session, seat, receipt)?;
        if let Some(guilt) = by_itself(session, &receipt.body) {
            return Ok(guilt);
        }
    }
    let Some(opening) = shown.opening else { return Err(NotShown::Right) };
    check_opening(root, opening)?;
    if let Err(bad) = opening.leaf.check(chain_id, session, seat, root.unacked_from) {
        return Ok(Overcount::Leaf(bad));
    }
    // A leaf that is right otherwise may still bill what cannot be.
    let booked = &opening.leaf.receipt.body;
    let beyond = shown.receipt.and_then(|receipt| beyond(booked, &receipt.body));
    by_itself(session, booked).or(beyond).ok_or(NotShown::Right)
}

fn check_receipt(
    session: &Session,
    seat: &Seat,
    receipt: &Signed<Receipt>,
) -> Result<(), NotShown> {
    if receipt.body.session_id != session.id {
        return Err(NotShown::OtherSession(receipt.body.session_id));
    }
    if receipt.is_by(&seat.relay_key) { Ok(()) } else { Err(NotShown::Signature) }
}

fn check_opening(root: &ClaimRoot, opening: &Opening) -> Result<(), NotShown> {
    let leaf = smst::Leaf {
        path: opening.leaf.path().0,
        value_hash: opening.leaf.value_hash().0,
        weight: opening.leaf.weight().0,
    };
    let root = smst::Node { digest: root.root.0, sum: root.sum.0, count: root.count };
    let path = smst::Proof::decode(&opening.path).map_err(NotShown::Path)?;
    path.verify(&root, &leaf).map_err(NotShown::Tree).map(|_| ())
}

/// What is wrong with a receipt, whatever else there is.
fn by_itself(session: &Session, receipt: &Receipt) -> Option<Overcount> {
    if receipt.status == Status::Failed && receipt.cu.0 > 0 {
        return Some(Overcount::Failed(receipt.cu));
    }
    let weighed = session.terms.cu_weights.weigh(receipt.usage).ok();
    if weighed != Some(receipt.cu) {
        return Some(Overcount::Weight { weighed, billed: receipt.cu });
    }
    let bytes = receipt.chunk_count.saturating_mul(CHUNK_BYTES as u64);
    let out = receipt.usage.out;
    (out > bytes.saturating_mul(TOKENS_PER_BYTE_MAX)).then_some(Overcount::Bytes { out, bytes })
}

/// Whether more is claimed for a relay than its receipt says.
fn beyond(booked: &Receipt, receipt: &Receipt) -> Option<Overcount> {
    let more = booked.relay_id == receipt.relay_id && booked.cu > receipt.cu;
    more.then_some(Overcount::Claimed { claimed: booked.cu, receipted: receipt.cu })
}
