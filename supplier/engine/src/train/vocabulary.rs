//! The demo model's tokenizer, byte-level BPE with the chat's control tokens; and that chat's template.

use super::TrainError;
use std::path::Path;
use tokenizers::models::bpe::{BPE, BpeTrainer, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer, TokenizerBuilder, TokenizerImpl};

/// Begins a system message, a question, an answer; ends any of them; fills rows.
pub const CONTROL: [&str; 5] = ["<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];

/// The chat template, in the form of Hugging Face.
const TEMPLATE: &str = "{% for message in messages %}\
{% if message['role'] == 'system' %}<|system|>{% elif message['role'] == 'assistant' %}<|assistant|>{% else %}<|user|>{% endif %}\
{{ message['content'] }}<|end|>{% endfor %}\
{% if add_generation_prompt %}<|assistant|>{% endif %}";

fn failed(error: impl ToString) -> TrainError {
    TrainError::Tokenizer(error.to_string())
}

/// What finds `size` tokens of byte-level BPE, with `own` as the first of them.
pub fn trainer(size: usize, own: Vec<AddedToken>) -> BpeTrainer {
    BpeTrainerBuilder::new()
        .vocab_size(size)
        .min_frequency(1)
        .show_progress(false)
        .special_tokens(own)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build()
}

/// A tokenizer of `size` tokens for `texts`.
pub(super) fn train(texts: &[String], size: usize) -> Result<Tokenizer, TrainError> {
    let control = CONTROL.map(|token| AddedToken::from(token, true));
    let mut trainer = trainer(size, control.to_vec());
    let bytes = ByteLevel::new(false, true, true);
    let mut tokenizer: TokenizerImpl<
        BPE,
        tokenizers::NormalizerWrapper,
        ByteLevel,
        ByteLevel,
        ByteLevel,
    > = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(bytes))
        .with_post_processor(Some(bytes))
        .with_decoder(Some(bytes))
        .build()
        .map_err(failed)?;
    tokenizer.train(&mut trainer, texts.iter()).map_err(failed)?;
    Ok(tokenizer.into())
}

/// Writes `tokenizer.json` and `tokenizer_config.json` into `out`.
pub fn write(tokenizer: &Tokenizer, out: &Path) -> Result<(), TrainError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Disk { path, source }
    };
    std::fs::create_dir_all(out).map_err(disk(out))?;
    tokenizer.save(out.join("tokenizer.json"), false).map_err(failed)?;
    let config = serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": false,
        "eos_token": "<|end|>",
        "pad_token": "<|pad|>",
        "model_max_length": 512,
        "chat_template": TEMPLATE,
    });
    let path = out.join("tokenizer_config.json");
    let text = serde_json::to_string_pretty(&config).map_err(failed)? + "\n";
    std::fs::write(&path, text).map_err(disk(&path))
}
