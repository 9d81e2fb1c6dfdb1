//! A model whose tokens are words.

use std::path::Path;

pub const TEMPLATE: &str = "{% for message in messages %}{{ message.content }} {% endfor %}";

pub fn write(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": null, "decoder": null,
        "model": { "type": "WordLevel", "vocab": { "[UNK]": 0 }, "unk_token": "[UNK]" },
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let config = serde_json::json!({ "chat_template": TEMPLATE, "model_max_length": 1000 });
    std::fs::write(folder.join("tokenizer_config.json"), config.to_string()).unwrap();
}
