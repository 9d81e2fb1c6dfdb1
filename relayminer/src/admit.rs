//! Whether a relay is let in. Pure, and in the order of cost: what is cheap to refuse comes first.
//!
//! ```text
//! header -> Envelope --check--> Checked --admit, book locked--> Accepted (budget reserved)
//!           (decode)   window, size, digest,     acknowledgements, id, number,
//!                      signature                 bounds, budget
//! ```

use crate::book::{Accepted, Book};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::keys::RelayKey;
use proto::names::{ACK_TAIL_MAX, RELAY_HEADER};
use proto::relay::{AckEntry, AckRefused, AckUpdate, Acked, Envelope, body_digest};
use proto::service::ServiceId;
use proto::session::Session;
use proto::wire::{BadWire, Wire};
use proto::{Address, Cu, Digest, Height, Time};
use std::collections::HashSet;
use std::ops::Range;

/// Bytes of a relay's header at most: a request with [`ACK_TAIL_MAX`] entries has some 18 kB.
pub const HEADER_MAX: usize = 32 * 1024;

/// Blocks that a gateway may know and this relay miner does not yet: news travel at different speed.
pub const AHEAD_MAX: u64 = 2;

/// Who a relay miner works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub chain_id: String,
    pub operator: Address,
    pub relay_key: RelayKey,
}

/// A relay that may be let in if the book has room: window, size, body and signature are right. Made
/// by [`check`] only.
#[derive(Clone, Debug)]
pub struct Checked {
    envelope: Envelope,
}

impl Checked {
    /// The request with what it acknowledges.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

/// Why a relay is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the header {RELAY_HEADER} is missing: a relay carries its signed request there")]
    NoHeader,
    #[error("the header {RELAY_HEADER} has {length} bytes, but at most {HEADER_MAX} are taken")]
    HeaderTooLarge { length: usize },
    #[error("the header {RELAY_HEADER} is not base64")]
    NotBase64,
    #[error(transparent)]
    BadWire(#[from] BadWire),
    #[error("{count} acknowledgements in one message, but at most {ACK_TAIL_MAX} are taken")]
    TooManyEntries { count: usize },
    #[error("it is for chain {0:?}, but this relay miner serves another")]
    OtherChain(String),
    #[error("it is for the supplier {0}, but this relay miner serves another")]
    OtherSupplier(Address),
    #[error("session {0} is not known here: it may have been opened a moment ago")]
    UnknownSession(Digest),
    #[error("the supplier has no seat in session {0}")]
    NoSeat(Digest),
    #[error(
        "session {session_id} was drawn with the relay key {seat}, but this relay miner signs with another"
    )]
    OtherRelayKey { session_id: Digest, seat: RelayKey },
    #[error("at height {at}, but the session serves in {}..{}", window.start, window.end)]
    OutsideSession { at: Height, window: Range<Height> },
    #[error("it was issued at height {issued_at}, but this relay miner has seen {known} only")]
    FromTheFuture { issued_at: Height, known: Height },
    #[error("the body is longer than {max} bytes, which the session takes at most")]
    BodyTooLarge { max: u32 },
    #[error("the body is not the one that was signed: its digest is {is}, the request says {said}")]
    OtherBody { is: Digest, said: Digest },
    #[error("the request is not signed by the session's gateway")]
    Signature,
    #[error("the body is no request that can be counted: {0}")]
    BadBody(String),
    #[error("it asks for the model {asked:?}, but the session is for {service}")]
    OtherModel { asked: String, service: ServiceId },
    #[error("the model {service} of tokenizer {tokenizer} is not served here")]
    NoTokenizer { service: ServiceId, tokenizer: Digest },
    #[error("{max_cu} compute units are reserved, but the answer may take {needed}")]
    UnderReserved { needed: Cu, max_cu: Cu },
    #[error("{needed} compute units are asked for, but {left} of the session's budget are left")]
    OverBudget { needed: Cu, left: Cu },
    #[error("{refused}")]
    AckMismatch { refused: String, known: Acked },
    #[error("the relay {0} was let in, or is acknowledged, already: an id is used once")]
    UsedId(Digest),
    #[error("the number {0} was used already")]
    UsedSeq(u64),
    #[error("{unacked} relays of this session are not acknowledged, and at most {max} may be")]
    Unacknowledged { unacked: usize, max: u32 },
    #[error(
        "{short} relays that ran to their end are acknowledged for less than half of their receipt, which {max} relays of a session may be"
    )]
    ShortAcknowledged { short: usize, max: u32 },
    #[error("{max} relays run at once, and no more are taken")]
    Busy { max: usize },
    #[error("this relay miner is about to stop")]
    Draining,
    #[error("the request was not there within {seconds} s")]
    SlowBody { seconds: u64 },
    #[error("the chain has not been heard of for {seconds} s, so the height is not known")]
    ChainSilent { seconds: u64 },
    #[error("{0}")]
    Failed(String),
}

/// Reads a relay's header.
pub fn read_header(header: Option<&[u8]>) -> Result<Envelope, Refused> {
    let header = header.ok_or(Refused::NoHeader)?;
    if header.len() > HEADER_MAX {
        return Err(Refused::HeaderTooLarge { length: header.len() });
    }
    let bytes = STANDARD.decode(header).map_err(|_| Refused::NotBase64)?;
    let envelope = Envelope::decode(&bytes)?;
    check_entries(envelope.entries.len())?;
    Ok(envelope)
}

/// Whether a request, as far as its header tells, may be served in `session` when the last known
/// block is at `at`. The signature is left for [`check`]: a body that is too large costs less.
pub fn check_header(
    envelope: &Envelope,
    session: &Session,
    is: &Identity,
    at: Height,
) -> Result<(), Refused> {
    let request = &envelope.request.body;
    if request.chain_id != is.chain_id {
        return Err(Refused::OtherChain(request.chain_id.clone()));
    }
    if request.supplier != is.operator {
        return Err(Refused::OtherSupplier(request.supplier));
    }
    check_seat(session, is)?;
    let (window, issued_at) = (session.serve_window(), request.issued_at);
    if !window.contains(&issued_at) {
        return Err(Refused::OutsideSession { at: issued_at, window });
    }
    if at >= window.end {
        return Err(Refused::OutsideSession { at, window });
    }
    if issued_at > at.plus(AHEAD_MAX) {
        return Err(Refused::FromTheFuture { issued_at, known: at });
    }
    Ok(())
}

/// Whether a request whose header was checked has its body, and is signed.
pub fn check(envelope: Envelope, session: &Session, body: &[u8]) -> Result<Checked, Refused> {
    let request = &envelope.request.body;
    let max = session.terms.request_max_bytes;
    if body.len() > max as usize {
        return Err(Refused::BodyTooLarge { max });
    }
    let is = body_digest(body);
    if is != request.request_digest {
        return Err(Refused::OtherBody { is, said: request.request_digest });
    }
    if !envelope.request.is_by(&session.gateway_key) {
        return Err(Refused::Signature);
    }
    Ok(Checked { envelope })
}

/// Whether a reservation is enough for what the answer may take.
pub fn check_reservation(checked: &Checked, needed: Cu) -> Result<(), Refused> {
    let max_cu = checked.envelope.request.body.max_cu;
    if needed > max_cu { Err(Refused::UnderReserved { needed, max_cu }) } else { Ok(()) }
}

/// Whether the book has room for a relay; if so, what is to be written into it. The book must stay
/// locked until it is, so that no two relays get the same room.
pub fn admit(book: &Book, checked: Checked, at: Height, now: Time) -> Result<Accepted, Refused> {
    let Envelope { request, entries } = checked.envelope;
    let asked = &request.body;
    let step =
        book.acks().judge(&entries, &asked.acked).map_err(|refused| mismatch(book, &refused))?;
    let acked_now = step.fresh.iter().any(|entry| entry.relay_id == asked.relay_id);
    if book.relay(&asked.relay_id).is_some()
        || book.acks().of(&asked.relay_id).is_some()
        || acked_now
    {
        return Err(Refused::UsedId(asked.relay_id));
    }
    if book.has_seq(asked.seq) {
        return Err(Refused::UsedSeq(asked.seq));
    }
    let max = book.session().terms.inflight_max;
    let unacked = book.unacked().saturating_sub(newly_acked(book, &step.fresh));
    if unacked >= max as usize {
        return Err(Refused::Unacknowledged { unacked, max });
    }
    if book.short() >= max as usize {
        return Err(Refused::ShortAcknowledged { short: book.short(), max });
    }
    if asked.max_cu > book.left() {
        return Err(Refused::OverBudget { needed: asked.max_cu, left: book.left() });
    }
    Ok(Accepted { height: at, at: now, envelope: Envelope { request, entries: step.fresh } })
}

/// Whether an acknowledgement that came by itself is of this supplier's session, and signed.
pub fn check_ack(update: &AckUpdate, session: &Session, is: &Identity) -> Result<(), Refused> {
    let ack = &update.ack.body;
    if ack.chain_id != is.chain_id {
        return Err(Refused::OtherChain(ack.chain_id.clone()));
    }
    if ack.supplier != is.operator {
        return Err(Refused::OtherSupplier(ack.supplier));
    }
    check_entries(update.entries.len())?;
    if update.ack.is_by(&session.gateway_key) { Ok(()) } else { Err(Refused::Signature) }
}

/// What an acknowledgement adds to the book, to be written; none where all is known.
pub fn acknowledge(book: &Book, update: AckUpdate) -> Result<Option<AckUpdate>, Refused> {
    let step = book.acks().judge(&update.entries, &update.ack.body.acked);
    let step = step.map_err(|refused| mismatch(book, &refused))?;
    let news = step.known != *book.acks().known();
    Ok(news.then_some(AckUpdate { entries: step.fresh, ..update }))
}

/// Whether the supplier sits in the session, with the key that this relay miner signs with.
pub fn check_seat(session: &Session, is: &Identity) -> Result<(), Refused> {
    let seat = session.seat(&is.operator).ok_or(Refused::NoSeat(session.id))?;
    if seat.relay_key == is.relay_key {
        Ok(())
    } else {
        Err(Refused::OtherRelayKey { session_id: session.id, seat: seat.relay_key })
    }
}

// A leaf shows all entries of one message at most.
fn check_entries(count: usize) -> Result<(), Refused> {
    if count > ACK_TAIL_MAX { Err(Refused::TooManyEntries { count }) } else { Ok(()) }
}

/// How many relays of the book are acknowledged for the first time.
fn newly_acked(book: &Book, entries: &[AckEntry]) -> usize {
    let owed = |id: &&Digest| book.relay(id).is_some() && book.acks().of(id).is_none();
    let ids: HashSet<&Digest> = entries.iter().map(|entry| &entry.relay_id).filter(owed).collect();
    ids.len()
}

fn mismatch(book: &Book, refused: &AckRefused) -> Refused {
    Refused::AckMismatch { refused: refused.to_string(), known: *book.acks().known() }
}

impl Refused {
    /// The HTTP status and the code by which a gateway tells what to do next.
    pub fn code(&self) -> (u16, &'static str) {
        match self {
            Refused::NoHeader
            | Refused::HeaderTooLarge { .. }
            | Refused::NotBase64
            | Refused::BadWire(_)
            | Refused::TooManyEntries { .. }
            | Refused::OtherChain(_)
            | Refused::OtherSupplier(_)
            | Refused::OtherBody { .. }
            | Refused::BadBody(_)
            | Refused::OtherModel { .. }
            | Refused::SlowBody { .. }
            | Refused::UsedId(_)
            | Refused::UsedSeq(_) => (400, "malformed"),
            Refused::Signature => (401, "not_signed"),
            Refused::UnderReserved { .. } | Refused::OverBudget { .. } => (402, "over_budget"),
            Refused::UnknownSession(_)
            | Refused::NoSeat(_)
            | Refused::OtherRelayKey { .. }
            | Refused::FromTheFuture { .. } => (404, "unknown_session"),
            Refused::AckMismatch { .. } => (409, "ack_mismatch"),
            Refused::OutsideSession { .. } => (410, "session_over"),
            Refused::BodyTooLarge { .. } => (413, "too_large"),
            Refused::Unacknowledged { .. }
            | Refused::ShortAcknowledged { .. }
            | Refused::Busy { .. } => (429, "inflight"),
            Refused::NoTokenizer { .. } | Refused::ChainSilent { .. } | Refused::Failed(_) => {
                (503, "backend_down")
            }
            Refused::Draining => (503, "draining"),
        }
    }
}

#[cfg(test)]
mod tests;
