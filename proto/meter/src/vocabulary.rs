//! The tokenizer that a GGUF file holds, written as the tokenizer.json that says the same.
//!
//! So there is one way to count, whatever a model came in: the same file makes the same
//! tokenizer.json, byte by byte, and its hash stands for it.

use crate::gguf::{Head, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Why a GGUF file's tokenizer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    #[error("it says nothing of {0}: put the model's tokenizer.json beside it")]
    Missing(String),
    #[error(
        "its tokenizer is of the kind {0:?}; gpt2 and llama can be read: put the model's tokenizer.json beside it"
    )]
    Kind(String),
    #[error(
        "its texts are cut by the rule {0:?}, which is not known here: put the model's tokenizer.json beside it"
    )]
    Cut(String),
    #[error("{name} has {got} entries for {tokens} tokens")]
    Uneven { name: &'static str, got: usize, tokens: usize },
    #[error("its merge {0:?} is no pair")]
    Merge(String),
    #[error("a token beyond its {tokens} is named as {name}: {token}")]
    Token { name: &'static str, token: u64, tokens: usize },
}

/// What GGUF says of a token.
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER: u64 = 4;

/// Under these names stand the tokens that end an answer: of a text, of a turn, of a message.
const ENDS: [&str; 3] =
    ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];

/// The character that stands for a space in SentencePiece's vocabularies.
const SPACE: &str = "\u{2581}";

/// Words as GPT-2's successors cut them: contractions, words with what stands before them, numbers,
/// signs, line ends, spaces.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A vocabulary as GGUF writes it.
struct Vocabulary<'a> {
    head: &'a Head,
    tokens: Vec<&'a str>,
    kinds: Vec<u64>,
}

/// tokenizer.json of the file with this head.
pub(crate) fn tokenizer(head: &Head) -> Result<Json, VocabularyError> {
    let vocabulary = Vocabulary::of(head)?;
    match vocabulary.text("tokenizer.ggml.model")? {
        "gpt2" => vocabulary.byte_level(),
        "llama" => vocabulary.sentence_pieces(),
        other => Err(VocabularyError::Kind(other.to_owned())),
    }
}

/// tokenizer_config.json of the file with this head, and the tokens that end an answer.
pub(crate) fn config(head: &Head) -> Result<(Json, Vec<u32>), VocabularyError> {
    let vocabulary = Vocabulary::of(head)?;
    let text = |name| Ok(vocabulary.special(name)?.map(|(_, text)| text));
    let family = vocabulary.text("general.architecture")?;
    let context = head.values.get(&format!("{family}.context_length")).and_then(Value::number);
    let template = head.values.get("tokenizer.chat_template").and_then(Value::text);
    let config = json!({
        "chat_template": template,
        "model_max_length": context,
        "bos_token": text("tokenizer.ggml.bos_token_id")?,
        "eos_token": text("tokenizer.ggml.eos_token_id")?,
    });
    let mut ends = Vec::new();
    for name in ENDS {
        ends.extend(vocabulary.special(name)?.map(|(token, _)| token));
    }
    Ok((config, ends))
}

impl<'a> Vocabulary<'a> {
    fn of(head: &'a Head) -> Result<Vocabulary<'a>, VocabularyError> {
        let list = |name: &str| head.values.get(name).and_then(Value::list);
        let tokens = list("tokenizer.ggml.tokens");
        let missing = || VocabularyError::Missing("tokenizer.ggml.tokens".to_owned());
        let tokens: Vec<&str> =
            tokens.ok_or_else(missing)?.iter().map(|token| token.text().unwrap_or("")).collect();
        let kinds: Vec<u64> = match list("tokenizer.ggml.token_type") {
            Some(kinds) => kinds.iter().map(|kind| kind.number().unwrap_or(1)).collect(),
            None => vec![1; tokens.len()],
        };
        if kinds.len() != tokens.len() {
            let (got, tokens) = (kinds.len(), tokens.len());
            return Err(VocabularyError::Uneven { name: "tokenizer.ggml.token_type", got, tokens });
        }
        Ok(Vocabulary { head, tokens, kinds })
    }

    fn text(&self, name: &str) -> Result<&'a str, VocabularyError> {
        let text = self.head.values.get(name).and_then(Value::text);
        text.ok_or_else(|| VocabularyError::Missing(name.to_owned()))
    }

    fn is(&self, name: &str, otherwise: bool) -> bool {
        self.head.values.get(name).and_then(Value::bool).unwrap_or(otherwise)
    }

    /// A token that the file names for a purpose.
    fn special(&self, name: &'static str) -> Result<Option<(u32, &'a str)>, VocabularyError> {
        let Some(token) = self.head.values.get(name).and_then(Value::number) else {
            return Ok(None);
        };
        let at = usize::try_from(token).ok();
        let text = at.and_then(|at| self.tokens.get(at)).copied();
        let tokens = self.tokens.len();
        let text = text.ok_or(VocabularyError::Token { name, token, tokens })?;
        Ok(Some((token as u32, text)))
    }

    fn numbers(&self) -> BTreeMap<&'a str, usize> {
        // The first of equal texts keeps its number.
        self.tokens.iter().enumerate().rev().map(|(i, token)| (*token, i)).collect()
    }

    /// Tokens that texts are cut at before anything else.
    fn added(&self) -> Vec<Json> {
        let is_added = |kind: u64| matches!(kind, UNKNOWN | CONTROL | USER);
        let added = |(i, token): (usize, &&str)| {
            json!({
                "id": i, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": self.kinds[i] != USER,
            })
        };
        let tokens = self.tokens.iter().enumerate();
        tokens.filter(|(i, t)| is_added(self.kinds[*i]) && !t.is_empty()).map(added).collect()
    }

    /// What is put around a text that is no part of an answer.
    fn around(&self, begins: bool) -> Result<Option<Json>, VocabularyError> {
        let mut special = serde_json::Map::new();
        let mut token = |name, wanted: bool| -> Result<Option<Json>, VocabularyError> {
            let Some((id, text)) = self.special(name)?.filter(|_| wanted) else { return Ok(None) };
            special.insert(text.to_owned(), json!({"id": text, "ids": [id], "tokens": [text]}));
            Ok(Some(json!({"SpecialToken": {"id": text, "type_id": 0}})))
        };
        let begin = self.is("tokenizer.ggml.add_bos_token", begins);
        let end = self.is("tokenizer.ggml.add_eos_token", false);
        let first = token("tokenizer.ggml.bos_token_id", begin)?;
        let last = token("tokenizer.ggml.eos_token_id", end)?;
        if first.is_none() && last.is_none() {
            return Ok(None);
        }
        let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
        let around = |inner: Vec<Json>| -> Vec<Json> {
            first.iter().cloned().chain(inner).chain(last.iter().cloned()).collect()
        };
        Ok(Some(json!({
            "type": "TemplateProcessing",
            "single": around(vec![sequence("A")]),
            "pair": around(vec![sequence("A"), sequence("B")]),
            "special_tokens": special,
        })))
    }

    fn merges(&self) -> Result<Vec<[&'a str; 2]>, VocabularyError> {
        let name = "tokenizer.ggml.merges";
        let merges = self.head.values.get(name).and_then(Value::list);
        let merges = merges.ok_or_else(|| VocabularyError::Missing(name.to_owned()))?;
        let pair = |merge: &'a Value| {
            let text = merge.text().unwrap_or("");
            let pair = text.split_once(' ').filter(|(a, b)| !a.is_empty() && !b.is_empty());
            pair.map(|(a, b)| [a, b]).ok_or_else(|| VocabularyError::Merge(text.to_owned()))
        };
        merges.iter().map(pair).collect()
    }

    /// Bytes as characters, merged by a list of pairs, as GPT-2 does.
    fn byte_level(&self) -> Result<Json, VocabularyError> {
        let cut = self.head.values.get("tokenizer.ggml.pre").and_then(Value::text);
        let cut = Cut::named(cut.unwrap_or("gpt-2"))?;
        let bytes = json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": cut.words.is_none(),
        });
        let mut steps: Vec<Json> = cut.words.iter().map(|words| json!({
            "type": "Split", "pattern": {"Regex": words}, "behavior": "Isolated", "invert": false,
        })).collect();
        if cut.digits {
            steps.push(json!({"type": "Digits", "individual_digits": true}));
        }
        steps.push(bytes);
        Ok(json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": self.added(),
            "normalizer": cut.compose.then(|| json!({"type": "NFC"})),
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
            "post_processor": self.around(cut.begins)?,
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "model": {
                "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "ignore_merges": cut.whole_words, "vocab": self.numbers(), "merges": self.merges()?,
            },
        }))
    }

    /// Pieces of text with scores, and bytes for what is in none, as SentencePiece does.
    fn sentence_pieces(&self) -> Result<Json, VocabularyError> {
        let prefix = self.is("tokenizer.ggml.add_space_prefix", true);
        let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": SPACE});
        let mut normalizers = vec![space];
        let mut decoders = vec![
            json!({"type": "Replace", "pattern": {"String": SPACE}, "content": " "}),
            json!({"type": "ByteFallback"}),
            json!({"type": "Fuse"}),
        ];
        if prefix {
            normalizers.insert(0, json!({"type": "Prepend", "prepend": SPACE}));
            decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
        }
        let unknown = self.kinds.iter().position(|kind| *kind == UNKNOWN);
        Ok(json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": self.added(),
            "normalizer": {"type": "Sequence", "normalizers": normalizers},
            "pre_tokenizer": null,
            "post_processor": self.around(true)?,
            "decoder": {"type": "Sequence", "decoders": decoders},
            "model": {
                "type": "BPE", "dropout": null, "unk_token": unknown.map(|at| self.tokens[at]),
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
                "byte_fallback": true, "ignore_merges": false,
                "vocab": self.numbers(), "merges": self.scored_merges()?,
            },
        }))
    }

    /// Every way to make a piece of two others, the pieces with the highest scores first: merging in
    /// that order is what SentencePiece does with its scores.
    fn scored_merges(&self) -> Result<Vec<[&'a str; 2]>, VocabularyError> {
        let name = "tokenizer.ggml.scores";
        let scores = self.head.values.get(name).and_then(Value::list);
        let scores = scores.ok_or_else(|| VocabularyError::Missing(name.to_owned()))?;
        if scores.len() != self.tokens.len() {
            let (got, tokens) = (scores.len(), self.tokens.len());
            return Err(VocabularyError::Uneven { name: "tokenizer.ggml.scores", got, tokens });
        }
        let numbers = self.numbers();
        let mut merges = Vec::new();
        for (i, token) in self.tokens.iter().enumerate().filter(|(i, _)| self.kinds[*i] == 1) {
            let score = scores[i].float().unwrap_or(0.0);
            for (at, _) in token.char_indices().skip(1) {
                let (left, right) = token.split_at(at);
                if let (Some(a), Some(b)) = (numbers.get(left), numbers.get(right)) {
                    merges.push((score, i, *a, *b, [left, right]));
                }
            }
        }
        merges.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2, x.3).cmp(&(y.1, y.2, y.3))));
        Ok(merges.into_iter().map(|(.., pair)| pair).collect())
    }
}

/// How a family cuts texts into words before it merges bytes.
struct Cut {
    /// `None`: as GPT-2 does.
    words: Option<&'static str>,
    digits: bool,
    compose: bool,
    /// Whether a word that is a token is taken as it is.
    whole_words: bool,
    /// Whether texts begin with a token, unless the file says otherwise.
    begins: bool,
}

impl Cut {
    fn named(name: &str) -> Result<Cut, VocabularyError> {
        let plain =
            Cut { words: None, digits: false, compose: false, whole_words: false, begins: false };
        Ok(match name {
            "llama-bpe" | "llama3" | "llama-v3" | "smaug-bpe" => {
                Cut { words: Some(LLAMA3), whole_words: true, begins: true, ..plain }
            }
            "qwen2" | "deepseek-r1-qwen" => Cut { words: Some(QWEN2), compose: true, ..plain },
            "tekken" => Cut { words: Some(TEKKEN), whole_words: true, begins: true, ..plain },
            "smollm" => Cut { digits: true, ..plain },
            "gpt-2" | "gpt2" | "default" => plain,
            other => return Err(VocabularyError::Cut(other.to_owned())),
        })
    }
}
