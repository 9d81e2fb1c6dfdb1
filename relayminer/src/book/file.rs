//! Books on the disk: found, opened after whatever happened, read.

use super::frame::{self, Begins, HEADER, Place, VERSION};
use super::log::{Log, sync_folder};
use super::record::{Opened, Record};
use super::{Book, Misfit};
use proto::Digest;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What a book's file is called after its session's id.
const SUFFIX: &str = ".log";

/// What a file is called that should be a book and holds no whole record.
const SET_ASIDE: &str = "broken";

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// A book that was opened.
#[derive(Debug)]
pub struct Opening {
    pub book: Book,
    pub log: Log,
    /// Bytes of a tail that was no whole record, and is cut off.
    pub cut: u64,
}

/// Why a book cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRefused {
    #[error("the book {} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{} is no book: move it elsewhere", path.display())]
    OtherFile { path: PathBuf },
    #[error(
        "the book {} has format {version}, but this relay miner reads {VERSION}: use the version that wrote it",
        path.display()
    )]
    OtherVersion { path: PathBuf, version: u32 },
    #[error("the book {} contradicts itself: {source}; move it elsewhere and tell its gateway", path.display())]
    Misfit { path: PathBuf, source: Misfit },
}

/// Where the book of a session is.
pub fn path_in(folder: &Path, session_id: &Digest) -> PathBuf {
    folder.join(format!("{session_id}{SUFFIX}"))
}

/// All books in `folder`, in the order of their names.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        if id.is_some_and(|id| Digest::parse(id).is_ok()) {
            paths.push(folder.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Opens a book to go on with it. A tail that is no whole record is cut off; a file in which not even
/// the first is whole was promised to nobody: it is set aside, and none is returned.
pub fn open(path: &Path) -> Result<Option<Opening>, OpenRefused> {
    let disk = |source| OpenRefused::Disk { path: path.to_owned(), source };
    let Some(book) = scan(path, u64::MAX)? else {
        let aside = path.with_extension(SET_ASIDE);
        std::fs::rename(path, &aside).and_then(|()| sync_folder(path)).map_err(disk)?;
        tracing::warn!(book = %path.display(), aside = %aside.display(), "empty book set aside");
        return Ok(None);
    };
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(disk)?;
    let found = file.seek(SeekFrom::End(0)).map_err(disk)?;
    let cut = found.saturating_sub(book.length());
    if cut > 0 {
        file.set_len(book.length()).map_err(disk)?;
        file.sync_all().map_err(disk)?;
        tracing::warn!(book = %path.display(), cut, length = book.length(), "tail cut off");
    }
    let log = Log::of(book.session().id, path.to_owned(), file, book.length());
    Ok(Some(Opening { book, log, cut }))
}

/// What the records before byte `upto` add up to; none where not even the first is whole. Changes
/// nothing.
pub fn scan(path: &Path, upto: u64) -> Result<Option<Book>, OpenRefused> {
    let disk = |source| OpenRefused::Disk { path: path.to_owned(), source };
    let file = File::open(path).map_err(disk)?;
    let mut source = BufReader::with_capacity(BUFFER, file).take(upto);
    match frame::begins(&mut source).map_err(disk)? {
        Begins::Right => {}
        Begins::Short => return Ok(None),
        Begins::OtherVersion(version) => {
            return Err(OpenRefused::OtherVersion { path: path.to_owned(), version });
        }
        Begins::OtherFile => return Err(OpenRefused::OtherFile { path: path.to_owned() }),
    }
    let mut book = match frame::next(&mut source).map_err(disk)? {
        Some((Record::Opened(opened), _)) => Book::new(*opened),
        Some(_) | None => return Ok(None),
    };
    while let Some((record, length)) = frame::next(&mut source).map_err(disk)? {
        let misfit = |source| OpenRefused::Misfit { path: path.to_owned(), source };
        book.take(&record, length).map_err(misfit)?;
    }
    Ok(Some(book))
}

/// Removes a book for good.
pub fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    sync_folder(path)
}

/// Reads single records of a book.
#[derive(Debug)]
pub struct Reader {
    file: File,
}

impl Reader {
    /// Reads from the book at `path`.
    pub fn open(path: &Path) -> io::Result<Reader> {
        Ok(Reader { file: File::open(path)? })
    }

    /// The record at `place`, which must be on the disk.
    pub fn read(&self, place: Place) -> io::Result<Record> {
        let mut bytes = vec![0; place.length as usize];
        self.file.read_exact_at(&mut bytes, place.at)?;
        let found = frame::next(&mut bytes.as_slice())?.map(|(record, _)| record);
        let broken = || format!("the record at byte {} is broken", place.at);
        found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, broken()))
    }

    /// Whose book it is.
    pub fn opened(&self) -> io::Result<Option<Opened>> {
        let mut file = BufReader::new(&self.file);
        file.seek(SeekFrom::Start(HEADER))?;
        Ok(match frame::next(&mut file)? {
            Some((Record::Opened(opened), _)) => Some(*opened),
            Some(_) | None => None,
        })
    }
}
