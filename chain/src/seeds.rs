//! The seeds of past heights, for as long as an open session may need them.

use crate::draft::Draft;
use crate::host::Host;
use crate::{keys, params, settle};
use proto::{Digest, Height};

/// Seeds that one block forgets at most: more than one block adds, so that none pile up.
const FORGOTTEN_MAX: usize = 16;

/// The seed of a height, while it is kept.
pub(crate) fn at<H: Host>(draft: &mut Draft<'_, H>, height: Height) -> Option<Digest> {
    draft.get(&keys::seed(height)).and_then(|bytes| bytes.try_into().ok()).map(Digest)
}

pub(crate) fn keep<H: Host>(draft: &mut Draft<'_, H>, height: Height, seed: &Digest) {
    draft.set(keys::seed(height), seed.0.to_vec());
}

/// Forgets seeds that no session needs any more. The earliest that one does need is that of the
/// block before it; settlement may wait its turn, so time alone does not tell.
pub(crate) fn forget<H: Host>(draft: &mut Draft<'_, H>) {
    let now = draft.block().height;
    let earliest = settle::first_due(draft).map_or(now, |due| due.min(now));
    let needed = earliest.minus(params::longest_liable(draft) + 1);
    let Some(last) = needed.0.checked_sub(1) else { return };
    for (key, _) in draft.stored(&keys::until(keys::SEEDS, Height(last)), FORGOTTEN_MAX) {
        draft.delete(key);
    }
}
