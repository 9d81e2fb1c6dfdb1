//! A role's folder belongs to one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Holds a folder until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

/// Why a folder cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum HomeTaken {
    #[error("{} is in use by process {holder}: stop it first, or choose another folder", folder.display())]
    InUse { folder: PathBuf, holder: String },
    #[error("{} cannot be used: {source}", folder.display())]
    Disk { folder: PathBuf, source: std::io::Error },
}

impl HomeLock {
    /// Takes `folder`, which is made if it is not there.
    pub fn take(folder: &Path) -> Result<HomeLock, HomeTaken> {
        let disk = |source| HomeTaken::Disk { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(disk)?;
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(disk)?;
                return Err(HomeTaken::InUse { folder: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(disk(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(disk)?;
        write!(file, "{}", std::process::id()).map_err(disk)?;
        Ok(HomeLock { _file: file })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_and_free_when_that_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let held = HomeLock::take(folder.path()).unwrap();
        let refused = HomeLock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        HomeLock::take(folder.path()).unwrap();
    }
}
