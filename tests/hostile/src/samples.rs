//! Right bytes to begin with: a fuzzer's first corpus, and what property tests change a little.

use crate::wires::kind_of;
use proto::message::{self, Message};
use proto::relay::Envelope;
use proto::session::Session;
use proto::wire::Wire;
use std::path::Path;
use tests::town::{Town, Tree, draft, first_seat, sign};

/// Right bytes for one reader.
pub struct Sample {
    /// The function of this crate that reads them.
    pub reader: &'static str,
    pub bytes: Vec<u8>,
}

/// Right bytes for each reader.
pub fn samples() -> Vec<Sample> {
    let mut town = Town::new(2);
    let session = town.open();
    let tree = tree(&session);
    let (_, operator) = first_seat(&session);
    let root = tree.root(&session);
    let claims = message::SubmitClaims { operator, claims: vec![root] };
    let openings = tree.openings(&session, operator, &proto::Digest([5; 32]));
    let proof = message::Proof { session_id: session.id, openings: openings.clone() };
    let proofs = message::SubmitProofs { operator, proofs: vec![proof] };
    let leaf = openings[0].leaf.clone();
    let envelope = Envelope { request: leaf.request.clone(), entries: Vec::new() };
    let wires = [
        tagged(&session),
        tagged(&root),
        tagged(&leaf),
        tagged(&openings[0]),
        tagged(&envelope),
        message_bytes(&claims.clone().into()),
        message_bytes(&proofs.clone().into()),
    ];
    let script: Vec<u8> = [claims.into(), proofs.into()].iter().flat_map(step).collect();
    let wires = wires.into_iter().map(|bytes| Sample { reader: "wire", bytes });
    wires
        .chain([
            Sample { reader: "market", bytes: script },
            Sample { reader: "trie_proof", bytes: trie_proof(&tree) },
            Sample { reader: "vrf", bytes: vrf() },
            Sample { reader: "model", bytes: model() },
        ])
        .chain(crate::audits::asked_and_shown(&openings[0]))
        .chain(talk())
        .chain(crate::links::frames())
        .collect()
}

fn tree(session: &Session) -> Tree {
    let (i, operator) = first_seat(session);
    Tree::of((0..9).map(|n| sign(draft(session, operator, n, n + 1), i)).collect())
}

fn tagged<T: Wire>(value: &T) -> Vec<u8> {
    [vec![kind_of::<T>()], value.encode()].concat()
}

fn kind(message: &Message) -> u8 {
    let at = Message::TYPE_URLS.iter().position(|url| *url == message.type_url());
    u8::try_from(at.unwrap()).unwrap()
}

fn message_bytes(message: &Message) -> Vec<u8> {
    [vec![kind(message)], message.to_value()].concat()
}

fn step(message: &Message) -> Vec<u8> {
    let value = message.to_value();
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    // To the claim window and on.
    let wait = [vec![255, 0, 0], vec![255, 0, 0]].concat();
    [wait, vec![kind(message)], length.to_vec(), value].concat()
}

fn trie_proof(tree: &Tree) -> Vec<u8> {
    let root = tree.trie.root();
    let (leaf, proof) = tree.trie.prove_at(0).unwrap();
    let mut bytes = root.digest.to_vec();
    for number in [root.sum, root.count, leaf.weight, 0, 0] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(proof.encode());
    bytes
}

fn vrf() -> Vec<u8> {
    let secret = proto::vrf::VrfSecret::from_bytes(&[7; 32]);
    let (_, proof) = secret.prove(b"seed");
    [&secret.public().0[..], &proof.0, b"seed"].concat()
}

/// The beginning of a model's file: its header and some of its weights.
fn model() -> Vec<u8> {
    const BEGINNING: usize = 1 << 16;
    let path = "../../deploy/lode/models/lode-demo/model.gguf";
    let mut bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    bytes.truncate(BEGINNING);
    bytes
}

fn talk() -> Vec<Sample> {
    let chat = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stop":["a"],"n":2,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true}}"#;
    let legacy = r#"{"model":"m","prompt":["a",[1,2]],"max_tokens":5}"#;
    let stream = "\u{1}\u{3}data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi 🦀\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[],\"usage\":{\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let whole = r#"{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"total_tokens":3}}"#;
    let sample = |reader, text: &str| Sample { reader, bytes: text.as_bytes().to_vec() };
    vec![
        sample("request", chat),
        sample("request", legacy),
        sample("answer", stream),
        sample("answer", &format!("\u{0}\u{5}{whole}")),
        sample("splice", whole),
    ]
}
