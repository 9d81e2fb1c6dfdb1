//! A gateway, as a relay miner knows it.

use super::{CHAIN, OPERATOR, relay_secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::keys::RelaySecret;
use proto::relay::{
    Ack, AckEntry, AckUpdate, Acked, Envelope, Receipt, RelayRequest, Signable, Signed, Status,
    body_digest,
};
use proto::session::Session;
use proto::wire::Wire;
use proto::{Cu, Digest, Height, Time, Usage};

#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) session: Session,
    pub(crate) acked: Acked,
    pub(crate) fresh: Vec<AckEntry>,
    pub(crate) next: u64,
    pub(crate) at: Height,
}

impl Gateway {
    pub(crate) fn secret() -> RelaySecret {
        RelaySecret::from_bytes(&[4; 32])
    }

    pub(crate) fn of(session: Session) -> Gateway {
        let at = session.start;
        Gateway { session, acked: Acked::default(), fresh: Vec::new(), next: 0, at }
    }

    pub(crate) fn id(seq: u64) -> Digest {
        body_digest(&seq.to_be_bytes())
    }

    /// The next request; it carries what was acknowledged since the last one.
    pub(crate) fn request(&mut self, body: &[u8], max_cu: u64) -> Envelope {
        let seq = self.next;
        self.next += 1;
        self.request_of(seq, body, max_cu)
    }

    pub(crate) fn request_of(&mut self, seq: u64, body: &[u8], max_cu: u64) -> Envelope {
        let request = RelayRequest {
            chain_id: CHAIN.into(),
            session_id: self.session.id,
            supplier: OPERATOR,
            relay_id: Gateway::id(seq),
            seq,
            request_digest: body_digest(body),
            max_cu: Cu(max_cu),
            issued_at: self.at,
            acked: self.acked,
        };
        let request = request.sign(&Gateway::secret());
        Envelope { request, entries: std::mem::take(&mut self.fresh) }
    }

    /// Agrees to pay `cu` for relay `seq`.
    pub(crate) fn agree(&mut self, seq: u64, cu: u64) {
        let entry = AckEntry { relay_id: Gateway::id(seq), cu: Cu(cu) };
        self.acked = self.acked.with(&entry).unwrap();
        self.fresh.push(entry);
    }

    pub(crate) fn update(&mut self) -> AckUpdate {
        let ack = Ack {
            chain_id: CHAIN.into(),
            session_id: self.session.id,
            supplier: OPERATOR,
            acked: self.acked,
        };
        let ack = ack.sign(&Gateway::secret());
        AckUpdate { ack, entries: std::mem::take(&mut self.fresh) }
    }
}

pub(crate) fn header(envelope: &Envelope) -> String {
    STANDARD.encode(envelope.encode())
}

/// The receipt that the supplier gives for a request.
pub(crate) fn receipt(request: &RelayRequest, cu: u64, status: Status) -> Signed<Receipt> {
    let receipt = Receipt {
        session_id: request.session_id,
        relay_id: request.relay_id,
        request_digest: request.request_digest,
        response_root: Digest([6; 32]),
        chunk_count: 1,
        usage: Usage { fresh_in: 0, cached_in: 0, out: cu },
        cu: Cu(cu),
        status,
        started_at: Time(1),
        first_token_at: Time(2),
        finished_at: Time(3),
        evidence_root: Digest::default(),
    };
    receipt.sign(&relay_secret())
}
