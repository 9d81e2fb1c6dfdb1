//! Everything that is hashed or signed.

use proto::message::Message;
use proto::vrf::{VrfProof, VrfPublic};
use proto::wire::Wire;
use proto::{claim, leaf, message, params, query, relay, service, session, supplier};
use smst::{Leaf, Node, Proof};

/// Bytes of a type of the schema - the first byte says which - are refused or are the only way to
/// write what they say.
pub fn wire(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let messages = Message::TYPE_URLS.len();
    match usize::from(*kind) {
        i if i < messages => {
            if let Ok(message) = Message::from_any(Message::TYPE_URLS[i], bytes) {
                assert_eq!(message.to_value(), bytes);
            }
        }
        i => {
            let (_, reader) = TYPES[(i - messages) % TYPES.len()];
            reader(bytes);
        }
    }
}

/// The first byte with which [`wire`] reads a `T`.
pub(crate) fn kind_of<T: Wire>() -> u8 {
    let name = std::any::type_name::<T>();
    let at = TYPES.iter().position(|(reads, _)| reads() == name).unwrap();
    u8::try_from(Message::TYPE_URLS.len() + at).unwrap()
}

macro_rules! types {
    ($($type:ty),* $(,)?) => {
        /// A type's name and its reader.
        const TYPES: &[(fn() -> &'static str, fn(&[u8]))] =
            &[$((std::any::type_name::<$type>, one_form::<$type>)),*];
    };
}

types! {
    service::Service, supplier::Supplier, supplier::Gateway, params::Params, session::Session,
    claim::ClaimRoot, claim::Claim, claim::Settled,
    relay::RelayRequest, relay::Receipt, relay::Envelope, relay::AckUpdate,
    leaf::Leaf, leaf::Opening, message::Genesis,
    query::Sessions, query::ListSessions, query::App,
}

fn one_form<T: Wire>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
}

/// A proof of the usage trie is refused, or is written in one form and shows an interval within
/// the sum.
pub fn trie_proof(bytes: &[u8]) {
    let Some((head, bytes)) = bytes.split_at_checked(72) else { return };
    let number = |at: usize| u64::from_be_bytes(head[at..at + 8].try_into().unwrap());
    let hash: [u8; 32] = head[..32].try_into().unwrap();
    let root = Node { digest: hash, sum: number(32), count: number(40) };
    let leaf = Leaf { path: hash, value_hash: hash, weight: number(48) };
    let Ok(proof) = Proof::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    if let Ok(interval) = proof.verify(&root, &leaf) {
        assert!(interval.end <= root.sum && interval.end - interval.start == leaf.weight);
    }
}

/// A VRF's proof over a seed is refused or gives one output.
pub fn vrf(bytes: &[u8]) {
    let Some((key, rest)) = bytes.split_first_chunk::<32>() else { return };
    let Some((proof, input)) = rest.split_first_chunk::<80>() else { return };
    let (key, proof) = (VrfPublic(*key), VrfProof(*proof));
    let output = key.verify(input, &proof).ok();
    assert_eq!(key.verify(input, &proof).ok(), output);
}
