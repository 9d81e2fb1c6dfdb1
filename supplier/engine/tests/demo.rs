//! The demo model says the same, bit by bit, as when its answers were first signed.
#![allow(clippy::unwrap_used)]

use engine::{Chunk, Model};
use std::path::Path;

#[test]
fn logits_of_the_demo_model_never_change() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
    let model = Model::load(&folder).unwrap();
    let mut cache = model.cache(1);
    let slot = cache.take().unwrap();
    let tokens: Vec<u32> = (0..120).map(|i| 5 + i * 37 % 900).collect();
    let mut hash = blake3::Hasher::new();
    for part in [&tokens[..1], &tokens[1..2], &tokens[2..70], &tokens[70..]] {
        let chunk = Chunk { slot, tokens: part, wants_logits: true };
        let logits = model.step(&mut cache, &[chunk]).unwrap().remove(0).unwrap();
        for logit in logits {
            hash.update(&logit.to_bits().to_le_bytes());
        }
    }
    assert_eq!(
        hash.finalize().to_hex().as_str(),
        "649c978a83ef62449b17584e96ff28f9ecbc3ca2ecd23b3605537b1183036312"
    );
}
