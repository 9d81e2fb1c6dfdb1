//! The bytes that single tokens stand for.

use std::collections::BTreeMap;
use tokenizers::Tokenizer;

/// How the texts of a vocabulary's tokens stand for bytes.
pub(crate) enum Pieces {
    /// A character stands for each byte, as in GPT-2.
    Bytes(BTreeMap<char, u8>),
    /// Texts are texts, but for spaces, and for bytes that are written as numbers.
    Texts,
}

/// The character that stands for a space in SentencePiece's vocabularies.
const SPACE: char = '\u{2581}';

impl Pieces {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Pieces {
        let decoder = serde_json::to_string(&tokenizer.get_decoder()).unwrap_or_default();
        if decoder.contains("\"ByteLevel\"") { Pieces::Bytes(letters()) } else { Pieces::Texts }
    }

    /// The bytes of a token with this text.
    pub(crate) fn bytes(&self, text: &str) -> Vec<u8> {
        match self {
            Pieces::Bytes(letters) => {
                let byte = |letter: char| match letters.get(&letter) {
                    Some(byte) => vec![*byte],
                    None => letter.to_string().into_bytes(),
                };
                text.chars().flat_map(byte).collect()
            }
            Pieces::Texts => {
                let number = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
                match number.and_then(|number| u8::from_str_radix(number, 16).ok()) {
                    Some(byte) => vec![byte],
                    None => text.replace(SPACE, " ").into_bytes(),
                }
            }
        }
    }
}

/// The letters of bytes: printable ones stand for themselves, the others for letters from U+0100 on.
fn letters() -> BTreeMap<char, u8> {
    let mut next = 0x100;
    let mut letter = |byte: u8| {
        let itself = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let letter = if itself { u32::from(byte) } else { next };
        next += u32::from(!itself);
        (char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER), byte)
    };
    (0..=255).map(&mut letter).collect()
}
