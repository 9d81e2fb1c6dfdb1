//! The demo model: shipped within the program, so that a network runs without anything fetched.

use proto::Digest;
use std::path::Path;

/// The name under which it is listed.
pub(crate) const NAME: &str = "lode-demo";

const FILES: [(&str, &[u8]); 3] = [
    ("model.gguf", include_bytes!("../models/lode-demo/model.gguf")),
    ("tokenizer.json", include_bytes!("../models/lode-demo/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../models/lode-demo/tokenizer_config.json")),
];

/// Writes its files into `folder`.
pub(crate) fn write(folder: &Path) -> std::io::Result<()> {
    for (name, bytes) in FILES {
        let path = folder.join(name);
        // Unchanged files are left alone: a server may have them mapped.
        if std::fs::read(&path).is_ok_and(|there| there == bytes) {
            continue;
        }
        daemon::file::write_private(&path, bytes)?;
    }
    Ok(())
}

/// blake3 over the manifest of its files: a line `HASH  NAME` for each, by name.
pub(crate) fn model_hash() -> Digest {
    let line =
        |(name, bytes): &(&str, &[u8])| format!("{}  {name}\n", proto::relay::body_digest(bytes));
    let manifest: String = FILES.iter().map(line).collect();
    proto::relay::body_digest(manifest.as_bytes())
}
