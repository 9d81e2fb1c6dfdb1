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

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proto::keys::RelaySecret;
    use proto::params::Params;
    use proto::relay::Signable;
    use proto::service::ServiceId;
    use proto::session::Terms;
    use proto::transcript::commit;
    use proto::{Address, Amount, CuWeights, Denom, Digest, Height, Price, Time};

    const ANSWER: &[u8] = b"four words of answer";

    fn secret() -> RelaySecret {
        RelaySecret::from_bytes(&[3; 32])
    }

    fn session() -> Session {
        let params = Params::dev();
        let seat = Seat {
            operator: Address([1; 20]),
            relay_key: secret().public(),
            endpoint: "http://127.0.0.1:1".into(),
            payouts: Vec::new(),
        };
        Session {
            id: Digest([9; 32]),
            service: ServiceId::new("m").expect("a good name"),
            app: Address([2; 20]),
            gateway: Address([2; 20]),
            gateway_key: RelaySecret::from_bytes(&[4; 32]).public(),
            start: Height(1),
            end: Height(11),
            budget: Amount(1_000),
            seats: vec![seat],
            terms: Terms {
                protocol_version: 1,
                price: Price(1_000_000),
                denom: Denom::stake(),
                source: Address([5; 20]),
                cu_weights: CuWeights { fresh_in: 2, cached_in: 1, out: 8 },
                tokenizer_hash: Digest([0; 32]),
                template_hash: Digest([0; 32]),
                context_max: 100,
                windows: params.windows,
                relay_max: params.relay_max,
                inflight_max: params.inflight_max,
                request_max_bytes: params.request_max_bytes,
                checkpoint_cu: params.checkpoint_cu,
                shares: params.shares,
                proving: params.proving,
                value: proto::coins::Value::PAR,
                audited: proto::audit::Audited::Full,
            },
        }
    }

    fn request() -> RelayRequest {
        RelayRequest {
            chain_id: "c".into(),
            session_id: Digest([9; 32]),
            supplier: Address([1; 20]),
            relay_id: Digest([6; 32]),
            seq: 0,
            request_digest: Digest([7; 32]),
            max_cu: Cu(100),
            issued_at: Height(2),
            acked: proto::relay::Acked::default(),
        }
    }

    /// A true receipt for three tokens of prompt and four of answer, changed.
    fn receipt(change: impl FnOnce(&mut Receipt)) -> Receipt {
        let whole = commit(ANSWER);
        let mut receipt = Receipt {
            session_id: Digest([9; 32]),
            relay_id: Digest([6; 32]),
            request_digest: Digest([7; 32]),
            response_root: whole.root,
            chunk_count: whole.chunk_count,
            usage: Usage { fresh_in: 3, cached_in: 0, out: 4 },
            cu: Cu(38),
            status: Status::Completed,
            started_at: Time(1),
            first_token_at: Time(2),
            finished_at: Time(3),
            evidence_root: Digest([0; 32]),
        };
        change(&mut receipt);
        receipt
    }

    fn check(receipt: Option<&Signed<Receipt>>, whole: bool, outcome: &Expect) {
        let usage = Usage { fresh_in: 3, cached_in: 0, out: 4 };
        let seen = Seen { usage, whole: whole.then(|| commit(ANSWER)) };
        let session = session();
        let judged = judge(&session, &session.seats[0], &request(), receipt, &seen);
        let lie = judged.lie.map(|lie| format!(": {lie}")).unwrap_or_default();
        outcome.assert_eq(&format!("{:?} {}{lie}", judged.status, judged.cu));
    }

    #[test]
    fn the_less_of_two_counts_is_billed() {
        let signed = |change: fn(&mut Receipt)| receipt(change).sign(&secret());
        check(Some(&signed(|_| {})), true, &expect!["Completed 38"]);
        let cached = signed(|r| {
            r.usage = Usage { fresh_in: 1, cached_in: 2, out: 4 };
            r.cu = Cu(36);
        });
        check(Some(&cached), true, &expect!["Completed 36"]);
        check(None, true, &expect!["Completed 38"]);
        check(None, false, &expect!["Cut 38"]);
        let failed = signed(|r| r.status = Status::Failed);
        check(Some(&failed), true, &expect!["Failed 0"]);
    }

    #[test]
    fn a_lie_is_named_and_gains_nothing() {
        let signed = |change: fn(&mut Receipt)| receipt(change).sign(&secret());
        let more = signed(|r| {
            r.usage.out = 5;
            r.cu = Cu(46);
        });
        check(
            Some(&more),
            true,
            &expect!["Completed 38: it says 46 compute units, but what came weighs 38"],
        );
        let heavy = signed(|r| r.cu = Cu(10));
        check(
            Some(&heavy),
            true,
            &expect!["Completed 38: its usage does not weigh the 10 compute units that it says"],
        );
        let beyond = signed(|r| {
            r.usage.out = 50;
            r.cu = Cu(406);
        });
        check(
            Some(&beyond),
            true,
            &expect!["Completed 38: it says 406 compute units, but at most 100 were asked for"],
        );
        let other = signed(|r| r.response_root = Digest([1; 32]));
        check(Some(&other), true, &expect!["Completed 38: it is for another answer than came"]);
        let relay = signed(|r| r.relay_id = Digest([1; 32]));
        check(Some(&relay), true, &expect!["Completed 38: it is for another request"]);
        let forged = receipt(|_| {}).sign(&RelaySecret::from_bytes(&[1; 32]));
        check(
            Some(&forged),
            true,
            &expect!["Completed 38: it is not signed with the supplier's relay key"],
        );
    }

    #[test]
    fn what_was_on_its_way_when_the_client_left_is_no_lie() {
        let more = receipt(|r| {
            r.usage.out = 5;
            r.cu = Cu(46);
            r.status = Status::Cut;
        });
        check(Some(&more.sign(&secret())), false, &expect!["Cut 38"]);
    }

    #[test]
    fn nobody_bills_more_than_was_set_aside() {
        let session = session();
        let usage = Usage { fresh_in: 3, cached_in: 0, out: 400 };
        let seen = Seen { usage, whole: Some(commit(ANSWER)) };
        let judged = judge(&session, &session.seats[0], &request(), None, &seen);
        // 6 for the prompt, and 11 tokens of 8 in the 94 that are left.
        assert_eq!((judged.cu, judged.usage.out), (Cu(94), 11));
    }
}
