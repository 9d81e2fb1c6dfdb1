//! What an app lets gateways lock of its escrow: up to a limit, until a height.

use crate::draft::Draft;
use crate::escrow::{self, EscrowRefused};
use crate::host::{Event, Host};
use crate::keys;
use crate::refused::{Refused, check_coin};
use proto::message::{Delegate, Undelegate};
use proto::names::DELEGATIONS_MAX;
use proto::query::App;
use proto::supplier::Delegation;
use proto::{Address, Amount, Coin, Height};

pub(crate) fn delegate<H: Host>(draft: &mut Draft<'_, H>, m: &Delegate) -> Result<(), Refused> {
    check_coin(&m.limit)?;
    let at = draft.block().height;
    if m.expires <= at {
        return Err(EscrowRefused::DelegationOver(m.expires).into());
    }
    if draft.get(&keys::gateway(&m.gateway)).is_none() {
        return Err(Refused::missing(format!("the gateway {}", m.gateway)));
    }
    let delegation = Delegation {
        app: m.app,
        gateway: m.gateway,
        denom: m.limit.denom.clone(),
        limit: m.limit.amount,
        expires: m.expires,
    };
    put(draft, delegation)?;
    let event = Event::new("lode_delegated").with("app", m.app).with("gateway", m.gateway);
    draft.emit(event.with("limit", &m.limit).with("expires", m.expires));
    Ok(())
}

/// Makes a delegation, in the place of an earlier one to the same gateway. What is over goes.
pub(crate) fn put<H: Host>(
    draft: &mut Draft<'_, H>,
    delegation: Delegation,
) -> Result<(), EscrowRefused> {
    let at = draft.block().height;
    let address = delegation.app;
    let mut app = escrow::load(draft, &address);
    let (kept, gone): (Vec<Delegation>, Vec<Delegation>) = std::mem::take(&mut app.delegations)
        .into_iter()
        .partition(|kept| kept.gateway != delegation.gateway && kept.expires > at);
    gone.iter().for_each(|gone| draft.delete(keys::delegated(&address, &gone.gateway)));
    app.delegations = kept;
    if app.delegations.len() >= DELEGATIONS_MAX {
        return Err(EscrowRefused::TooManyDelegations { count: app.delegations.len() });
    }
    draft.set(keys::delegated(&address, &delegation.gateway), at.0.to_be_bytes().to_vec());
    app.delegations.push(delegation);
    app.delegations.sort_by_key(|kept| kept.gateway);
    escrow::store(draft, &address, &app);
    Ok(())
}

pub(crate) fn undelegate<H: Host>(draft: &mut Draft<'_, H>, m: &Undelegate) -> Result<(), Refused> {
    let mut app = escrow::load(draft, &m.app);
    let before = app.delegations.len();
    app.delegations.retain(|kept| kept.gateway != m.gateway);
    if app.delegations.len() == before {
        return Err(Refused::missing(format!("the delegation of {} to {}", m.app, m.gateway)));
    }
    draft.delete(keys::delegated(&m.app, &m.gateway));
    escrow::store(draft, &m.app, &app);
    draft.emit(Event::new("lode_undelegated").with("app", m.app).with("gateway", m.gateway));
    Ok(())
}

/// The height at which a delegation was made.
pub(crate) fn since<H: Host>(
    draft: &mut Draft<'_, H>,
    app: &Address,
    gateway: &Address,
) -> Option<Height> {
    let bytes = draft.get(&keys::delegated(app, gateway))?;
    bytes.try_into().ok().map(u64::from_be_bytes).map(Height)
}

/// Takes `budget` from what `gateway` may lock of `app`.
pub(crate) fn spend(
    app: &mut App,
    address: &Address,
    gateway: &Address,
    budget: &Coin,
    at: Height,
) -> Result<(), EscrowRefused> {
    let fits = |kept: &&mut Delegation| kept.gateway == *gateway && kept.denom == budget.denom;
    let delegation = app.delegations.iter_mut().find(fits);
    let delegation =
        delegation.ok_or(EscrowRefused::NotDelegated { gateway: *gateway, app: *address })?;
    if delegation.expires <= at {
        return Err(EscrowRefused::DelegationOver(delegation.expires));
    }
    let (left, wanted) = (delegation.limit, budget.amount);
    delegation.limit =
        left.checked_sub(wanted).ok_or(EscrowRefused::DelegationTooSmall { left, wanted })?;
    Ok(())
}

/// Gives `unused` back to what `gateway` may lock.
pub(crate) fn restore(app: &mut App, gateway: &Address, unused: &Coin) {
    for kept in &mut app.delegations {
        if kept.gateway == *gateway && kept.denom == unused.denom {
            kept.limit = Amount(kept.limit.0.saturating_add(unused.amount.0));
        }
    }
}
