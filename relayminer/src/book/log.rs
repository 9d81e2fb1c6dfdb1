//! The file of one book, as the writer sees it.

use super::frame::header;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A book's file. It is made when the first record is written.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    // Only the writer touches it: the lock is never waited for.
    file: Mutex<Option<File>>,
}

impl Log {
    /// A book that has no file yet.
    pub fn fresh(path: PathBuf) -> Log {
        Log { path, file: Mutex::new(None) }
    }

    /// A book whose file is there, to be appended to.
    pub(crate) fn of(path: PathBuf, file: File) -> Log {
        Log { path, file: Mutex::new(Some(file)) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `bytes`; they are on the disk when this returns.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut *file {
            file.write_all(bytes)?;
            return file.sync_data();
        }
        let mut made =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(&self.path)?;
        made.write_all(&header())?;
        made.write_all(bytes)?;
        made.sync_all()?;
        sync_folder(&self.path)?;
        *file = Some(made);
        Ok(())
    }
}

/// Makes a file's name, or its absence, durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
