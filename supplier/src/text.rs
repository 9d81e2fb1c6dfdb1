//! From tokens to text: whole characters only, and nothing of a stop string.

use meter::Meter;

/// Turns the tokens of one answer into text.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    tokens: Vec<u32>,
    /// Tokens before this are said.
    said: usize,
    /// Text decoding begins here: a token's text may depend on the one before it.
    from: usize,
    /// Text that may turn out to be the beginning of a stop string.
    held: String,
    stop: Vec<String>,
}

/// What became of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This much more of the text is sure; maybe nothing yet.
    More(String),
    /// The text ends with this, before a stop string.
    Stopped(String),
}

impl Voice {
    pub(crate) fn new(stop: Vec<String>) -> Voice {
        Voice { stop, ..Voice::default() }
    }

    /// The tokens so far.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Takes the next token.
    pub(crate) fn say(&mut self, meter: &Meter, token: u32) -> Said {
        self.tokens.push(token);
        let before = meter.decode(&self.tokens[self.from..self.said]);
        let now = meter.decode(&self.tokens[self.from..]);
        // A character of several bytes may be spread over tokens: it is said when it is whole.
        let fresh = match now.strip_prefix(&before) {
            Some(fresh) if !now.ends_with('\u{fffd}') => fresh,
            _ => return Said::More(String::new()),
        };
        self.held.push_str(fresh);
        self.from = self.said;
        self.said = self.tokens.len();
        if let Some(at) = self.stop.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(at);
            return Said::Stopped(std::mem::take(&mut self.held));
        }
        let kept = self.held.len() - self.maybe_stop();
        let rest = self.held.split_off(kept);
        Said::More(std::mem::replace(&mut self.held, rest))
    }

    /// What is left to say when no more tokens come.
    pub(crate) fn end(&mut self, meter: &Meter) -> String {
        let before = meter.decode(&self.tokens[self.from..self.said]);
        let now = meter.decode(&self.tokens[self.from..]);
        let rest = now.strip_prefix(&before).unwrap_or_default();
        let rest = rest.trim_end_matches('\u{fffd}');
        let mut text = std::mem::take(&mut self.held);
        text.push_str(rest);
        text
    }

    /// Bytes at the end of what is held that a stop string could begin with.
    fn maybe_stop(&self) -> usize {
        let begins = |stop: &String| {
            let longest = stop.len().min(self.held.len());
            let fits = |length: &usize| {
                let at = self.held.len() - length;
                self.held.is_char_boundary(at) && stop.starts_with(&self.held[at..])
            };
            (1..=longest).rev().find(fits).unwrap_or(0)
        };
        self.stop.iter().map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    thread_local! {
        static METER: Meter = Meter::load(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo"),
        ).unwrap();
    }

    /// What is said of `tokens`, piece by piece, and whether a stop string ended it.
    fn said(meter: &Meter, tokens: &[u32], stop: &[String]) -> (Vec<String>, bool) {
        let (mut voice, mut pieces) = (Voice::new(stop.to_vec()), Vec::new());
        for token in tokens {
            match voice.say(meter, *token) {
                Said::More(text) => pieces.push(text),
                Said::Stopped(text) => {
                    pieces.push(text);
                    return (pieces, true);
                }
            }
        }
        pieces.push(voice.end(meter));
        (pieces, false)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn nothing_of_a_stop_string_is_ever_said(
            text in "[abc é🦀\n]{0,40}", stop in prop::collection::vec("[abc é🦀]{1,6}", 0..5)
        ) {
            METER.with(|meter| {
                let tokens = meter.encode(&text);
                let (pieces, stopped) = said(meter, &tokens, &stop);
                let all = pieces.concat();
                prop_assert!(text.starts_with(&all));
                prop_assert!(stop.iter().all(|stop| !all.contains(stop.as_str())));
                prop_assert_eq!(stopped, stop.iter().any(|stop| text.contains(stop.as_str())));
                prop_assert!(stopped || all == text);
                Ok(())
            })?;
        }

        #[test]
        fn text_that_no_stop_string_begins_with_is_said_at_once(text in "[abc ]{0,40}") {
            METER.with(|meter| {
                let tokens = meter.encode(&text);
                let (pieces, _) = said(meter, &tokens, &["xyz".to_owned()]);
                for (i, _) in tokens.iter().enumerate() {
                    prop_assert_eq!(pieces[..=i].concat(), meter.decode(&tokens[..=i]));
                }
                Ok(())
            })?;
        }
    }
}
