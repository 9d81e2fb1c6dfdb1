//! The cross-encoder's tokenizer: byte-level BPE that puts pairs as BERT reads them.

use engine::train::TrainError;
use engine::train::vocabulary::trainer;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, NormalizerWrapper, TokenizerBuilder, TokenizerImpl};

/// Fills, is unknown, begins a pair, ends a text, hides a word.
pub(super) const CONTROL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
pub(super) const MASK: u32 = 4;

type Bytes = TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, TemplateProcessing, ByteLevel>;

fn failed(error: impl ToString) -> TrainError {
    TrainError::Tokenizer(error.to_string())
}

/// The `tokenizer.json` of a tokenizer of `size` tokens for `texts`.
pub(super) fn train<'a>(
    texts: impl Iterator<Item = &'a String> + Send,
    size: usize,
) -> Result<String, TrainError> {
    let control = CONTROL.map(|token| AddedToken::from(token, true));
    let mut trainer = trainer(size, control.to_vec());
    let bytes = ByteLevel::new(false, true, true);
    let pair = TemplateProcessing::builder()
        .try_single("[CLS] $A [SEP]")
        .map_err(failed)?
        .try_pair("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1")
        .map_err(failed)?
        .special_tokens(vec![("[CLS]", 2), ("[SEP]", 3)])
        .build()
        .map_err(failed)?;
    let mut tokenizer: Bytes = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(bytes))
        .with_post_processor(Some(pair))
        .with_decoder(Some(bytes))
        .build()
        .map_err(failed)?;
    tokenizer.train(&mut trainer, texts).map_err(failed)?;
    tokenizer.to_string(false).map_err(failed)
}
