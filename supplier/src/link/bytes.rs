//! Numbers, texts and lists of bounded bytes, little end first.

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it ends early")]
    Short,
    #[error("{0} bytes follow its end")]
    Long(usize),
    #[error("frames of kind {0} are not known")]
    Kind(u8),
    #[error("{name} is {value}, but at most {max}")]
    TooMany { name: &'static str, value: usize, max: usize },
    #[error("{name} is {value}, which means nothing")]
    Value { name: &'static str, value: u64 },
    #[error("a text is not UTF-8")]
    Text,
}

/// Bytes that are read from their beginning.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(Malformed::Value { name, value: value.into() }),
        }
    }

    /// A count that was written as four bytes.
    pub(super) fn count(&mut self, name: &'static str, max: usize) -> Result<usize, Malformed> {
        let value = self.u32()? as usize;
        if value > max { Err(Malformed::TooMany { name, value, max }) } else { Ok(value) }
    }

    pub(super) fn text(&mut self, name: &'static str, max: usize) -> Result<String, Malformed> {
        let length = self.count(name, max)?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed::Text)
    }

    /// Numbers of four bytes; no more memory is taken than bytes are there.
    pub(super) fn u32s(&mut self, name: &'static str, max: usize) -> Result<Vec<u32>, Malformed> {
        let count = self.count(name, max)?;
        let bytes = self.take(count.checked_mul(4).ok_or(Malformed::Short)?)?;
        let number = |chunk: &[u8]| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        Ok(bytes.chunks_exact(4).map(number).collect())
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long(self.0.len())) }
    }
}

pub(super) fn put_u32s(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend((numbers.len() as u32).to_le_bytes());
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

/// A text, cut to `max` bytes at a character.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, max: usize) {
    let text = &text[..text.floor_char_boundary(max)];
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}
