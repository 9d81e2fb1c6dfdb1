//! Writes right bytes for each reader, for a fuzzer to begin with.
//!
//! ```text
//! cargo run -p hostile --example corpus -- tests/hostile/fuzz/corpus
//! ```

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "corpus".into()));
    for (i, sample) in hostile::samples().iter().enumerate() {
        let folder = folder.join(sample.reader);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("sample-{i}")), &sample.bytes)?;
    }
    Ok(())
}
