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
