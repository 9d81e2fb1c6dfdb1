//! A recorded run of the market: every kind of message, from the honest and from rogues, with what
//! became of it. `loded` must say the same, see `chain/node/app/trace_test.go`.
//!
//! `UPDATE_EXPECT=1 cargo test -p chain-ffi --test trace` records it anew.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod audits;
mod cast;
mod recorder;
mod scenario;

use proto::message::Message;

#[test]
fn the_recorded_run_is_what_the_market_does() {
    let recorder = scenario::play();
    for type_url in Message::TYPE_URLS {
        for refused in [false, true] {
            assert!(
                recorder.has(type_url, refused),
                "{type_url}, refused: {refused}, is not played"
            );
        }
    }
    let kept = expect_test::expect_file!["../../../node/app/testdata/trace.jsonl"];
    kept.assert_eq(&recorder.into_lines());
}
