//! An app's escrow, and what it lets gateways lock.

use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::keys;
use crate::refused::Refused;
use proto::message::{Delegate, Deposit, Undelegate, Withdraw};
use proto::names::DELEGATIONS_MAX;
use proto::query::App;
use proto::supplier::{Delegation, Escrow};
use proto::{Address, Amount, Coin, Denom};

/// Coins in which escrow is kept: one, until services may be priced in others.
fn check_coin(coin: &Coin) -> Result<(), Refused> {
    if coin.denom != Denom::stake() {
        return Err(Refused::WrongCoin { coin: coin.clone(), expected: Denom::stake() });
    }
    if coin.amount.is_zero() { Err(Refused::Nothing) } else { Ok(()) }
}

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, app: &Address) -> App {
    draft.read(&keys::app(app)).unwrap_or_default()
}

fn store<H: Host>(draft: &mut Draft<'_, H>, address: &Address, app: &App) {
    if app.escrow.is_empty() && app.delegations.is_empty() {
        draft.delete(keys::app(address));
    } else {
        draft.write(keys::app(address), app);
    }
}

/// What of `denom` is free.
fn free(app: &App, denom: &Denom) -> Amount {
    app.escrow.iter().find(|kept| kept.denom == *denom).map_or(Amount::ZERO, |kept| kept.amount)
}

fn set_free(app: &mut App, address: &Address, denom: &Denom, amount: Amount) {
    app.escrow.retain(|kept| kept.denom != *denom);
    if !amount.is_zero() {
        app.escrow.push(Escrow { app: *address, denom: denom.clone(), amount });
        app.escrow.sort_by(|a, b| a.denom.cmp(&b.denom));
    }
}

pub(crate) fn deposit<H: Host>(draft: &mut Draft<'_, H>, m: &Deposit) -> Result<(), Refused> {
    check_coin(&m.coin)?;
    credit(draft, &m.app, &m.coin)?;
    draft.pay(Party::Account(m.app), Party::Purse(Purse::Escrow), &m.coin);
    draft.emit(Event::new("lode_deposit").with("app", m.app).with("amount", &m.coin));
    Ok(())
}

/// Adds to what is free, without a payment.
pub(crate) fn credit<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    coin: &Coin,
) -> Result<(), Refused> {
    let mut app = load(draft, address);
    let sum = free(&app, &coin.denom).checked_add(coin.amount);
    let sum = sum.ok_or(Refused::TooMany { what: "coins", count: usize::MAX })?;
    set_free(&mut app, address, &coin.denom, sum);
    store(draft, address, &app);
    Ok(())
}

pub(crate) fn withdraw<H: Host>(draft: &mut Draft<'_, H>, m: &Withdraw) -> Result<(), Refused> {
    check_coin(&m.coin)?;
    take(draft, &m.app, &m.coin)?;
    draft.pay(Party::Purse(Purse::Escrow), Party::Account(m.app), &m.coin);
    draft.emit(Event::new("lode_withdraw").with("app", m.app).with("amount", &m.coin));
    Ok(())
}

fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    wanted: &Coin,
) -> Result<(), Refused> {
    let mut app = load(draft, address);
    let amount = free(&app, &wanted.denom);
    let left = amount.checked_sub(wanted.amount).ok_or_else(|| Refused::EscrowTooSmall {
        free: Coin::new(amount, wanted.denom.clone()),
        wanted: wanted.clone(),
    })?;
    set_free(&mut app, address, &wanted.denom, left);
    store(draft, address, &app);
    Ok(())
}

pub(crate) fn delegate<H: Host>(draft: &mut Draft<'_, H>, m: &Delegate) -> Result<(), Refused> {
    check_coin(&m.limit)?;
    let at = draft.block().height;
    if m.expires <= at {
        return Err(Refused::DelegationOver(m.expires));
    }
    if draft.get(&keys::gateway(&m.gateway)).is_none() {
        return Err(Refused::missing(format!("the gateway {}", m.gateway)));
    }
    let mut app = load(draft, &m.app);
    app.delegations.retain(|kept| kept.gateway != m.gateway && kept.expires > at);
    if app.delegations.len() >= DELEGATIONS_MAX {
        return Err(Refused::TooMany { what: "delegations", count: app.delegations.len() });
    }
    app.delegations.push(Delegation {
        app: m.app,
        gateway: m.gateway,
        denom: m.limit.denom.clone(),
        limit: m.limit.amount,
        expires: m.expires,
    });
    app.delegations.sort_by_key(|kept| kept.gateway);
    store(draft, &m.app, &app);
    let event = Event::new("lode_delegated").with("app", m.app).with("gateway", m.gateway);
    draft.emit(event.with("limit", &m.limit).with("expires", m.expires));
    Ok(())
}

pub(crate) fn undelegate<H: Host>(draft: &mut Draft<'_, H>, m: &Undelegate) -> Result<(), Refused> {
    let mut app = load(draft, &m.app);
    let before = app.delegations.len();
    app.delegations.retain(|kept| kept.gateway != m.gateway);
    if app.delegations.len() == before {
        return Err(Refused::missing(format!("the delegation of {} to {}", m.app, m.gateway)));
    }
    store(draft, &m.app, &app);
    draft.emit(Event::new("lode_undelegated").with("app", m.app).with("gateway", m.gateway));
    Ok(())
}

/// A delegation of the genesis.
pub(crate) fn restore_delegation<H: Host>(draft: &mut Draft<'_, H>, delegation: &Delegation) {
    let mut app = load(draft, &delegation.app);
    app.delegations.push(delegation.clone());
    store(draft, &delegation.app, &app);
}

/// Locks `budget` of an app's escrow for a session of `gateway`.
pub(crate) fn lock<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    gateway: &Address,
    budget: &Coin,
) -> Result<(), Refused> {
    if address != gateway {
        let at = draft.block().height;
        let mut app = load(draft, address);
        let fits = |kept: &&mut Delegation| kept.gateway == *gateway && kept.denom == budget.denom;
        let delegation = app.delegations.iter_mut().find(fits);
        let delegation =
            delegation.ok_or(Refused::NotDelegated { gateway: *gateway, app: *address })?;
        if delegation.expires <= at {
            return Err(Refused::DelegationOver(delegation.expires));
        }
        let (left, wanted) = (delegation.limit, budget.amount);
        delegation.limit =
            left.checked_sub(wanted).ok_or(Refused::DelegationTooSmall { left, wanted })?;
        store(draft, address, &app);
    }
    take(draft, address, budget)
}

/// Gives back what a session did not use: to the escrow, and to what the gateway may still lock.
pub(crate) fn unlock<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    gateway: &Address,
    unused: &Coin,
) {
    if unused.amount.is_zero() {
        return;
    }
    let mut app = load(draft, address);
    let sum = free(&app, &unused.denom).0.saturating_add(unused.amount.0);
    set_free(&mut app, address, &unused.denom, Amount(sum));
    for kept in &mut app.delegations {
        if kept.gateway == *gateway && kept.denom == unused.denom {
            kept.limit = Amount(kept.limit.0.saturating_add(unused.amount.0));
        }
    }
    store(draft, address, &app);
}
