//! Every reader of foreign bytes, on bytes that were made up and on right ones that were changed.
#![allow(clippy::unwrap_used)]

use hostile::{READERS, Sample, reader, samples};
use proptest::prelude::*;
use std::sync::LazyLock;

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(samples);

/// Changes a few bytes, and may cut some off or put some on.
fn changed(
    mut bytes: Vec<u8>,
    changes: &[(prop::sample::Index, u8)],
    end: Option<prop::sample::Index>,
    tail: &[u8],
) -> Vec<u8> {
    for (at, value) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(end) = end {
        bytes.truncate(end.index(bytes.len()));
    }
    bytes.extend(tail);
    bytes
}

#[test]
fn right_bytes_are_read_by_their_readers() {
    for sample in SAMPLES.iter() {
        reader(sample.reader).unwrap()(&sample.bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bytes_that_were_made_up_break_no_reader(
        which in 0..READERS.len(), bytes in prop::collection::vec(any::<u8>(), 0..600)
    ) {
        READERS[which].1(&bytes);
    }

    #[test]
    fn right_bytes_that_were_changed_break_no_reader(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..6),
        end in prop::option::weighted(0.3, any::<prop::sample::Index>()),
        tail in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let sample = which.get(&SAMPLES);
        reader(sample.reader).unwrap()(&changed(sample.bytes.clone(), &changes, end, &tail));
    }
}
