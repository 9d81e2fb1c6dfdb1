//! Whatever comes over the border, the other side gets an answer.

use crate::border::{ask, begun, deposit, execute, raw};
use crate::world::{Fault, block};
use lode_chain::code;
use proptest::prelude::*;
use proto::message::Message;

/// Bytes of which some are of a message.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let changed = (0usize..40, any::<u8>()).prop_map(|(at, byte)| {
        let mut value = deposit(500).to_value();
        let length = value.len();
        value[at % length] = byte;
        value
    });
    prop_oneof![bytes(), changed]
}

fn type_url() -> impl Strategy<Value = String> {
    let known = (0usize..Message::TYPE_URLS.len()).prop_map(|i| Message::TYPE_URLS[i].to_owned());
    prop_oneof![4 => known, 1 => ".{0,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_executed_or_refused(url in type_url(), value in value()) {
        let mut world = begun();
        let before = world.memory.state_hash();
        let outcome = raw(&mut world, &block(1), &url, &value);
        prop_assert!(outcome.code < code::ABORTED, "{}: {}", outcome.code, world.words());
        prop_assert!(outcome.code == 0 || world.memory.state_hash() == before);
    }

    #[test]
    fn any_question_is_answered_or_refused(path in ".{0,40}", question in value()) {
        let mut world = begun();
        let outcome = ask(&mut world, &path, &question);
        prop_assert!(outcome.code != 0 && outcome.code < code::ABORTED);
    }

    #[test]
    fn any_answer_of_a_callback_ends_in_an_outcome(n in 1u32..20, answer in any::<i32>()) {
        // A length that is announced must come, so only small ones are tried.
        let answer = i64::from(answer).min(1 << 20);
        let mut world = begun();
        world.fault = Some(Fault::Answers(n, answer));
        execute(&mut world, &deposit(500));
    }
}
