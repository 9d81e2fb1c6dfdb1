//! What clients write is words, also where it looks like a special token.
//!
//! A template marks turns with special tokens. Where a client's own words held the text of one, they
//! could end the client's turn and begin another's. So such texts are cut before they are rendered,
//! and what was cut is never made one token: the model reads the letters.

use aho_corasick::AhoCorasick;
use serde_json::{Map, Value};
use tokenizers::Tokenizer;

/// Where a client's words are cut. It is no character that texts may hold (Unicode, section 23.7), so
/// none that a client wrote is missed.
pub(crate) const CUT: char = '\u{fdd0}';

/// The texts of a tokenizer's special tokens, as they are looked for in clients' words.
pub(crate) struct Quotes(Option<AhoCorasick>);

impl Quotes {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Quotes {
        let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
        // One letter cannot be cut; a model whose commands are single letters has none to protect.
        let longer = |text: &&str| text.chars().nth(1).is_some();
        let special = added.values().filter(|token| token.special);
        let texts: Vec<&str> = special.map(|token| token.content.as_str()).filter(longer).collect();
        // Only sizes beyond memory fail, and such a vocabulary was not loaded.
        let finder = (!texts.is_empty()).then(|| AhoCorasick::new(&texts).ok());
        Quotes(finder.flatten())
    }

    /// The same value with every special token's text cut, in names as well as in texts.
    pub(crate) fn cut(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.cut_text(text)),
            Value::Array(items) => items.iter().map(|item| self.cut(item)).collect(),
            Value::Object(fields) => {
                let cut = |(name, item): (&String, &Value)| (self.cut_text(name), self.cut(item));
                Value::Object(fields.iter().map(cut).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn cut_text(&self, text: &str) -> String {
        let Some(finder) = &self.0 else { return text.to_owned() };
        let mut places: Vec<usize> = finder
            .find_overlapping_iter(text)
            .filter_map(|found| {
                text[found.range()].chars().next().map(|c| found.start() + c.len_utf8())
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        let mut cut = String::with_capacity(text.len() + places.len() * CUT.len_utf8());
        let mut from = 0;
        for place in places {
            cut.push_str(&text[from..place]);
            cut.push(CUT);
            from = place;
        }
        cut + &text[from..]
    }
}
