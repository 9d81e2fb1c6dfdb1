//! A cheaper model under the listed name.

use engine::train::damage::{Damage, damaged};
use meter::gguf::{Head, HeadError};
use std::path::{Path, PathBuf};

/// The file that holds weights.
const WEIGHTS: &str = "model.gguf";

/// The seed of noise.
const SEED: u64 = 5;

/// Why there is no cheaper model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be damaged: {source}", path.display())]
    Head { path: PathBuf, source: HeadError },
}

/// How many layers the model in `folder` has.
pub fn layers(folder: &Path) -> Result<usize, ModelError> {
    let path = folder.join(WEIGHTS);
    let bytes =
        std::fs::read(&path).map_err(|source| ModelError::Disk { path: path.clone(), source })?;
    let head = Head::read(&bytes).map_err(|source| ModelError::Head { path, source })?;
    let layer = |name: &String| name.strip_prefix("blk.")?.split('.').next()?.parse().ok();
    Ok(head.tensors.keys().filter_map(layer).max().map_or(0, |last: usize| last + 1))
}

/// Writes the model in `from` to `to`, damaged; its other files as they are.
pub fn write(from: &Path, to: &Path, damage: Damage) -> Result<(), ModelError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| ModelError::Disk { path, source }
    };
    for entry in std::fs::read_dir(from).map_err(disk(from))? {
        let entry = entry.map_err(disk(from))?;
        let (path, out) = (entry.path(), to.join(entry.file_name()));
        if !path.is_file() {
            continue;
        }
        let mut bytes = std::fs::read(&path).map_err(disk(&path))?;
        if entry.file_name() == WEIGHTS {
            bytes = damaged(&bytes, damage, SEED)
                .map_err(|source| ModelError::Head { path: path.clone(), source })?;
        }
        daemon::file::write_private(&out, &bytes).map_err(disk(&out))?;
    }
    Ok(())
}
