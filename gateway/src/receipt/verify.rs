//! Whether a document holds together.

use super::{BASE64, Document, VERSION};
use base64::Engine;
use proto::claim::Phase;
use proto::leaf::{BadLeaf, Opening, check_weight};
use proto::relay::Status;
use proto::session::{Seat, Session};
use proto::wire::Wire;
use proto::{Address, Amount, Coin, Cu, Digest, Height, Usage};
use serde::Serialize;

/// What a document proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub relay_id: Digest,
    pub session_id: Digest,
    pub model: String,
    pub app: Address,
    pub gateway: Address,
    pub supplier: Address,
    pub status: Status,
    /// What is billed.
    pub usage: Usage,
    pub cu: Cu,
    pub cost: Coin,
    pub stage: Stage,
}

/// How far a relay came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Both sides signed; nothing is claimed yet.
    Receipted,
    /// It is in the supplier's claim.
    Claimed { root: Digest },
    /// It is in a claim that was settled; `paid` is for the whole claim.
    Settled { root: Digest, height: Height, phase: Phase, paid: Amount },
}

/// Why a document does not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("it is in form {0}, but this program reads form {VERSION}")]
    Version(u32),
    #[error("its base64 {0} is not the encoding of the {0} that it spells out")]
    Canonical(&'static str),
    #[error("its session's id is {said}, but its parts give {computed}")]
    SessionId { said: Digest, computed: Digest },
    #[error("its request is for chain {chain:?} and session {session}")]
    OtherSession { chain: String, session: Digest },
    #[error("the supplier {0} is not in the session")]
    NoSeat(Address),
    #[error("its request is issued at height {0}, outside the session")]
    OutsideSession(Height),
    #[error("its request is not signed by the session's gateway")]
    RequestSignature,
    #[error("its receipt is not signed by the supplier")]
    ReceiptSignature,
    #[error("its receipt is for another request")]
    OtherRequest,
    #[error("its receipt: {0}")]
    Weight(BadLeaf),
    #[error(
        "it bills {billed} compute units, but its usage weighs {weighed:?} and the receipt says {said}"
    )]
    BillWeight { billed: Cu, weighed: Option<Cu>, said: Cu },
    #[error("it bills {billed}, but {cu} compute units cost {computed} at the session's price")]
    BillCost { billed: Coin, cu: Cu, computed: Coin },
    #[error("the gateway's signature over it does not hold")]
    GatewaySignature,
    #[error("it has a proof, but not the claim that the proof is of")]
    OpeningWithoutClaim,
    #[error("its claim is of session {0}")]
    OtherClaim(Digest),
    #[error("its proof is of another relay")]
    OtherLeaf,
    #[error("its leaf: {0}")]
    Leaf(BadLeaf),
    #[error("its proof cannot be read: {0}")]
    Path(#[from] smst::DecodeRefused),
    #[error("its proof does not lead to the claim: {0}")]
    Trie(#[from] smst::VerifyRefused),
    #[error("its settlement is not of this claim")]
    OtherSettlement,
    #[error("its settlement pays {cost}, but hands out {handed}")]
    Split { cost: Amount, handed: Amount },
}

/// Whether a document holds: signatures, weights, cost, and where it is claimed the way from the
/// relay to the root that was claimed, and what was paid for that.
pub fn verify(document: &Document) -> Result<Verified, Invalid> {
    if document.version != VERSION {
        return Err(Invalid::Version(document.version));
    }
    check_canonical(document)?;
    let seat = check_session(document)?;
    check_receipt(document, seat)?;
    check_bill(document)?;
    let stage = check_stage(document, seat)?;
    if !document.session.gateway_key.signed(&document.digest(), &document.signature) {
        return Err(Invalid::GatewaySignature);
    }
    Ok(Verified {
        relay_id: document.request.body.relay_id,
        session_id: document.session.id,
        model: document.session.service.to_string(),
        app: document.session.app,
        gateway: document.session.gateway,
        supplier: seat.operator,
        status: document.receipt.body.status,
        usage: document.bill.usage,
        cu: document.bill.cu,
        cost: document.bill.cost.clone(),
        stage,
    })
}

fn check_canonical(document: &Document) -> Result<(), Invalid> {
    if BASE64.encode(document.request.encode()) != document.canonical.request {
        return Err(Invalid::Canonical("request"));
    }
    if BASE64.encode(document.receipt.encode()) != document.canonical.receipt {
        return Err(Invalid::Canonical("receipt"));
    }
    Ok(())
}

fn check_session(document: &Document) -> Result<&Seat, Invalid> {
    let session = &document.session;
    let Session { service, app, gateway, start, .. } = session;
    let computed = Session::id_of(&document.chain_id, service, app, gateway, *start);
    if computed != session.id {
        return Err(Invalid::SessionId { said: session.id, computed });
    }
    let request = &document.request.body;
    if request.chain_id != document.chain_id || request.session_id != session.id {
        let (chain, session) = (request.chain_id.clone(), request.session_id);
        return Err(Invalid::OtherSession { chain, session });
    }
    if !session.serve_window().contains(&request.issued_at) {
        return Err(Invalid::OutsideSession(request.issued_at));
    }
    if !document.request.is_by(&session.gateway_key) {
        return Err(Invalid::RequestSignature);
    }
    session.seat(&request.supplier).ok_or(Invalid::NoSeat(request.supplier))
}

fn check_receipt(document: &Document, seat: &Seat) -> Result<(), Invalid> {
    let (request, receipt) = (&document.request.body, &document.receipt.body);
    let asked = (request.session_id, request.relay_id, request.request_digest);
    if asked != (receipt.session_id, receipt.relay_id, receipt.request_digest) {
        return Err(Invalid::OtherRequest);
    }
    if !document.receipt.is_by(&seat.relay_key) {
        return Err(Invalid::ReceiptSignature);
    }
    match receipt.status {
        Status::Completed | Status::Cut => {
            check_weight(&document.session, request, receipt).map_err(Invalid::Weight)
        }
        Status::Failed => Ok(()),
    }
}

fn check_bill(document: &Document) -> Result<(), Invalid> {
    let (bill, terms) = (&document.bill, &document.session.terms);
    let weighed = terms.cu_weights.weigh(bill.usage).ok();
    let said = match document.receipt.body.status {
        Status::Completed | Status::Cut => document.receipt.body.cu,
        Status::Failed => Cu(0),
    };
    if weighed != Some(bill.cu) || bill.cu > said {
        return Err(Invalid::BillWeight { billed: bill.cu, weighed, said });
    }
    let computed = Coin::new(terms.price.cost(bill.cu), terms.denom.clone());
    if computed == bill.cost {
        Ok(())
    } else {
        Err(Invalid::BillCost { billed: bill.cost.clone(), cu: bill.cu, computed })
    }
}

fn check_stage(document: &Document, seat: &Seat) -> Result<Stage, Invalid> {
    let Some(claim) = &document.claim else {
        return match (&document.opening, &document.settled) {
            (None, None) => Ok(Stage::Receipted),
            (Some(_), _) => Err(Invalid::OpeningWithoutClaim),
            (None, Some(_)) => Err(Invalid::OtherSettlement),
        };
    };
    if claim.session_id != document.session.id {
        return Err(Invalid::OtherClaim(claim.session_id));
    }
    if let Some(opening) = &document.opening {
        check_opening(document, seat, opening)?;
    }
    check_settled(document, seat)?;
    Ok(match (&document.opening, &document.settled) {
        // A claim that does not show this relay says nothing of it.
        (None, _) => Stage::Receipted,
        (Some(_), None) => Stage::Claimed { root: claim.root },
        (Some(_), Some(settled)) => Stage::Settled {
            root: claim.root,
            height: settled.height,
            phase: settled.phase,
            paid: settled.cost,
        },
    })
}

fn check_opening(document: &Document, seat: &Seat, opening: &Opening) -> Result<(), Invalid> {
    let claim = document.claim.as_ref().ok_or(Invalid::OpeningWithoutClaim)?;
    let leaf = &opening.leaf;
    if leaf.request != document.request || leaf.receipt != document.receipt {
        return Err(Invalid::OtherLeaf);
    }
    let weight = leaf
        .check(&document.chain_id, &document.session, seat, claim.unacked_from)
        .map_err(Invalid::Leaf)?;
    let root = smst::Node { digest: claim.root.0, sum: claim.sum.0, count: claim.count };
    let in_trie =
        smst::Leaf { path: leaf.path().0, value_hash: leaf.value_hash().0, weight: weight.0 };
    smst::Proof::decode(&opening.path)?.verify(&root, &in_trie)?;
    Ok(())
}

fn check_settled(document: &Document, seat: &Seat) -> Result<(), Invalid> {
    let Some(settled) = &document.settled else {
        return Ok(());
    };
    let session = &document.session;
    let is_of_claim = settled.session_id == session.id
        && settled.operator == seat.operator
        && Some(settled.root) == document.claim
        && settled.service == session.service
        && settled.app == session.app
        && settled.gateway == session.gateway
        && settled.price == session.terms.price
        && settled.denom == session.terms.denom;
    if !is_of_claim {
        return Err(Invalid::OtherSettlement);
    }
    let split = &settled.split;
    let parts = [split.supplier, split.source, split.audits, split.treasury, split.burn];
    let handed = parts.into_iter().try_fold(Amount::ZERO, Amount::checked_add);
    match handed {
        Some(handed) if handed == settled.cost => Ok(()),
        handed => {
            let handed = handed.unwrap_or(Amount(u128::MAX));
            Err(Invalid::Split { cost: settled.cost, handed })
        }
    }
}
