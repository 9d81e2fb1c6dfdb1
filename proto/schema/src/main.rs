//! Writes the Rust code of the schema: `cargo run -p schema`.
//!
//! The code is kept in the repository, so that a build needs no compiler of protocol buffers. It
//! stands apart from crate `proto`, so that it works while that one does not compile.

use prost::Message as _;
use std::error::Error;
use std::path::Path;

const FILES: [&str; 6] = ["audit", "types", "relay", "tx", "query", "genesis"];

/// Writes the code and the descriptors of all files into `out`.
fn generate(out: &Path) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FILES.map(|name| format!("lode/market/v1/{name}.proto"));
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_source_info(false).include_imports(true).open_files(files)?;
    let descriptors = compiler.file_descriptor_set();
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    prost_build::Config::new().out_dir(out).disable_comments(["."]).compile_fds(descriptors)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    generate(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/wire"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_code_is_what_the_schema_says() -> Result<(), Box<dyn Error>> {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/wire");
        let fresh = tempfile::tempdir()?;
        generate(fresh.path())?;
        for name in ["cosmos.base.v1beta1.rs", "lode.market.v1.rs", "descriptors.bin"] {
            let same = std::fs::read(fresh.path().join(name))? == std::fs::read(kept.join(name))?;
            assert!(same, "{name} is stale: run cargo run -p schema");
        }
        Ok(())
    }
}
