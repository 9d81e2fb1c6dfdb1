//! What boxes that share a model say to each other.

use crate::Sample;
use engine::{Residual, Span};
use supplier::link::{About, Frame, Greeting, Order, PeerKey, Rows, VERSION, Yield};

/// A frame is refused, or is written in one form.
pub fn frame(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(&frame.encode()[4..], bytes);
    }
}

/// Right frames, to be changed.
pub(crate) fn frames() -> Vec<Sample> {
    let (epoch, step, spent, x) = (3, 9, vec![10, 20], vec![0.5, -1.0, 2.0, 0.0]);
    let span = Span { pages: vec![3, 1], from: 33, count: 2, wants: 2 };
    let key = PeerKey([5; 32]);
    let after = Some((key, "10.0.0.3:9200".to_owned()));
    let about = About {
        version: VERSION,
        fingerprint: [1; 32],
        layers: 8,
        hidden: 2,
        fixed: Some(2..4),
        weights_bytes: 1 << 40,
        cache_bytes: 1 << 30,
        curve: vec![(1, 100), (8, 300)],
    };
    let order = Order {
        epoch,
        fingerprint: [1; 32],
        layers: 2..4,
        residual: Residual::Bf16,
        pages: 64,
        before: Some(key),
        after,
    };
    let residual = Residual::F32;
    let rows =
        Rows { epoch, step, spent: spent.clone(), spans: vec![span], residual, x: x.clone() };
    let frames = [
        Frame::Greeting { version: VERSION, greeting: Greeting::Before { epoch } },
        Frame::About(about),
        Frame::Order(order),
        Frame::Rows(rows),
        Frame::Yield(Yield { epoch, step, spent, residual, x }),
        Frame::Ping { nonce: 1, padding: 3 },
        Frame::Broken { epoch, reason: "gone".to_owned() },
    ];
    let sample = |frame: &Frame| Sample { reader: "frame", bytes: frame.encode()[4..].to_vec() };
    frames.iter().map(sample).collect()
}
