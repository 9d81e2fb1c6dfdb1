//! What governance set. A change waits for the next session; sessions that are open keep their
//! terms.

use crate::draft::Draft;
use crate::epoch::{self, Epoch};
use crate::host::{Event, Host};
use crate::keys;
use crate::refused::Refused;
use crate::registry::frozen;
use proto::coins::Value;
use proto::message::UpdateParams;
use proto::params::Params;
use proto::{Address, Denom, Height};

/// The parameters that sessions open with.
pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>) -> Params {
    draft.read(&keys::PARAMS).unwrap_or_else(Params::standard)
}

/// What a coin weighs against stake, if services may be priced in it.
pub(crate) fn value<H: Host>(draft: &mut Draft<'_, H>, denom: &Denom) -> Result<Value, Refused> {
    load(draft).value(denom).ok_or_else(|| Refused::CoinNotAllowed(denom.clone()))
}

/// Blocks from a session's start until nothing of it can cost a stake, on the longest windows that
/// any session was opened with.
pub(crate) fn longest_liable<H: Host>(draft: &mut Draft<'_, H>) -> u64 {
    let bytes = draft.get(&keys::LIABLE).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_be_bytes)
}

/// Blocks until a stake returns: never fewer than a session that was opened on earlier parameters
/// can still cost it.
pub(crate) fn unbonding<H: Host>(draft: &mut Draft<'_, H>) -> u64 {
    load(draft).unbonding.max(longest_liable(draft) + 1)
}

/// Who may change parameters.
pub(crate) fn authority<H: Host>(draft: &mut Draft<'_, H>) -> Address {
    let bytes = draft.get(&keys::AUTHORITY).and_then(|bytes| bytes.try_into().ok());
    Address(bytes.unwrap_or_default())
}

pub(crate) fn update<H: Host>(draft: &mut Draft<'_, H>, m: &UpdateParams) -> Result<(), Refused> {
    let owner = authority(draft);
    if owner != m.authority {
        return Err(Refused::NotYours { who: m.authority, owner });
    }
    m.params.check()?;
    draft.write(keys::PARAMS_TO_COME.to_vec(), &m.params);
    draft.emit(Event::new("lode_params_updated").with("authority", m.authority));
    Ok(())
}

/// Makes parameters current.
pub(crate) fn adopt<H: Host>(draft: &mut Draft<'_, H>, params: &Params) {
    let liable = longest_liable(draft).max(params.liable());
    draft.set(keys::LIABLE.to_vec(), liable.to_be_bytes().to_vec());
    draft.write(keys::PARAMS.to_vec(), params);
}

/// Lets a change take effect at the session's first height `at`.
pub(crate) fn take_effect<H: Host>(draft: &mut Draft<'_, H>, at: Height) {
    let Some(params) = draft.read::<Params>(&keys::PARAMS_TO_COME) else { return };
    let before = load(draft);
    draft.delete(keys::PARAMS_TO_COME.to_vec());
    if params.session_length != before.session_length {
        epoch::store(draft, Epoch { first: at, length: params.session_length });
    }
    if params.owner_cap != before.owner_cap {
        frozen::weigh_all_again(draft);
    }
    adopt(draft, &params);
    draft.emit(Event::new("lode_params_in_force").with("since", at));
}
