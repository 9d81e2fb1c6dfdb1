#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

/// Bytes of an exhibit whose parts are these.
fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    let length = |part: &Vec<u8>| (part.len() as u32).to_be_bytes();
    parts.iter().flat_map(|part| [&length(part)[..], part].concat()).collect()
}

#[test]
fn what_is_no_exhibit_is_refused_by_its_part() {
    let parts = |relay_key: usize| {
        let mut parts = vec![Vec::new(); PARTS];
        (parts[3], parts[4]) = (b"demo".to_vec(), vec![5; 20]);
        parts[5] = vec![6; relay_key];
        join(&parts)
    };
    let refused = |bytes: &[u8]| Exhibit::decode(bytes).unwrap_err().to_string();
    assert!(refused(&parts(31)).contains("it has 31 bytes, not 32"));
    assert!(refused(&parts(32)).starts_with("the opening"), "{}", refused(&parts(32)));
    assert!(refused(&[parts(32), vec![0]].concat()).contains("nothing else"));
    assert!(refused(&vec![0; EXHIBIT_MAX + 1]).contains("more than"));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_have_one_form(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 9..13), cut in 0usize..60
    ) {
        let bytes = join(&parts);
        let bytes = &bytes[..bytes.len().saturating_sub(cut)];
        if let Ok(exhibit) = Exhibit::decode(bytes) {
            prop_assert_eq!(exhibit.encode(), bytes);
        }
    }
}
