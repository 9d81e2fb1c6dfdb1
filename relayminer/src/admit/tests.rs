#![allow(clippy::unwrap_used)]

use super::*;
use crate::book::Record;
use crate::rig::{self, Gateway, header, identity};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use proto::relay::{RelayRequest, Signable, Status};

/// What is tried: a request, its body, and the miner's view.
struct Try {
    gateway: Gateway,
    book: Book,
    body: Vec<u8>,
    max_cu: u64,
    seq: u64,
    at: Height,
    change: fn(&mut RelayRequest),
    header: fn(String) -> Option<String>,
    sign: bool,
}

impl Try {
    fn new() -> Try {
        let session = rig::session(1);
        Try {
            gateway: Gateway::of(session.clone()),
            book: Book::new(rig::opened(session)),
            body: b"body".to_vec(),
            max_cu: 100,
            seq: 0,
            at: Height(3),
            change: |_| {},
            header: Some,
            sign: true,
        }
    }

    /// A relay that was let in before, and ended with `cu` if it did.
    fn with_relay(mut self, cu: Option<u64>) -> Try {
        let envelope = self.gateway.request(b"earlier", 100);
        let request = envelope.request.body.clone();
        let accepted = Accepted { height: Height(2), at: Time(1), envelope };
        self.book.add(&Record::Accepted(Box::new(accepted))).unwrap();
        if let Some(cu) = cu {
            let receipt = rig::receipt(&request, cu, Status::Completed);
            self.book.add(&Record::Receipt(Box::new(receipt))).unwrap();
        }
        self.seq = self.gateway.next;
        self
    }

    fn run(mut self) -> Result<Accepted, Refused> {
        let mut envelope = self.gateway.request_of(self.seq, &self.body, self.max_cu);
        (self.change)(&mut envelope.request.body);
        if self.sign {
            envelope.request = envelope.request.body.sign(&Gateway::secret());
        }
        let text = (self.header)(header(&envelope));
        let envelope = read_header(text.as_deref().map(str::as_bytes))?;
        let session = &self.gateway.session;
        check_header(&envelope, session, &identity(), self.at)?;
        let checked = check(envelope, session, &self.body)?;
        check_reservation(&checked, Cu(5))?;
        admit(&self.book, checked, self.at, Time(9))
    }
}

fn check_try(change: impl FnOnce(Try) -> Try, outcome: &Expect) {
    let text = match change(Try::new()).run() {
        Ok(accepted) => format!("let in, with {} new entries", accepted.envelope.entries.len()),
        Err(refused) => {
            let (status, code) = refused.code();
            let name = format!("{refused:?}");
            let name = name.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            format!("{status} {code} {name}")
        }
    };
    outcome.assert_eq(&text);
}

#[test]
fn a_relay_that_keeps_the_rules_is_let_in() {
    check_try(|t| t, &expect!["let in, with 0 new entries"]);
    check_try(|t| Try { max_cu: 10_000, ..t }, &expect!["let in, with 0 new entries"]);
    // Numbers may have gaps: a request that never came used one up.
    check_try(|t| Try { seq: 77, ..t }, &expect!["let in, with 0 new entries"]);
    check_try(|t| Try { at: Height(13), ..t }, &expect!["let in, with 0 new entries"]);
}

#[test]
fn what_cannot_be_read_is_refused() {
    check_try(|t| Try { header: |_| None, ..t }, &expect!["400 malformed NoHeader"]);
    check_try(|t| Try { header: |h| Some(h + "*"), ..t }, &expect!["400 malformed NotBase64"]);
    check_try(|t| Try { header: |h| Some(h + "AAAA"), ..t }, &expect!["400 malformed BadWire"]);
    check_try(
        |t| Try { header: |h| Some(h.repeat(99)), ..t },
        &expect!["400 malformed HeaderTooLarge"],
    );
}

#[test]
fn what_is_anothers_is_refused() {
    check_try(
        |t| Try { change: |r| r.chain_id = "x".into(), ..t },
        &expect!["400 malformed OtherChain"],
    );
    check_try(
        |t| Try { change: |r| r.supplier = Address([1; 20]), ..t },
        &expect!["400 malformed OtherSupplier"],
    );
    check_try(
        |mut t| {
            t.gateway.session.seats[0].operator = Address([1; 20]);
            t
        },
        &expect!["404 unknown_session NoSeat"],
    );
    check_try(
        |mut t| {
            t.gateway.session.seats[0].relay_key = Gateway::secret().public();
            t
        },
        &expect!["404 unknown_session OtherRelayKey"],
    );
    check_try(
        |mut t| {
            t.gateway.session.gateway_key = rig::relay_secret().public();
            t
        },
        &expect!["401 not_signed Signature"],
    );
    check_try(
        |t| Try { sign: false, change: |r| r.max_cu = Cu(101), ..t },
        &expect!["401 not_signed Signature"],
    );
}

#[test]
fn a_session_serves_in_its_window_only() {
    check_try(|t| Try { at: Height(14), ..t }, &expect!["410 session_over OutsideSession"]);
    check_try(
        |t| Try { change: |r| r.issued_at = Height(14), ..t },
        &expect!["410 session_over OutsideSession"],
    );
    check_try(
        |t| Try { change: |r| r.issued_at = Height(0), ..t },
        &expect!["410 session_over OutsideSession"],
    );
    check_try(
        |t| Try { change: |r| r.issued_at = Height(6), ..t },
        &expect!["404 unknown_session FromTheFuture"],
    );
    check_try(
        |t| Try { change: |r| r.issued_at = Height(5), ..t },
        &expect!["let in, with 0 new entries"],
    );
}

#[test]
fn a_body_is_the_signed_one_and_not_too_large() {
    check_try(
        |t| Try { change: |r| r.request_digest = Digest([0; 32]), ..t },
        &expect!["400 malformed OtherBody"],
    );
    check_try(
        |mut t| {
            t.gateway.session.terms.request_max_bytes = 3;
            t
        },
        &expect!["413 too_large BodyTooLarge"],
    );
}

#[test]
fn a_reservation_covers_the_answer_and_fits_the_budget() {
    check_try(|t| Try { max_cu: 4, ..t }, &expect!["402 over_budget UnderReserved"]);
    check_try(|t| Try { max_cu: 10_001, ..t }, &expect!["402 over_budget OverBudget"]);
    // What runs is reserved in full, what ended counts with what it was billed.
    check_try(
        |t| Try { max_cu: 9_901, ..t.with_relay(None) },
        &expect!["402 over_budget OverBudget"],
    );
    check_try(
        |t| Try { max_cu: 9_900, ..t.with_relay(None) },
        &expect!["let in, with 0 new entries"],
    );
    check_try(
        |t| Try { max_cu: 9_931, ..t.with_relay(Some(70)) },
        &expect!["402 over_budget OverBudget"],
    );
    check_try(
        |t| Try { max_cu: 9_930, ..t.with_relay(Some(70)) },
        &expect!["let in, with 0 new entries"],
    );
}

#[test]
fn ids_and_numbers_are_used_once() {
    check_try(|t| Try { seq: 0, ..t.with_relay(Some(1)) }, &expect!["400 malformed UsedId"]);
    check_try(
        |t| Try { change: |r| r.seq = 0, ..t.with_relay(Some(1)) },
        &expect!["400 malformed UsedSeq"],
    );
    check_try(
        |mut t| {
            t.gateway.agree(0, 0);
            t
        },
        &expect!["400 malformed UsedId"],
    );
}

#[test]
fn acknowledgements_lead_on_from_what_is_known() {
    check_try(
        |mut t| {
            t = t.with_relay(Some(70));
            t.gateway.agree(0, 70);
            t
        },
        &expect!["let in, with 1 new entries"],
    );
    check_try(
        |mut t| {
            t.gateway.agree(0, 70);
            t.gateway.fresh.clear();
            t
        },
        &expect!["409 ack_mismatch AckMismatch"],
    );
    check_try(
        |mut t| {
            (0..257).for_each(|seq| t.gateway.agree(1000 + seq, 1));
            t
        },
        &expect!["400 malformed TooManyEntries"],
    );
}

#[test]
fn only_so_many_relays_may_be_unacknowledged() {
    let eight = |t: Try| (0..8).fold(t, |t, _| t.with_relay(Some(10)));
    check_try(eight, &expect!["429 inflight Unacknowledged"]);
    // The request that acknowledges makes room for itself, but one relay makes room once.
    check_try(
        |t| {
            let mut t = eight(t);
            t.gateway.agree(3, 10);
            t
        },
        &expect!["let in, with 1 new entries"],
    );
    check_try(
        |t| {
            let mut t = eight(t).with_relay(Some(10));
            t.gateway.agree(3, 10);
            t.gateway.agree(3, 10);
            t
        },
        &expect!["429 inflight Unacknowledged"],
    );
    // A gateway that acknowledges next to nothing is not served for long.
    check_try(
        |t| {
            let mut t = eight(t);
            (0..8).for_each(|seq| t.gateway.agree(seq, 4));
            let update = t.gateway.update();
            t.book.add(&Record::Acked(Box::new(update))).unwrap();
            t
        },
        &expect!["429 inflight ShortAcknowledged"],
    );
}

#[test]
fn an_acknowledgement_by_itself_is_taken_once() {
    let Try { mut gateway, mut book, .. } = Try::new().with_relay(Some(70));
    gateway.agree(0, 70);
    let update = gateway.update();
    check_ack(&update, &gateway.session, &identity()).unwrap();
    let record = acknowledge(&book, update.clone()).unwrap().unwrap();
    book.add(&Record::Acked(Box::new(record))).unwrap();
    assert_eq!(acknowledge(&book, update.clone()), Ok(None));
    assert_eq!(book.unacked(), 0);
    let mut forged = update;
    forged.ack.body.acked.cu = Cu(1);
    assert_eq!(check_ack(&forged, &gateway.session, &identity()), Err(Refused::Signature));
}

proptest! {
    #[test]
    fn no_header_makes_the_miner_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = STANDARD.encode(&bytes);
        prop_assert!(read_header(Some(text.as_bytes())).is_err() || !bytes.is_empty());
        prop_assert!(read_header(Some(&bytes)).is_err() || !bytes.is_empty());
    }
}
