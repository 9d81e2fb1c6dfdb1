//! Strings in a list: each stands behind its length, 4 bytes, little-endian.

/// Bytes of a length.
const LENGTH: usize = 4;

/// The list of `strings`.
pub(crate) fn encode<'a>(strings: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut list = Vec::new();
    for string in strings {
        let length = u32::try_from(string.len()).expect("an event's part is short");
        list.extend_from_slice(&length.to_le_bytes());
        list.extend_from_slice(string);
    }
    list
}

/// The pairs of a list; none where it is cut off or its strings are odd in number.
pub(crate) fn pairs(mut list: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut pairs = Vec::new();
    while !list.is_empty() {
        let key = take(&mut list)?;
        pairs.push((key, take(&mut list)?));
    }
    Some(pairs)
}

fn take(list: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = list.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (string, rest) = rest.split_at_checked(length)?;
    *list = rest;
    Some(string.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_or_not_at_all() {
        let list = encode([b"key".as_slice(), b"", b"k", b"value"]);
        let pairs_of = |list: &[u8]| pairs(list);
        let written = vec![(b"key".to_vec(), vec![]), (b"k".to_vec(), b"value".to_vec())];
        assert_eq!(pairs_of(&list), Some(written));
        assert_eq!(pairs_of(&list[..list.len() - 1]), None, "cut off");
        assert_eq!(pairs_of(&encode([b"alone".as_slice()])), None, "odd");
        assert_eq!(pairs_of(&[0xff; 6]), None, "longer than what is there");
        assert_eq!(pairs_of(&[]), Some(vec![]));
    }
}
