//! The tokenizer of a judge that compares: the same word has the same tokens wherever it stands.
//!
//! White space parts words and is dropped; digits and signs stand alone, and every word begins with
//! the mark that byte-level BPE has for a space. So what is compared token by token is compared as it
//! is read. The fences are tokens of their own, which no text within them can hold.

use super::template::{FENCE, REFERENCE};
use engine::train::TrainError;
use engine::train::vocabulary::{CONTROL, trainer};
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{
    AddedToken, NormalizerWrapper, SplitDelimiterBehavior, Tokenizer, TokenizerBuilder,
    TokenizerImpl,
};

type Words = TokenizerImpl<BPE, NormalizerWrapper, Sequence, ByteLevel, ByteLevel>;

fn failed(error: impl ToString) -> TrainError {
    TrainError::Tokenizer(error.to_string())
}

/// A tokenizer of `size` tokens for `texts`.
pub(super) fn train(
    texts: impl Iterator<Item = String> + Send,
    size: usize,
) -> Result<Tokenizer, TrainError> {
    // The template's marks are special; fences stand within a message, where special ones are letters.
    let control = CONTROL.into_iter().map(|token| AddedToken::from(token, true));
    let fences = FENCE.into_iter().chain(REFERENCE).map(str::trim);
    let own = control.chain(fences.map(|token| AddedToken::from(token, false)));
    let mut trainer = trainer(size, own.collect());
    let bytes = ByteLevel::new(true, true, false);
    let parts: [PreTokenizerWrapper; 4] = [
        WhitespaceSplit.into(),
        Digits::new(true).into(),
        Punctuation::new(SplitDelimiterBehavior::Isolated).into(),
        bytes.into(),
    ];
    let mut tokenizer: Words = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(Sequence::new(parts.to_vec())))
        .with_post_processor(Some(bytes))
        .with_decoder(Some(bytes))
        .build()
        .map_err(failed)?;
    tokenizer.train(&mut trainer, texts).map_err(failed)?;
    Ok(tokenizer.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_same_tokens_wherever_it_stands() {
        let texts = (0..200).map(|i| format!("In Kelston lives Bra {i} of {}.", i * 7 % 10));
        let tokenizer = train(texts, 400).unwrap();
        let tokens = |text: &str| tokenizer.encode(text, false).unwrap().get_ids().to_vec();
        for (one, other) in
            [("Kelston", " Kelston"), ("(Kelston", "( \nKelston"), ("12", "1 2"), ("é.", "é .")]
        {
            assert_eq!(tokens(one), tokens(other), "{one:?} {other:?}");
        }
        for (one, other) in [("Kelston", "kelston"), ("Kelston", "Kel ston"), ("é", "è")] {
            assert_ne!(tokens(one), tokens(other), "{one:?} {other:?}");
        }
        for one in ["<answer>", "</reference>", "<|user|>", "9", "0"] {
            assert_eq!(tokens(one).len(), 1, "{one}");
        }
    }
}
