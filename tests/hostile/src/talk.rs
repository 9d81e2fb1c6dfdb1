//! What clients and backends say.

use gateway::receipt::{Document, verify};
use meter::{Delivered, Endpoint, Meter};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static METER: LazyLock<Arc<Meter>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
    Arc::new(Meter::load(&folder).unwrap())
});

/// A client's request is refused, or asks for tokens that the context holds.
pub fn request(body: &[u8]) {
    let context = u64::from(METER.context_max());
    for endpoint in [Endpoint::Chat, Endpoint::Completions] {
        if let Ok(asked) = METER.read(endpoint, body) {
            let longest = asked.prompts.iter().map(Vec::len).max().unwrap_or(0) as u64;
            assert!(longest + asked.max_tokens <= context, "{asked:?}");
        }
    }
}

/// A backend's answer counts alike, wherever the network cuts it: the first two bytes say whether it
/// is a stream, and where it is cut.
pub fn answer(bytes: &[u8]) {
    let Some((head, answer)) = bytes.split_first_chunk::<2>() else { return };
    let stream = head[0] % 2 == 1;
    let mut whole = Delivered::new(METER.clone(), stream);
    whole.push(answer);
    let mut cut = Delivered::new(METER.clone(), stream);
    for piece in answer.chunks(usize::from(head[1]).max(1)) {
        cut.push(piece);
    }
    assert_eq!((whole.out(), whole.ending()), (cut.out(), cut.ending()));
}

/// What a gateway adds to an answer is found and taken out again.
pub fn splice(answer: &[u8]) {
    let cost = proto::Coin::stake(proto::Amount(7));
    if let Some(spliced) = gateway::splice::put_in(answer, &cost) {
        assert_eq!(gateway::splice::take_out(&spliced), answer);
    }
}

/// A receipt's document is refused or verified; a verified one verifies again.
pub fn document(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Document>(bytes) else { return };
    let first = verify(&document).is_ok();
    let text = serde_json::to_vec(&document).unwrap();
    let again: Document = serde_json::from_slice(&text).unwrap();
    assert_eq!(verify(&again).is_ok(), first);
}
