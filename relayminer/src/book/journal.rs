//! What was written to all books of late, in one file that is synced once a batch.
//!
//! ```text
//! "lodejrnl" version:4 generation:8 | length:4 check:8 entry | length:4 check:8 entry | … stale bytes
//! entry = session id:32 at:8 bytes
//! ```
//! However many sessions are served at once, a batch costs one sync. The books themselves are written
//! without, until the journal is full; then all are synced, and the journal begins anew with the next
//! generation. Integers are big-endian; `check` is the first 8 bytes of blake3 over generation and
//! entry, so that what is left of an older generation is not taken for news. The file has its full
//! size from the start: syncing it moves no other data than what was written.

use super::log::{Log, sync_folder};
use super::path_in;
use proto::Digest;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// The journal's name, beside the books.
const NAME: &str = "journal";

const MAGIC: &[u8; 8] = b"lodejrnl";

/// The format that this code writes and reads.
const VERSION: u32 = 1;

/// Bytes before the first entry.
const HEADER: usize = 20;

/// Bytes before each entry.
const FRAME: usize = 12;

/// Bytes of an entry before those of the book.
const ENTRY: usize = 40;

/// Bytes of a journal: a few thousand relays.
pub(super) const SIZE: usize = 8 << 20;

/// Why a journal cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum JournalRefused {
    #[error("the journal in {folder} cannot be read or written: {source}")]
    Disk { folder: String, source: io::Error },
    #[error(
        "the journal in {folder} has format {version}, but this relay miner reads {VERSION}: use the version that wrote it"
    )]
    OtherVersion { folder: String, version: u32 },
    #[error("the file {NAME} in {folder} is no journal: move it elsewhere")]
    OtherFile { folder: String },
}

/// The journal of one folder of books.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    generation: u64,
    /// Where the next entry goes.
    at: usize,
    /// Books of which a part is safe here only.
    ahead: Vec<Arc<Log>>,
}

impl Journal {
    /// Takes up the journal in `folder`: what it holds is written to the books and synced. To be done
    /// before any book is read.
    pub(super) fn open(folder: &Path) -> Result<Journal, JournalRefused> {
        let name = || folder.display().to_string();
        let disk = |source| JournalRefused::Disk { folder: name(), source };
        let path = folder.join(NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(disk)?;
        let mut bytes = vec![0; SIZE];
        let found = read_up_to(&file, &mut bytes).map_err(disk)?;
        let generation = match begins(&bytes[..found]) {
            Begins::Nothing => 0,
            Begins::Generation(generation) => {
                replay(folder, &bytes[..found], generation).map_err(disk)?;
                generation
            }
            Begins::OtherVersion(version) => {
                return Err(JournalRefused::OtherVersion { folder: name(), version });
            }
            Begins::OtherFile => return Err(JournalRefused::OtherFile { folder: name() }),
        };
        let mut journal = Journal { file, generation, at: HEADER, ahead: Vec::new() };
        journal.file.write_all_at(&bytes[found..], found as u64).map_err(disk)?;
        journal.begin_anew().map_err(disk)?;
        sync_folder(&path).map_err(disk)?;
        Ok(journal)
    }

    /// Makes the next bytes of some books durable.
    pub(super) fn write(&mut self, books: &[(&Arc<Log>, Vec<u8>)]) -> io::Result<()> {
        let mut entries = Vec::new();
        for (log, bytes) in books.iter().filter(|(_, bytes)| !bytes.is_empty()) {
            entry(&mut entries, self.generation, &log.id(), log.length(), bytes);
        }
        let fits = self.at + entries.len() <= SIZE;
        if fits && !entries.is_empty() {
            self.file.write_all_at(&entries, self.at as u64)?;
            self.file.sync_data()?;
            self.at += entries.len();
        }
        for (log, bytes) in books {
            log.append(bytes)?;
            if !self.ahead.iter().any(|known| Arc::ptr_eq(known, log)) {
                self.ahead.push((*log).clone());
            }
        }
        if fits { Ok(()) } else { self.begin_anew() }
    }

    /// Syncs the books themselves, and forgets what the journal holds of them.
    pub(super) fn begin_anew(&mut self) -> io::Result<()> {
        for log in self.ahead.drain(..) {
            log.sync()?;
        }
        self.generation += 1;
        self.at = HEADER;
        self.file.write_all_at(&header(self.generation), 0)?;
        self.file.sync_data()
    }
}

fn header(generation: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_be_bytes());
    bytes[12..].copy_from_slice(&generation.to_be_bytes());
    bytes
}

/// What a file begins with that is meant to be a journal.
enum Begins {
    /// Nothing, or a header that was not written to its end: nothing was promised.
    Nothing,
    Generation(u64),
    OtherVersion(u32),
    OtherFile,
}

fn begins(bytes: &[u8]) -> Begins {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Begins::Nothing };
    let Some((version, rest)) = rest.split_first_chunk::<4>() else { return Begins::Nothing };
    let Some((generation, _)) = rest.split_first_chunk::<8>() else { return Begins::Nothing };
    match (magic, u32::from_be_bytes(*version)) {
        (MAGIC, VERSION) => Begins::Generation(u64::from_be_bytes(*generation)),
        (MAGIC, other) => Begins::OtherVersion(other),
        ([0, 0, 0, 0, 0, 0, 0, 0], 0) => Begins::Nothing,
        _ => Begins::OtherFile,
    }
}

/// Bytes for one book, and where in it they are.
struct Entry<'a> {
    id: Digest,
    at: u64,
    bytes: &'a [u8],
}

fn entry(to: &mut Vec<u8>, generation: u64, id: &Digest, at: u64, bytes: &[u8]) {
    let start = to.len();
    to.extend(((ENTRY + bytes.len()) as u32).to_be_bytes());
    to.extend([0; FRAME - 4]);
    to.extend(id.0);
    to.extend(at.to_be_bytes());
    to.extend(bytes);
    let sum = check(generation, &to[start + FRAME..]);
    to[start + 4..start + FRAME].copy_from_slice(&sum);
}

fn check(generation: u64, entry: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&generation.to_be_bytes()).update(entry);
    let mut sum = [0; 8];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// The first entry of `bytes` and what follows it; none where no whole entry of the generation is.
fn next(bytes: &[u8], generation: u64) -> Option<(Entry<'_>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (whole, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    if check(generation, whole) != *sum {
        return None;
    }
    let (id, entry) = whole.split_first_chunk::<32>()?;
    let (at, bytes) = entry.split_first_chunk::<8>()?;
    Some((Entry { id: Digest(*id), at: u64::from_be_bytes(*at), bytes }, rest))
}

/// Writes all entries to their books again. Those of a book that is not there any more are dropped:
/// it was removed, or has more to it than the journal knows.
fn replay(folder: &Path, bytes: &[u8], generation: u64) -> io::Result<()> {
    let mut left = &bytes[HEADER..];
    let mut books: Vec<(Digest, File)> = Vec::new();
    while let Some((Entry { id, at, bytes }, rest)) = next(left, generation) {
        left = rest;
        if !books.iter().any(|(known, _)| *known == id) {
            let mut options = OpenOptions::new();
            options.write(true).create(at == 0).truncate(false).mode(0o600);
            match options.open(path_in(folder, &id)) {
                Ok(file) => books.push((id, file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
        }
        if let Some((_, file)) = books.iter().find(|(known, _)| *known == id) {
            file.write_all_at(bytes, at)?;
        }
    }
    for (_, file) in &books {
        file.sync_all()?;
    }
    sync_folder(&folder.join(NAME))
}

/// Reads the file from its beginning until `bytes` are full or it ends; gives how many there were.
fn read_up_to(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut found = 0;
    while found < bytes.len() {
        match file.read_at(&mut bytes[found..], found as u64)? {
            0 => break,
            read => found += read,
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn log(folder: &Path, id: u8) -> Arc<Log> {
        Arc::new(Log::fresh(folder, Digest([id; 32])))
    }

    fn book(folder: &Path, id: u8) -> Vec<u8> {
        std::fs::read(path_in(folder, &Digest([id; 32]))).unwrap_or_default()
    }

    /// What a power failure leaves of a book that was not synced: its first `length` bytes.
    fn lose(folder: &Path, id: u8, length: u64) {
        let file = OpenOptions::new().write(true).open(path_in(folder, &Digest([id; 32])));
        file.unwrap().set_len(length).unwrap();
    }

    #[test]
    fn what_the_books_lost_comes_back_from_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let (a, b) = (log(folder.path(), 1), log(folder.path(), 2));
        journal.write(&[(&a, b"a0".to_vec()), (&b, b"b0".to_vec())]).unwrap();
        journal.write(&[(&a, b"a1".to_vec())]).unwrap();
        let whole = [book(folder.path(), 1), book(folder.path(), 2)];
        assert!(whole[0].ends_with(b"a0a1") && whole[1].ends_with(b"b0"));
        drop(journal);
        lose(folder.path(), 1, 3);
        std::fs::remove_file(path_in(folder.path(), &Digest([2; 32]))).unwrap();
        Journal::open(folder.path()).unwrap();
        assert_eq!([book(folder.path(), 1), book(folder.path(), 2)], whole);
    }

    #[test]
    fn a_torn_entry_and_all_after_it_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let a = log(folder.path(), 1);
        journal.write(&[(&a, b"first".to_vec())]).unwrap();
        let torn = journal.at;
        journal.write(&[(&a, b"torn".to_vec())]).unwrap();
        journal.write(&[(&a, b"after".to_vec())]).unwrap();
        journal.file.write_all_at(&[0xff], torn as u64 + 20).unwrap();
        drop(journal);
        let whole = book(folder.path(), 1).len();
        lose(folder.path(), 1, 0);
        Journal::open(folder.path()).unwrap();
        assert_eq!(book(folder.path(), 1).len(), whole - b"tornafter".len());
    }

    #[test]
    fn entries_of_an_older_generation_are_not_news() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let a = log(folder.path(), 1);
        journal.write(&[(&a, b"first".to_vec())]).unwrap();
        journal.write(&[(&a, b"second".to_vec())]).unwrap();
        journal.begin_anew().unwrap();
        journal.write(&[(&log(folder.path(), 3), b"third".to_vec())]).unwrap();
        drop(journal);
        std::fs::remove_file(path_in(folder.path(), &Digest([1; 32]))).unwrap();
        Journal::open(folder.path()).unwrap();
        assert_eq!(book(folder.path(), 1), b"");
        assert!(book(folder.path(), 3).ends_with(b"third"));
    }

    #[test]
    fn a_full_journal_begins_anew_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let a = log(folder.path(), 1);
        let piece = vec![7; SIZE / 3];
        let generation = journal.generation;
        for _ in 0..4 {
            journal.write(&[(&a, piece.clone())]).unwrap();
        }
        journal.write(&[(&a, vec![8; SIZE + 1])]).unwrap();
        assert_eq!((journal.generation, journal.at), (generation + 2, HEADER));
        drop(journal);
        Journal::open(folder.path()).unwrap();
        let length = book(folder.path(), 1).len() as u64;
        assert_eq!(length, 4 * (SIZE as u64 / 3) + SIZE as u64 + 1);
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), b"my diary, keep out!!").unwrap();
        let refused = Journal::open(folder.path());
        assert!(matches!(refused, Err(JournalRefused::OtherFile { .. })));
        let mut newer = header(1);
        newer[11] = 9;
        std::fs::write(folder.path().join(NAME), newer).unwrap();
        let refused = Journal::open(folder.path());
        assert!(matches!(refused, Err(JournalRefused::OtherVersion { version: 9, .. })));
    }
}
