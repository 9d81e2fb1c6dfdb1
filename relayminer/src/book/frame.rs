//! How records lie in a file.
//!
//! ```text
//! "lodebook" version:4 | length:4 check:8 record | length:4 check:8 record | …
//! ```
//! Integers are big-endian; `check` is the first 8 bytes of the record's blake3. A crash while records
//! are written leaves a tail that is no whole record: it was promised to nobody, and is cut off.

use super::record::Record;
use std::io::{self, Read};

/// What a book begins with.
const MAGIC: &[u8; 8] = b"lodebook";

/// The format that this code writes and reads.
pub(crate) const VERSION: u32 = 1;

/// Bytes before the first record.
pub const HEADER: u64 = 12;

/// Bytes before each record.
const FRAME: usize = 12;

/// Bytes of one record at most: an envelope with as many entries as a header may hold stays far below.
pub const RECORD_MAX: usize = 1 << 20;

/// Where in a book a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte of its frame.
    pub at: u64,
    /// Bytes of its frame and itself.
    pub length: u32,
}

impl Place {
    /// The first byte after it.
    pub fn end(&self) -> u64 {
        self.at + u64::from(self.length)
    }
}

/// What a book begins with.
pub(super) fn header() -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&VERSION.to_be_bytes());
    bytes
}

/// What a file begins with that is meant to be a book.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// As this version writes.
    Right,
    /// It was not written to the end of the header.
    Short,
    /// As another version writes.
    OtherVersion(u32),
    /// As something else.
    OtherFile,
}

/// Reads the header.
pub(super) fn begins(source: &mut impl Read) -> io::Result<Begins> {
    let mut bytes = [0; HEADER as usize];
    if !fill(source, &mut bytes)? {
        return Ok(Begins::Short);
    }
    let [.., a, b, c, d] = bytes;
    let version = u32::from_be_bytes([a, b, c, d]);
    Ok(match (&bytes[..8] == MAGIC, version) {
        (true, VERSION) => Begins::Right,
        (true, other) => Begins::OtherVersion(other),
        (false, _) => Begins::OtherFile,
    })
}

/// A record in its frame.
pub fn frame(record: &Record) -> Vec<u8> {
    let bytes = record.encode();
    let mut framed = Vec::with_capacity(FRAME + bytes.len());
    framed.extend((bytes.len() as u32).to_be_bytes());
    framed.extend(check(&bytes));
    framed.extend(bytes);
    framed
}

/// The next record and the length of its frame; none where no whole record follows.
pub(super) fn next(source: &mut impl Read) -> io::Result<Option<(Record, u32)>> {
    let mut head = [0; FRAME];
    if !fill(source, &mut head)? {
        return Ok(None);
    }
    let [a, b, c, d, sum @ ..] = head;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if !(1..=RECORD_MAX).contains(&length) {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    if !fill(source, &mut bytes)? || check(&bytes) != sum {
        return Ok(None);
    }
    Ok(Record::decode(&bytes).ok().map(|record| (record, (FRAME + length) as u32)))
}

fn check(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    sum
}

/// Whether there was enough to fill `bytes`.
fn fill(source: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match source.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
