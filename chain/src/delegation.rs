//! What an app lets gateways lock of its escrow: of each coin up to a limit, until a height.

use crate::draft::Draft;
use crate::escrow::{self, EscrowRefused};
use crate::host::{Event, Host};
use crate::refused::{Refused, check_some};
use crate::{keys, params};
use proto::message::{Delegate, Undelegate};
use proto::names::DELEGATIONS_MAX;
use proto::query::App;
use proto::supplier::Delegation;
use proto::{Address, Amount, Coin, Denom, Height};

pub(crate) fn delegate<H: Host>(draft: &mut Draft<'_, H>, m: &Delegate) -> Result<(), Refused> {
    check_some(&m.limit)?;
    params::value(draft, &m.limit.denom)?;
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

/// Makes a delegation, in the place of an earlier one to the same gateway in the same coin. What is
/// over goes.
pub(crate) fn put<H: Host>(
    draft: &mut Draft<'_, H>,
    delegation: Delegation,
) -> Result<(), EscrowRefused> {
    let at = draft.block().height;
    let address = delegation.app;
    let mut app = escrow::load(draft, &address);
    let (kept, gone): (Vec<Delegation>, Vec<Delegation>) = std::mem::take(&mut app.delegations)
        .into_iter()
        .partition(|kept| place(kept) != place(&delegation) && kept.expires > at);
    forget(draft, &gone);
    app.delegations = kept;
    if app.delegations.len() >= DELEGATIONS_MAX {
        return Err(EscrowRefused::TooManyDelegations { count: app.delegations.len() });
    }
    let Delegation { gateway, denom, .. } = &delegation;
    draft.set(keys::delegated(&address, gateway, denom), at.0.to_be_bytes().to_vec());
    app.delegations.push(delegation);
    app.delegations.sort_by(|a, b| place(a).cmp(&place(b)));
    escrow::store(draft, &address, &app);
    Ok(())
}

/// What an app has one delegation for.
fn place(delegation: &Delegation) -> (Address, &Denom) {
    (delegation.gateway, &delegation.denom)
}

fn forget<H: Host>(draft: &mut Draft<'_, H>, gone: &[Delegation]) {
    for Delegation { app, gateway, denom, .. } in gone {
        draft.delete(keys::delegated(app, gateway, denom));
    }
}

pub(crate) fn undelegate<H: Host>(draft: &mut Draft<'_, H>, m: &Undelegate) -> Result<(), Refused> {
    let mut app = escrow::load(draft, &m.app);
    let (gone, kept): (Vec<Delegation>, Vec<Delegation>) =
        std::mem::take(&mut app.delegations).into_iter().partition(|d| d.gateway == m.gateway);
    if gone.is_empty() {
        return Err(Refused::missing(format!("the delegation of {} to {}", m.app, m.gateway)));
    }
    forget(draft, &gone);
    app.delegations = kept;
    escrow::store(draft, &m.app, &app);
    draft.emit(Event::new("lode_undelegated").with("app", m.app).with("gateway", m.gateway));
    Ok(())
}

/// The height at which a delegation was made.
pub(crate) fn since<H: Host>(
    draft: &mut Draft<'_, H>,
    app: &Address,
    gateway: &Address,
    denom: &Denom,
) -> Option<Height> {
    let bytes = draft.get(&keys::delegated(app, gateway, denom))?;
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
    let fits = |kept: &&mut Delegation| place(kept) == (*gateway, &budget.denom);
    let delegation = app.delegations.iter_mut().find(fits).ok_or_else(|| {
        let (gateway, app, denom) = (*gateway, *address, budget.denom.clone());
        EscrowRefused::NotDelegated { gateway, app, denom }
    })?;
    if delegation.expires <= at {
        return Err(EscrowRefused::DelegationOver(delegation.expires));
    }
    let left = delegation.limit;
    delegation.limit = left
        .checked_sub(budget.amount)
        .ok_or_else(|| EscrowRefused::DelegationTooSmall { left, wanted: budget.clone() })?;
    Ok(())
}

/// Gives `unused` back to what `gateway` may lock.
pub(crate) fn restore(app: &mut App, gateway: &Address, unused: &Coin) {
    for kept in &mut app.delegations {
        if place(kept) == (*gateway, &unused.denom) {
            kept.limit = Amount(kept.limit.0.saturating_add(unused.amount.0));
        }
    }
}
