//! Frozen bytes of everything that is hashed or signed. A change here is a change of the protocol:
//! what was signed before could not be checked any more.
//!
//! `UPDATE_EXPECT=1 cargo test -p proto --test vectors` writes them anew.
#![allow(clippy::unwrap_used)]

use expect_test::expect_file;
use proto::keys::RelaySecret;
use proto::leaf::{self, AckHead, AckProof, Leaf};
use proto::relay::{
    Ack, AckEntry, Acked, Receipt, RelayRequest, Signable, Signed, Status, link, sampler_seed,
};
use proto::service::ServiceId;
use proto::session::Session;
use proto::units::{Cu, Digest, Height, Time};
use proto::wire::Wire;
use proto::{Address, Usage, seed, transcript};
use std::fmt::Write;

fn gateway() -> RelaySecret {
    RelaySecret::from_bytes(&[1; 32])
}

fn supplier() -> RelaySecret {
    RelaySecret::from_bytes(&[2; 32])
}

fn request() -> Signed<RelayRequest> {
    RelayRequest {
        chain_id: "lode-vectors".into(),
        session_id: Digest([3; 32]),
        supplier: Address([4; 20]),
        relay_id: Digest([5; 32]),
        seq: 300,
        request_digest: proto::relay::body_digest(b"{}"),
        max_cu: Cu(1 << 40),
        issued_at: Height(77),
        acked: Acked { count: 2, cu: Cu(9), floor: 2, hash: Digest([6; 32]) },
    }
    .sign(&gateway())
}

fn receipt() -> Signed<Receipt> {
    let commitment = transcript::commit(&[b'x'; 3_000]);
    Receipt {
        session_id: Digest([3; 32]),
        relay_id: Digest([5; 32]),
        request_digest: proto::relay::body_digest(b"{}"),
        response_root: commitment.root,
        chunk_count: commitment.chunk_count,
        usage: Usage { fresh_in: 10, cached_in: 0, out: 20 },
        cu: Cu(90),
        status: Status::Completed,
        started_at: Time(1_700_000_000_000),
        first_token_at: Time(1_700_000_000_100),
        finished_at: Time(1_700_000_001_000),
        evidence_root: Digest::default(),
    }
    .sign(&supplier())
}

fn ack() -> Signed<Ack> {
    Ack {
        chain_id: "lode-vectors".into(),
        session_id: Digest([3; 32]),
        supplier: Address([4; 20]),
        acked: Acked { count: 3, cu: Cu(99), floor: 301, hash: Digest([7; 32]) },
    }
    .sign(&gateway())
}

#[test]
fn what_is_hashed_or_signed_has_the_bytes_it_always_had() {
    let entry = AckEntry { relay_id: Digest([5; 32]), cu: Cu(90) };
    let proof = AckProof { before: Digest([8; 32]), tail: vec![entry], head: AckHead::Ack(ack()) };
    let leaf = Leaf { request: request(), receipt: receipt(), ack: Some(proof) };
    let service = ServiceId::new("lode-demo").unwrap();
    let session_id =
        Session::id_of("lode-vectors", &service, &Address([9; 20]), &Address([10; 20]), Height(61));
    let first = seed::first("lode-vectors");
    let mut text = String::new();
    let mut line = |name: &str, value: String| writeln!(text, "{name} {value}").unwrap();
    line("address", Address([4; 20]).to_string());
    line("request.bytes", hex::encode(request().body.encode()));
    line("request.digest", request().body.digest().to_string());
    line("request.signature", hex::encode(request().signature.0));
    line("receipt.bytes", hex::encode(receipt().body.encode()));
    line("receipt.digest", receipt().body.digest().to_string());
    line("receipt.signature", hex::encode(receipt().signature.0));
    line("ack.bytes", hex::encode(ack().body.encode()));
    line("ack.digest", ack().body.digest().to_string());
    line("ack.link", link(&Digest([8; 32]), &entry).to_string());
    line("leaf.bytes", hex::encode(leaf.encode()));
    line("leaf.path", leaf.path().to_string());
    line("leaf.value", leaf.value_hash().to_string());
    line("session.id", session_id.to_string());
    line("seed.first", first.to_string());
    line("seed.vrf_input", hex::encode(seed::vrf_input(&first, Height(2))));
    line("seed.next", seed::next(&first, &[proto::vrf::VrfOutput([1; 64])]).to_string());
    let seats = (Digest([3; 32]), Digest([5; 32]), Address([4; 20]));
    line("sampler.seed", format!("{:016x}", sampler_seed(&seats.0, &seats.1, &seats.2)));
    let point = leaf::drawn_point(&first, &seats.0, &seats.2, 1, Cu(1_000_000));
    line("proof.point", point.to_string());
    line("transcript.root", receipt().body.response_root.to_string());
    expect_file!["../vectors/wire.txt"].assert_eq(&text);
}
