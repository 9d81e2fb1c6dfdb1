//! What a relay is worth: the less of the gateway's own count and the supplier's, and whether the
//! supplier's receipt is true.

use proto::relay::{Receipt, RelayRequest, Signed, Status};
use proto::session::{Seat, Session};
use proto::transcript::Commitment;
use proto::{Cu, Usage};

/// What the gateway saw of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// By its own count.
    pub usage: Usage,
    /// Over the bytes that came; `None` when the end was not seen, so that nothing can be compared.
    pub whole: Option<Commitment>,
}

/// What a relay is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub status: Status,
    /// What is billed and acknowledged.
    pub usage: Usage,
    pub cu: Cu,
    /// What is wrong with the receipt.
    pub lie: Option<Lie>,
}

/// A receipt that is not true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    #[error("it is not signed with the supplier's relay key")]
    Signature,
    #[error("it is for another request")]
    OtherRequest,
    #[error("it is for another answer than came")]
    OtherAnswer,
    #[error("its usage does not weigh the {0} compute units that it says")]
    Weight(Cu),
    #[error("it says {said} compute units, but at most {max} were asked for")]
    OverReservation { said: Cu, max: Cu },
    #[error("it says {said} compute units, but what came weighs {counted}")]
    Overcount { said: Cu, counted: Cu },
}

/// Judges a relay by what was seen and what the supplier signed, if it did.
///
/// A failed relay is worth nothing. Without a receipt that is signed for this relay the gateway's
/// own count holds: the supplier delivered, whatever it says.
pub fn judge(
    session: &Session,
    seat: &Seat,
    request: &RelayRequest,
    receipt: Option<&Signed<Receipt>>,
    seen: &Seen,
) -> Judged {
    let own = own(session, request, seen);
    let Some(signed) = receipt else {
        return own;
    };
    let said = &signed.body;
    if let Some(lie) = forged(seat, request, signed) {
        return Judged { lie: Some(lie), ..own };
    }
    if said.status == Status::Failed {
        return Judged { status: Status::Failed, usage: Usage::default(), cu: Cu(0), lie: None };
    }
    let lie = untrue(session, request, said, seen, own.cu);
    // Who weighs its own usage wrongly is not believed in any number.
    let believed = !matches!(lie, Some(Lie::Weight(_))) && said.cu < own.cu;
    let (usage, cu) = if believed { (said.usage, said.cu) } else { (own.usage, own.cu) };
    Judged { status: said.status, usage, cu, lie }
}

/// The gateway's own count, never more than was set aside.
fn own(session: &Session, request: &RelayRequest, seen: &Seen) -> Judged {
    let weights = session.terms.cu_weights;
    let mut usage = seen.usage;
    let mut cu = weights.weigh(usage).unwrap_or(request.max_cu);
    if cu > request.max_cu {
        // Output beyond the reservation was given away by the supplier.
        let prompt = weights.weigh(Usage { out: 0, ..usage }).unwrap_or(request.max_cu);
        let room = request.max_cu.saturating_sub(prompt).0;
        usage.out = room.checked_div(u64::from(weights.out)).unwrap_or(0);
        cu = weights.weigh(usage).unwrap_or(request.max_cu).min(request.max_cu);
    }
    let status = if seen.whole.is_some() { Status::Completed } else { Status::Cut };
    Judged { status, usage, cu, lie: None }
}

fn forged(seat: &Seat, request: &RelayRequest, signed: &Signed<Receipt>) -> Option<Lie> {
    let said = &signed.body;
    let asked = (request.session_id, request.relay_id, request.request_digest);
    if asked != (said.session_id, said.relay_id, said.request_digest) {
        return Some(Lie::OtherRequest);
    }
    (!signed.is_by(&seat.relay_key)).then_some(Lie::Signature)
}

fn untrue(
    session: &Session,
    request: &RelayRequest,
    said: &Receipt,
    seen: &Seen,
    counted: Cu,
) -> Option<Lie> {
    if session.terms.cu_weights.weigh(said.usage).ok() != Some(said.cu) {
        return Some(Lie::Weight(said.cu));
    }
    if said.cu > request.max_cu {
        return Some(Lie::OverReservation { said: said.cu, max: request.max_cu });
    }
    let whole = seen.whole?;
    if whole != (Commitment { root: said.response_root, chunk_count: said.chunk_count }) {
        return Some(Lie::OtherAnswer);
    }
    (said.cu > counted).then_some(Lie::Overcount { said: said.cu, counted })
}
