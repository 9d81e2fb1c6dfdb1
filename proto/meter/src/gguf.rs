//! The head of a GGUF file: what it says of itself, and where its tensors lie.
//!
//! The file may come from anybody: every length is checked against the bytes that are there before
//! anything is taken for it.

mod parts;

pub use parts::{PartsError, files};

use std::collections::BTreeMap;

/// One value that a file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    List(Vec<Value>),
}

impl Value {
    /// A number that is not negative.
    pub fn number(&self) -> Option<u64> {
        match self {
            Value::Unsigned(number) => Some(*number),
            Value::Signed(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A number with a point.
    pub fn float(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            Value::Unsigned(number) => Some(*number as f64),
            Value::Signed(number) => Some(*number as f64),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self {
            Value::Bool(is) => Some(*is),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(values) => Some(values),
            _ => None,
        }
    }
}

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Sizes, the outermost first.
    pub sizes: Vec<usize>,
    /// Its type, by ggml's number.
    pub kind: u32,
    /// Where it begins in the file.
    pub start: usize,
}

/// What stands before the tensors.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub values: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, Place>,
}

/// Why a file is no GGUF file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("it does not begin with GGUF")]
    Magic,
    #[error("it is written for big-endian machines: convert it for little-endian ones")]
    BigEndian,
    #[error("it is of version {0}; versions 2 and 3 can be read")]
    Version(u32),
    #[error("it ends at byte {length}, but {needed} more bytes must follow byte {at}")]
    Short { length: usize, at: usize, needed: u64 },
    #[error("a value at byte {at} is of the type {kind}, which GGUF does not know")]
    Kind { at: usize, kind: u32 },
    #[error("a list at byte {at} lies in more than {DEPTH_MAX} lists")]
    Depth { at: usize },
    #[error("the tensor {name} has {count} dimensions; 1 to {SIZES_MAX} are possible")]
    Sizes { name: String, count: u32 },
    #[error("the tensor {name} is larger than any memory")]
    Huge { name: String },
    #[error("general.alignment is {0}, but must be a power of two up to {ALIGNMENT_MAX}")]
    Alignment(u64),
}

/// Lists within lists at most.
const DEPTH_MAX: usize = 4;

/// Dimensions of a tensor at most, as in ggml.
const SIZES_MAX: u32 = 4;

/// Where tensors begin, unless the file says otherwise.
const ALIGNMENT_DEFAULT: u64 = 32;

/// No tool aligns tensors to more than a page of memory.
const ALIGNMENT_MAX: u64 = 1 << 16;

impl Head {
    /// Reads the head of the file `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Head, HeadError> {
        let mut cursor = Cursor { bytes, at: 0 };
        if cursor.take(4)? != b"GGUF" {
            return Err(HeadError::Magic);
        }
        let version = cursor.u32()?;
        if (2..=3).contains(&version.swap_bytes()) {
            return Err(HeadError::BigEndian);
        }
        if !(2..=3).contains(&version) {
            return Err(HeadError::Version(version));
        }
        let (tensors, values) = (cursor.u64()?, cursor.u64()?);
        let mut head = Head::default();
        for _ in 0..values {
            let name = cursor.text()?;
            let kind = cursor.u32()?;
            head.values.insert(name, cursor.value(kind, 0)?);
        }
        for _ in 0..tensors {
            let name = cursor.text()?;
            let place = cursor.place(&name)?;
            head.tensors.insert(name, place);
        }
        head.shift(cursor.at)?;
        Ok(head)
    }

    /// Offsets of tensors count from the first aligned byte after the head.
    fn shift(&mut self, end: usize) -> Result<(), HeadError> {
        let alignment = self.values.get("general.alignment").and_then(Value::number);
        let alignment = alignment.unwrap_or(ALIGNMENT_DEFAULT);
        if !alignment.is_power_of_two() || alignment > ALIGNMENT_MAX {
            return Err(HeadError::Alignment(alignment));
        }
        let first = end.next_multiple_of(alignment as usize);
        for (name, place) in &mut self.tensors {
            let start = place.start.checked_add(first);
            place.start = start.ok_or_else(|| HeadError::Huge { name: name.clone() })?;
        }
        Ok(())
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], HeadError> {
        let left = &self.bytes[self.at..];
        let short = HeadError::Short { length: self.bytes.len(), at: self.at, needed: count };
        let taken = usize::try_from(count).ok().and_then(|count| left.get(..count)).ok_or(short)?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeadError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, HeadError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, HeadError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<String, HeadError> {
        let length = self.u64()?;
        // Some tools write the bytes of a vocabulary that are no characters of their own.
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, HeadError> {
        let at = self.at;
        Ok(match kind {
            0 => Value::Unsigned(self.array::<1>()?[0].into()),
            1 => Value::Signed(i8::from_le_bytes(self.array()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.array()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.array()?).into()),
            4 => Value::Unsigned(self.u32()?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.array()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array()?).into()),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text()?),
            9 => self.list(depth)?,
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.array()?)),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            _ => return Err(HeadError::Kind { at, kind }),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value, HeadError> {
        if depth == DEPTH_MAX {
            return Err(HeadError::Depth { at: self.at });
        }
        let (kind, count) = (self.u32()?, self.u64()?);
        // Grown as values come: a count alone takes no memory.
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::List(values))
    }

    fn place(&mut self, name: &str) -> Result<Place, HeadError> {
        let count = self.u32()?;
        if !(1..=SIZES_MAX).contains(&count) {
            return Err(HeadError::Sizes { name: name.to_owned(), count });
        }
        let huge = || HeadError::Huge { name: name.to_owned() };
        let mut sizes = Vec::new();
        for _ in 0..count {
            sizes.push(usize::try_from(self.u64()?).map_err(|_| huge())?);
        }
        sizes.reverse();
        let kind = self.u32()?;
        let start = usize::try_from(self.u64()?).map_err(|_| huge())?;
        Ok(Place { sizes, kind, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with one text, one list and one tensor.
    fn file() -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(2u64.to_le_bytes());
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        text(&mut bytes, "general.architecture");
        bytes.extend(8u32.to_le_bytes());
        text(&mut bytes, "llama");
        text(&mut bytes, "scores");
        bytes.extend(9u32.to_le_bytes());
        bytes.extend(6u32.to_le_bytes());
        bytes.extend(2u64.to_le_bytes());
        bytes.extend(1f32.to_le_bytes());
        bytes.extend(2f32.to_le_bytes());
        text(&mut bytes, "w");
        bytes.extend(2u32.to_le_bytes());
        bytes.extend(3u64.to_le_bytes());
        bytes.extend(5u64.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(64u64.to_le_bytes());
        bytes
    }

    #[test]
    fn values_and_places_are_read() {
        let head = Head::read(&file()).unwrap();
        assert_eq!(head.values["general.architecture"].text(), Some("llama"));
        assert_eq!(head.values["scores"].list().map(<[Value]>::len), Some(2));
        let place = &head.tensors["w"];
        assert_eq!((place.sizes.as_slice(), place.start % 32), (&[5, 3][..], 0));
    }

    #[test]
    fn a_file_for_other_machines_is_called_that() {
        let mut bytes = file();
        bytes[4..8].copy_from_slice(&3u32.to_be_bytes());
        assert_eq!(Head::read(&bytes).unwrap_err(), HeadError::BigEndian);
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = file();
        for cut in 0..bytes.len() {
            assert!(Head::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at: prop::sample::Index, new: [u8; 8], rest: Vec<u8>) {
            let mut bytes = file();
            let at = at.index(bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&new);
            let _read = Head::read(&bytes);
            bytes.truncate(24);
            bytes.extend(rest);
            let _read = Head::read(&bytes);
        }
    }
}
