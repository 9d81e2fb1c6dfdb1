//! What the usage tree commits to for one relay, and when such a leaf is right.

use crate::keys::RelayKey;
use crate::names::ACK_TAIL_MAX;
use crate::relay::{Ack, AckEntry, Receipt, RelayRequest, Signed, Status, link};
use crate::seed;
use crate::session::{Seat, Session};
use crate::signatures::{AtOnce, Checks};
use crate::units::{Cu, Digest, Height};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// What a gateway signed last, of all that a relay is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckHead {
    Request(Signed<RelayRequest>),
    Ack(Signed<Ack>),
}

/// Links one relay to a signed acknowledgement: the chain of entries from just before the relay's
/// own, which comes first, to the signed head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckProof {
    pub before: Digest,
    pub tail: Vec<AckEntry>,
    pub head: AckHead,
}

/// One relay as the tree has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    pub request: Signed<RelayRequest>,
    pub receipt: Signed<Receipt>,
    /// None for one of the last relays, which the gateway did not acknowledge in time.
    pub ack: Option<AckProof>,
}

/// A leaf and its way to the root, as a proof shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub leaf: Leaf,
    /// The encoded proof of the trie.
    #[serde(with = "hex::serde")]
    pub path: Vec<u8>,
}

/// Where in the tree the leaf of a relay is.
pub fn path(relay_id: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"lode/leaf");
    hasher.update(relay_id.0);
    Digest(hasher.finalize().into())
}

/// Why a leaf is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLeaf {
    #[error("it is of session {0}, not of the claim's")]
    OtherSession(Digest),
    #[error("it is for the supplier {0}, not for the claim's")]
    OtherSupplier(crate::Address),
    #[error("it was made for chain {0:?}")]
    OtherChain(String),
    #[error("it was issued at height {at}, but the session serves in {}..{}", window.start, window.end)]
    OutsideSession { at: Height, window: Range<Height> },
    #[error("the request is not signed by the session's gateway")]
    RequestSignature,
    #[error("the receipt is not signed by the supplier")]
    ReceiptSignature,
    #[error("request and receipt are of different relays")]
    Mismatch,
    #[error("a receipt with status {0:?} earns nothing")]
    EarnsNothing(Status),
    #[error("the receipt's usage weighs {weighed:?} compute units, but it says {said}")]
    WrongWeight { weighed: Option<Cu>, said: Cu },
    #[error("{cu} compute units are more than the {max} that were asked for")]
    OverReservation { cu: Cu, max: Cu },
    #[error("it has no acknowledgement, and its number {seq} is not in {}..{}", window.start, window.end)]
    Unacknowledged { seq: u64, window: Range<u64> },
    #[error("the acknowledgement is not signed by the session's gateway for this supplier")]
    AckSignature,
    #[error("the acknowledgement does not lead from this relay to what was signed")]
    AckUnlinked,
}

impl Leaf {
    /// What the tree's leaf holds: SHA-256 of the canonical bytes.
    pub fn value_hash(&self) -> Digest {
        Digest(Sha256::digest(self.encode()).into())
    }

    /// Where in the tree it is.
    pub fn path(&self) -> Digest {
        path(&self.request.body.relay_id)
    }

    /// What it weighs: what the supplier says, and no more than the gateway acknowledged.
    pub fn weight(&self) -> Cu {
        let said = self.receipt.body.cu;
        let acked = self.ack.as_ref().and_then(|ack| ack.tail.first()).map(|entry| entry.cu);
        acked.map_or(said, |acked| acked.min(said))
    }

    /// Whether this leaf earns its [`Leaf::weight`] in the claim of `seat` for `session`.
    ///
    /// Without an acknowledgement it does only with a number in
    /// `unacked_from..unacked_from + inflight_max`.
    pub fn check(
        &self,
        chain_id: &str,
        session: &Session,
        seat: &Seat,
        unacked_from: u64,
    ) -> Result<Cu, BadLeaf> {
        self.check_with(chain_id, session, seat, unacked_from, &mut AtOnce)
    }

    /// The same, as far as `checks` can say of the signatures now.
    pub fn check_with(
        &self,
        chain_id: &str,
        session: &Session,
        seat: &Seat,
        unacked_from: u64,
        checks: &mut impl Checks,
    ) -> Result<Cu, BadLeaf> {
        self.check_request(chain_id, session, seat, checks)?;
        self.check_receipt(session, seat, checks)?;
        match &self.ack {
            Some(ack) => self.check_ack(ack, chain_id, session, seat, checks)?,
            None => self.check_unacked(session, unacked_from)?,
        }
        Ok(self.weight())
    }

    fn check_request(
        &self,
        chain_id: &str,
        session: &Session,
        seat: &Seat,
        checks: &mut impl Checks,
    ) -> Result<(), BadLeaf> {
        let request = &self.request.body;
        if request.chain_id != chain_id {
            return Err(BadLeaf::OtherChain(request.chain_id.clone()));
        }
        if request.session_id != session.id {
            return Err(BadLeaf::OtherSession(request.session_id));
        }
        if request.supplier != seat.operator {
            return Err(BadLeaf::OtherSupplier(request.supplier));
        }
        let window = session.serve_window();
        if !window.contains(&request.issued_at) {
            return Err(BadLeaf::OutsideSession { at: request.issued_at, window });
        }
        if !self.request.is_by_with(&session.gateway_key, checks) {
            return Err(BadLeaf::RequestSignature);
        }
        Ok(())
    }

    fn check_receipt(
        &self,
        session: &Session,
        seat: &Seat,
        checks: &mut impl Checks,
    ) -> Result<(), BadLeaf> {
        let (request, receipt) = (&self.request.body, &self.receipt.body);
        let asked = (request.session_id, request.relay_id, request.request_digest);
        if asked != (receipt.session_id, receipt.relay_id, receipt.request_digest) {
            return Err(BadLeaf::Mismatch);
        }
        check_weight(session, request, receipt)?;
        if !self.receipt.is_by_with(&seat.relay_key, checks) {
            return Err(BadLeaf::ReceiptSignature);
        }
        Ok(())
    }

    fn check_ack(
        &self,
        ack: &AckProof,
        chain_id: &str,
        session: &Session,
        seat: &Seat,
        checks: &mut impl Checks,
    ) -> Result<(), BadLeaf> {
        let first = ack.tail.first().map(|entry| entry.relay_id);
        if first != Some(self.request.body.relay_id) || ack.tail.len() > ACK_TAIL_MAX {
            return Err(BadLeaf::AckUnlinked);
        }
        let reached = ack.tail.iter().fold(ack.before, |hash, entry| link(&hash, entry));
        if ack.head.hash() != reached {
            return Err(BadLeaf::AckUnlinked);
        }
        if ack.head.is_for(chain_id, session, seat) && ack.head.is_by(&session.gateway_key, checks)
        {
            Ok(())
        } else {
            Err(BadLeaf::AckSignature)
        }
    }

    fn check_unacked(&self, session: &Session, unacked_from: u64) -> Result<(), BadLeaf> {
        let seq = self.request.body.seq;
        let inflight = u64::from(session.terms.inflight_max);
        let window = unacked_from..unacked_from.saturating_add(inflight);
        if window.contains(&seq) { Ok(()) } else { Err(BadLeaf::Unacknowledged { seq, window }) }
    }
}

/// Whether a receipt's usage weighs what it says, and no more than was asked for.
pub fn check_weight(
    session: &Session,
    request: &RelayRequest,
    receipt: &Receipt,
) -> Result<(), BadLeaf> {
    if receipt.status == Status::Failed {
        return Err(BadLeaf::EarnsNothing(receipt.status));
    }
    let weighed = session.terms.cu_weights.weigh(receipt.usage).ok();
    if weighed != Some(receipt.cu) {
        return Err(BadLeaf::WrongWeight { weighed, said: receipt.cu });
    }
    if receipt.cu > request.max_cu {
        return Err(BadLeaf::OverReservation { cu: receipt.cu, max: request.max_cu });
    }
    Ok(())
}

impl AckHead {
    fn hash(&self) -> Digest {
        match self {
            AckHead::Request(request) => request.body.acked.hash,
            AckHead::Ack(ack) => ack.body.acked.hash,
        }
    }

    fn is_for(&self, chain_id: &str, session: &Session, seat: &Seat) -> bool {
        let (chain, id, supplier) = match self {
            AckHead::Request(r) => (&r.body.chain_id, r.body.session_id, r.body.supplier),
            AckHead::Ack(a) => (&a.body.chain_id, a.body.session_id, a.body.supplier),
        };
        chain == chain_id && id == session.id && supplier == seat.operator
    }

    fn is_by(&self, key: &RelayKey, checks: &mut impl Checks) -> bool {
        match self {
            AckHead::Request(request) => request.is_by_with(key, checks),
            AckHead::Ack(ack) => ack.is_by_with(key, checks),
        }
    }
}

/// The point of a claim's line of weights that draw `i` falls on.
///
/// `seed` is that of the height after the last claim, so that who claims cannot know it.
pub fn drawn_point(
    seed: &Digest,
    session_id: &Digest,
    operator: &crate::Address,
    i: u32,
    sum: Cu,
) -> u64 {
    let digest =
        seed::hash("lode/proof/point", &[&seed.0, &session_id.0, &operator.0, &i.to_be_bytes()]);
    seed::below(&digest, sum.0)
}
