//! The demo model: shipped within the program, so that a network runs without anything fetched.

use proto::Digest;
use std::path::Path;

/// The name under which it is listed.
pub(crate) const NAME: &str = "lode-demo";

const FILES: [(&str, &[u8]); 4] = [
    ("generation_config.json", include_bytes!("../models/lode-demo/generation_config.json")),
    ("model.gguf", include_bytes!("../models/lode-demo/model.gguf")),
    ("tokenizer.json", include_bytes!("../models/lode-demo/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../models/lode-demo/tokenizer_config.json")),
];

/// The name of the cross-encoder's folder beside it.
pub(crate) const CROSS: &str = "lode-cross";

const CROSS_FILES: [(&str, &[u8]); 3] = [
    ("config.json", include_bytes!("../models/lode-cross/config.json")),
    ("model.safetensors", include_bytes!("../models/lode-cross/model.safetensors")),
    ("tokenizer.json", include_bytes!("../models/lode-cross/tokenizer.json")),
];

/// The name of the folder of the judge that compares.
pub(crate) const JUDGE: &str = "lode-judge";

const JUDGE_FILES: [(&str, &[u8]); 3] = [
    ("model.gguf", include_bytes!("../models/lode-judge/model.gguf")),
    ("tokenizer.json", include_bytes!("../models/lode-judge/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../models/lode-judge/tokenizer_config.json")),
];

/// Writes the model's files into `folder`.
pub(crate) fn write(folder: &Path) -> std::io::Result<()> {
    put(folder, &FILES)
}

/// Writes the files of the cross-encoder for its answers into `folder`.
pub(crate) fn write_cross(folder: &Path) -> std::io::Result<()> {
    put(folder, &CROSS_FILES)
}

/// Writes the files of the judge that compares into `folder`.
pub(crate) fn write_judge(folder: &Path) -> std::io::Result<()> {
    put(folder, &JUDGE_FILES)
}

fn put(folder: &Path, files: &[(&str, &[u8])]) -> std::io::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        // Unchanged files are left alone: a server may have them mapped.
        if std::fs::read(&path).is_ok_and(|there| there == *bytes) {
            continue;
        }
        daemon::file::write_private(&path, bytes)?;
    }
    Ok(())
}

/// The hash of the model in `folder`: blake3 over the manifest of its files, a line `HASH  NAME` for
/// each, by name.
pub(crate) fn hash_of(folder: &Path) -> std::io::Result<Digest> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(std::fs::File::open(entry.path())?)?;
            let hash = Digest(hasher.finalize().into());
            lines.push((entry.file_name().to_string_lossy().into_owned(), hash));
        }
    }
    lines.sort();
    let manifest: String = lines.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    Ok(proto::relay::body_digest(manifest.as_bytes()))
}
