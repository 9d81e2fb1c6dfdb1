//! Stakes: how they add up, and when they return.

use super::{RegistryRefused, Role, gateway, supplier};
use crate::audit::auditor;
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::keys;
use proto::{Address, Amount, Coin, Height};

/// Stakes that return in one block at most.
const RETURNS_MAX: usize = 1_000;

/// A stake after `more` was added, if that is enough.
pub(crate) fn sum(staked: Amount, more: Amount, min: Amount) -> Result<Amount, RegistryRefused> {
    // Nobody has so many coins that this saturates: the payment fails then.
    let stake = Amount(staked.0.saturating_add(more.0));
    enough(stake, min).map(|()| stake)
}

/// Whether a stake is as much as its role takes.
pub(crate) fn enough(stake: Amount, min: Amount) -> Result<(), RegistryRefused> {
    if stake < min { Err(RegistryRefused::StakeTooSmall { stake, min }) } else { Ok(()) }
}

/// Remembers that a stake may return at `at`: one account can leave in several roles at once.
pub(crate) fn queue<H: Host>(draft: &mut Draft<'_, H>, at: Height, role: Role, who: &Address) {
    let key = keys::to_return(at, who);
    let mut roles = draft.get(&key).unwrap_or_default();
    roles.push(role as u8);
    draft.set(key, roles);
}

/// Returns the stakes whose time has come, at most [`RETURNS_MAX`] of them.
pub(crate) fn give_back_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = keys::until(keys::TO_RETURN, draft.block().height);
    for (key, roles) in draft.stored(&due, RETURNS_MAX) {
        if let Ok(who) = keys::queued(&key).try_into().map(Address) {
            for role in roles {
                match role {
                    role if role == Role::Gateway as u8 => gateway::give_back(draft, &who),
                    role if role == Role::Auditor as u8 => auditor::give_back(draft, &who),
                    _ => supplier::give_back(draft, &who),
                }
            }
        }
        draft.delete(key);
    }
}

pub(crate) fn give_back<H: Host>(draft: &mut Draft<'_, H>, to: &Address, stake: &Coin) {
    draft.pay(Party::Purse(Purse::Stake), Party::Account(*to), stake);
    draft.emit(Event::new("lode_stake_returned").with("to", to).with("amount", stake));
}
