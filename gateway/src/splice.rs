//! Puts the cost into an answer's `usage` without touching another byte.
//!
//! `"usage":{` becomes `"usage":{"cost":{"amount":"…","denom":"…"},`. Those exact bytes cannot be
//! inside a JSON string, where a quote is written `\"`: finding them needs no parsing. A receipt is
//! over the supplier's bytes; [`take_out`] gives them back.

use proto::Coin;

/// What is put right after the brace of `usage`.
pub fn insert_of(cost: &Coin) -> String {
    format!("\"cost\":{{\"amount\":\"{}\",\"denom\":\"{}\"}}", cost.amount, cost.denom)
}

/// Looks for the brace of a `usage` object in bytes that come in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finder {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// This many bytes of [`NAME`] were seen.
    Name(u8),
    /// A backslash was seen: the next byte is skipped, whatever it is.
    Escaped,
    /// The name was seen: a colon is next.
    Colon,
    /// The colon was seen: a brace is next.
    Brace,
    #[default]
    Start,
}

const NAME: &[u8] = b"\"usage\"";

impl Finder {
    /// Takes the next bytes. Gives the offset just after the first `"usage":{` that ends in them,
    /// and is at the start again then.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Start {
                // Most bytes are skipped here.
                let skipped = bytes[at..].iter().position(|b| matches!(b, b'"' | b'\\'))?;
                at += skipped;
            }
            let found = self.step(bytes[at]);
            at += 1;
            if found {
                return Some(at);
            }
        }
        None
    }

    fn step(&mut self, byte: u8) -> bool {
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.state = match self.state {
            State::Name(seen) if byte == NAME[usize::from(seen)] => {
                if usize::from(seen) + 1 == NAME.len() {
                    State::Colon
                } else {
                    State::Name(seen + 1)
                }
            }
            State::Escaped => State::Start,
            State::Colon | State::Brace if space => self.state,
            State::Colon if byte == b':' => State::Brace,
            State::Brace if byte == b'{' => {
                self.state = State::Start;
                return true;
            }
            State::Name(_) | State::Colon | State::Brace | State::Start => match byte {
                b'"' => State::Name(1),
                b'\\' => State::Escaped,
                _ => State::Start,
            },
        };
        false
    }
}

/// The answer with its cost, and the supplier's bytes unchanged when there is no `usage` object.
pub fn put_in(answer: &[u8], cost: &Coin) -> Option<Vec<u8>> {
    let at = Finder::default().find(answer)?;
    let mut out = Vec::with_capacity(answer.len() + 96);
    out.extend_from_slice(&answer[..at]);
    out.extend_from_slice(insert_of(cost).as_bytes());
    if !is_empty_object(&answer[at..]) {
        out.push(b',');
    }
    out.extend_from_slice(&answer[at..]);
    Some(out)
}

/// Whether the rest of an object, after its brace, has no members.
pub fn is_empty_object(rest: &[u8]) -> bool {
    rest.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'}')
}

/// The supplier's bytes of an answer that a gateway put a cost into: what a receipt's
/// `response_root` is over.
pub fn take_out(answer: &[u8]) -> Vec<u8> {
    const BEGIN: &[u8] = b"\"cost\":{\"amount\":\"";
    let mut finder = Finder::default();
    let mut from = 0;
    while let Some(offset) = finder.find(&answer[from..]) {
        let at = from + offset;
        if answer[at..].starts_with(BEGIN)
            && let Some(close) = answer[at..].iter().position(|b| *b == b'}')
        {
            let mut end = at + close + 1;
            if answer.get(end) == Some(&b',') {
                end += 1;
            }
            return [&answer[..at], &answer[end..]].concat();
        }
        from = at;
    }
    answer.to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proto::Amount;

    fn cost() -> Coin {
        Coin::stake(Amount(42))
    }

    fn check(before: &str, after: &str) {
        let spliced = put_in(before.as_bytes(), &cost()).unwrap();
        assert_eq!(String::from_utf8(spliced.clone()).unwrap(), after);
        assert_eq!(take_out(&spliced), before.as_bytes());
    }

    #[test]
    fn the_cost_comes_first_in_usage() {
        check(
            r#"{"id":"x","usage":{"prompt_tokens":1}}"#,
            r#"{"id":"x","usage":{"cost":{"amount":"42","denom":"ulode"},"prompt_tokens":1}}"#,
        );
        check(
            "{\"usage\" : { }}",
            "{\"usage\" : {\"cost\":{\"amount\":\"42\",\"denom\":\"ulode\"} }}",
        );
    }

    #[test]
    fn text_that_looks_like_usage_stays_as_it_is() {
        for text in [
            r#"{"content":"\"usage\":{"}"#,
            r#"{"content":"\\\"usage\":{"}"#,
            r#"{"usage":null}"#,
            r#"{"usage":[{}]}"#,
            r#"{"my_usage":{}}"#,
        ] {
            serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(put_in(text.as_bytes(), &cost()), None, "{text}");
        }
        let text = r#"{"content":"say \\","usage":{"n":1}}"#;
        assert!(put_in(text.as_bytes(), &cost()).is_some());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(
            content in "[\\\\\"usage:{} ]{0,30}", cuts in prop::collection::vec(0usize..200, 0..5)
        ) {
            let text = serde_json::json!({ "content": content, "usage": { "n": 1 } }).to_string();
            let bytes = text.as_bytes();
            let whole = Finder::default().find(bytes);
            prop_assert!(whole.is_some());
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
            cuts.sort_unstable();
            let (mut finder, mut from, mut found) = (Finder::default(), 0, None);
            for cut in cuts.into_iter().chain([bytes.len()]) {
                found = found.or(finder.find(&bytes[from..cut]).map(|at| from + at));
                from = cut;
            }
            prop_assert_eq!(found, whole);
            let spliced = put_in(bytes, &cost()).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&spliced).unwrap();
            prop_assert_eq!(&value["usage"]["cost"]["amount"], "42");
            prop_assert_eq!(&value["content"], &serde_json::Value::String(content));
            prop_assert_eq!(take_out(&spliced), bytes);
        }
    }
}
