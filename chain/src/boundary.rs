//! What every block begins and ends with, and where sessions begin.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::registry::{gateway, service, supplier};
use crate::{keys, price, settle};
use proto::message::UpdateParams;
use proto::params::Params;
use proto::session::start_of;
use proto::{Digest, Height};

/// Since when sessions have which length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) first: Height,
    pub(crate) length: u64,
}

impl Epoch {
    /// The first height of the session that `height` is in.
    pub(crate) fn start(&self, height: Height) -> Height {
        let within = Height(height.0.saturating_sub(self.first.0) + 1);
        Height(self.first.0 + start_of(within, self.length.max(1)).0 - 1)
    }

    /// The first height of the session after the one that `height` is in.
    pub(crate) fn next_start(&self, height: Height) -> Height {
        self.start(height).plus(self.length.max(1))
    }
}

pub(crate) fn epoch<H: Host>(draft: &mut Draft<'_, H>) -> Epoch {
    let bytes: Option<[u8; 16]> = draft.get(&keys::EPOCH).and_then(|bytes| bytes.try_into().ok());
    let number = u128::from_be_bytes(bytes.unwrap_or_default());
    Epoch { first: Height((number >> 64) as u64), length: number as u64 }
}

pub(crate) fn set_epoch<H: Host>(draft: &mut Draft<'_, H>, epoch: Epoch) {
    let number = u128::from(epoch.first.0) << 64 | u128::from(epoch.length);
    draft.set(keys::EPOCH.to_vec(), number.to_be_bytes().to_vec());
}

/// The parameters that sessions open with.
pub(crate) fn params<H: Host>(draft: &mut Draft<'_, H>) -> Params {
    draft.read(&keys::PARAMS).unwrap_or_else(Params::standard)
}

/// Blocks until a stake returns: never fewer than a session that was opened on earlier parameters
/// can still cost it.
pub(crate) fn unbonding<H: Host>(draft: &mut Draft<'_, H>) -> u64 {
    params(draft).unbonding.max(longest_liable(draft) + 1)
}

fn longest_liable<H: Host>(draft: &mut Draft<'_, H>) -> u64 {
    let bytes = draft.get(&keys::LIABLE).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_be_bytes)
}

pub(crate) fn adopt_params<H: Host>(draft: &mut Draft<'_, H>, params: &Params) {
    let liable = longest_liable(draft).max(params.liable());
    draft.set(keys::LIABLE.to_vec(), liable.to_be_bytes().to_vec());
    draft.write(keys::PARAMS.to_vec(), params);
}

pub(crate) fn update_params<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &UpdateParams,
) -> Result<(), Refused> {
    let owner = draft.get(&keys::AUTHORITY).and_then(|bytes| bytes.try_into().ok());
    let owner = proto::Address(owner.unwrap_or_default());
    if owner != m.authority {
        return Err(Refused::NotYours { who: m.authority, owner });
    }
    m.params.check()?;
    draft.write(keys::PARAMS_TO_COME.to_vec(), &m.params);
    draft.emit(Event::new("lode_params_updated").with("authority", m.authority));
    Ok(())
}

/// The seed of a height, while it is kept.
pub(crate) fn seed<H: Host>(draft: &mut Draft<'_, H>, height: Height) -> Option<Digest> {
    draft.get(&keys::seed(height)).and_then(|bytes| bytes.try_into().ok()).map(Digest)
}

pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>) {
    let block = draft.block();
    draft.set(keys::seed(block.height), block.seed.0.to_vec());
    let kept = longest_liable(draft) + SEEDS_KEPT_LONGER;
    if let Some(old) = block.height.0.checked_sub(kept) {
        draft.delete(keys::seed(Height(old)));
    }
    if epoch(draft).start(block.height) == block.height {
        begin_session(draft, block.height);
    }
}

/// Blocks for which a seed outlives the last session that needs it: a settlement may have to wait
/// its turn.
const SEEDS_KEPT_LONGER: u64 = 10_000;

fn begin_session<H: Host>(draft: &mut Draft<'_, H>, at: Height) {
    if let Some(params) = draft.read::<Params>(&keys::PARAMS_TO_COME) {
        draft.delete(keys::PARAMS_TO_COME.to_vec());
        set_epoch(draft, Epoch { first: at, length: params.session_length });
        adopt_params(draft, &params);
    }
    service::take_effect(draft);
    supplier::take_effect(draft);
    price::step_all(draft, at);
    draft.emit(Event::new("lode_session_boundary").with("start", at));
}

pub(crate) fn end<H: Host>(draft: &mut Draft<'_, H>) {
    settle::settle_due(draft);
    settle::forget_due(draft);
    gateway::give_back_due(draft);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_a_new_length_begin_where_the_old_ones_ended() {
        let epoch = Epoch { first: Height(21), length: 7 };
        assert_eq!(epoch.start(Height(21)), Height(21));
        assert_eq!(epoch.start(Height(27)), Height(21));
        assert_eq!(epoch.start(Height(28)), Height(28));
        assert_eq!(epoch.next_start(Height(30)), Height(35));
    }
}
