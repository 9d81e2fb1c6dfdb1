//! Where sessions begin: since which height they have which length.

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::Height;
use proto::session::start_of;

/// Since when sessions have which length. A change of length begins with a session, so that every
/// height is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) first: Height,
    pub(crate) length: u64,
}

impl Epoch {
    /// The first height of the session that `height` is in.
    pub(crate) fn start(&self, height: Height) -> Height {
        let within = Height(height.0.saturating_sub(self.first.0).saturating_add(1));
        Height((self.first.0 - 1).saturating_add(start_of(within, self.length).0))
    }

    /// The first height of the session after the one that `height` is in.
    pub(crate) fn next_start(&self, height: Height) -> Height {
        self.start(height).plus(self.length)
    }

    /// The epoch that was stored, or one of endless sessions where none was.
    pub(crate) fn decode(bytes: Option<Vec<u8>>) -> Epoch {
        let bytes: [u8; 16] = bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let number = u128::from_be_bytes(bytes);
        let (first, length) = ((number >> 64) as u64, number as u64);
        Epoch { first: Height(first.max(1)), length: length.max(1) }
    }
}

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>) -> Epoch {
    Epoch::decode(draft.get(&keys::EPOCH))
}

pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, epoch: Epoch) {
    let number = u128::from(epoch.first.0) << 64 | u128::from(epoch.length);
    draft.set(keys::EPOCH.to_vec(), number.to_be_bytes().to_vec());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_another_length_begin_where_the_earlier_ones_ended() {
        let epoch = Epoch { first: Height(21), length: 7 };
        assert_eq!(epoch.start(Height(21)), Height(21));
        assert_eq!(epoch.start(Height(27)), Height(21));
        assert_eq!(epoch.start(Height(28)), Height(28));
        assert_eq!(epoch.next_start(Height(30)), Height(35));
    }

    #[test]
    fn a_market_that_was_never_filled_has_heights_all_the_same() {
        let epoch = Epoch::decode(None);
        assert_eq!(epoch.start(Height(5)), Height(5));
        assert_eq!(epoch.next_start(Height(u64::MAX)), Height(u64::MAX));
    }
}
