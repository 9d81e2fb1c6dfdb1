//! The file of one book, as the writer sees it.

use super::frame::header;
use super::path_in;
use proto::Digest;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A book's file. It is made when the first record is written.
#[derive(Debug)]
pub struct Log {
    id: Digest,
    path: PathBuf,
    // Only the writer touches it: the lock is never waited for.
    end: Mutex<End>,
}

/// Where a file ends.
#[derive(Debug)]
struct End {
    file: Option<File>,
    length: u64,
    /// Whether the file's name may not be on the disk yet.
    new: bool,
}

impl Log {
    /// The book of session `id`, to be in `folder`, that has no file yet.
    pub fn fresh(folder: &Path, id: Digest) -> Log {
        let end = End { file: None, length: 0, new: true };
        Log { id, path: path_in(folder, &id), end: Mutex::new(end) }
    }

    /// A book whose file is there, to be gone on with after `length` bytes.
    pub(crate) fn of(id: Digest, path: PathBuf, file: File, length: u64) -> Log {
        let end = End { file: Some(file), length, new: false };
        Log { id, path, end: Mutex::new(end) }
    }

    /// The session.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that were written.
    pub(super) fn length(&self) -> u64 {
        self.end().length
    }

    /// Appends `bytes`. They are on the disk when [`Log::sync`] returns; until then the journal must
    /// hold them.
    pub(super) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut end = self.end();
        if end.file.is_none() {
            let mut options = OpenOptions::new();
            end.file = Some(options.write(true).create_new(true).mode(0o600).open(&self.path)?);
        }
        let at = end.length;
        if let Some(file) = &end.file {
            file.write_all_at(bytes, at)?;
        }
        end.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes all that was appended durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut end = self.end();
        if let Some(file) = &end.file {
            file.sync_all()?;
        }
        if end.new {
            sync_folder(&self.path)?;
            end.new = false;
        }
        Ok(())
    }

    /// What a book without a file begins with, before its first record.
    pub(super) fn beginning(&self) -> Option<[u8; super::HEADER as usize]> {
        (self.end().length == 0).then(header)
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a file's name, or its absence, durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
