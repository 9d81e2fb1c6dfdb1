//! An app's escrow: what is free, and what sessions lock of it, each coin by itself. Only coins that
//! governance allows come in; what is in can be taken out whatever it allows later.

use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::refused::{Refused, check_some};
use crate::{delegation, keys, params};
use proto::message::{Deposit, Withdraw};
use proto::query::App;
use proto::supplier::Escrow;
use proto::{Address, Amount, Coin, Denom, Height};

/// Why escrow cannot be moved, locked or delegated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscrowRefused {
    #[error("the escrow has {free} free, but {wanted} is wanted: deposit more")]
    TooSmall { free: Coin, wanted: Coin },
    #[error("the escrow holds {free}, and {more} more is more than can be counted")]
    TooLarge { free: Amount, more: Coin },
    #[error("{gateway} may not lock {denom} of {app}: the app must delegate to it")]
    NotDelegated { gateway: Address, app: Address, denom: Denom },
    #[error("the delegation ends at height {0}: delegate anew, until a later one")]
    DelegationOver(Height),
    #[error(
        "the delegation has {left} left, but {wanted} is wanted: the app must delegate more, or lock a smaller budget"
    )]
    DelegationTooSmall { left: Amount, wanted: Coin },
    #[error("there are {count} delegations already, and no more than that are kept: end one")]
    TooManyDelegations { count: usize },
}

impl EscrowRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            EscrowRefused::TooSmall { .. } => 17,
            EscrowRefused::NotDelegated { .. } => 18,
            EscrowRefused::DelegationOver(_) => 19,
            EscrowRefused::DelegationTooSmall { .. } => 20,
            EscrowRefused::TooLarge { .. } => 33,
            EscrowRefused::TooManyDelegations { .. } => 34,
        }
    }
}

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, app: &Address) -> App {
    draft.read(&keys::app(app)).unwrap_or_default()
}

pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, address: &Address, app: &App) {
    if *app == App::default() {
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
    check_some(&m.coin)?;
    params::value(draft, &m.coin.denom)?;
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
) -> Result<(), EscrowRefused> {
    let mut app = load(draft, address);
    let free = free(&app, &coin.denom);
    let sum = free
        .checked_add(coin.amount)
        .ok_or_else(|| EscrowRefused::TooLarge { free, more: coin.clone() })?;
    set_free(&mut app, address, &coin.denom, sum);
    store(draft, address, &app);
    Ok(())
}

pub(crate) fn withdraw<H: Host>(draft: &mut Draft<'_, H>, m: &Withdraw) -> Result<(), Refused> {
    check_some(&m.coin)?;
    let mut app = load(draft, &m.app);
    take(&mut app, &m.app, &m.coin)?;
    store(draft, &m.app, &app);
    draft.pay(Party::Purse(Purse::Escrow), Party::Account(m.app), &m.coin);
    draft.emit(Event::new("lode_withdraw").with("app", m.app).with("amount", &m.coin));
    Ok(())
}

fn take(app: &mut App, address: &Address, wanted: &Coin) -> Result<(), EscrowRefused> {
    let free = free(app, &wanted.denom);
    let left = free.checked_sub(wanted.amount).ok_or_else(|| EscrowRefused::TooSmall {
        free: Coin::new(free, wanted.denom.clone()),
        wanted: wanted.clone(),
    })?;
    set_free(app, address, &wanted.denom, left);
    Ok(())
}

/// Locks `budget` of an app's escrow for a session of `gateway`, which is the app itself or one
/// that it delegated to.
pub(crate) fn lock<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    gateway: &Address,
    budget: &Coin,
) -> Result<(), EscrowRefused> {
    let at = draft.block().height;
    let mut app = load(draft, address);
    if address != gateway {
        delegation::spend(&mut app, address, gateway, budget, at)?;
    }
    take(&mut app, address, budget)?;
    store(draft, address, &app);
    Ok(())
}

/// Gives back what a session that was opened at `opened` did not use: to the escrow, and to what
/// the gateway may still lock, if the delegation that it was locked under stands. A later one has a
/// limit of its own, which stays what the app said.
pub(crate) fn unlock<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
    gateway: &Address,
    opened: Height,
    unused: &Coin,
) {
    if unused.amount.is_zero() {
        return;
    }
    let mut app = load(draft, address);
    let sum = free(&app, &unused.denom).0.saturating_add(unused.amount.0);
    set_free(&mut app, address, &unused.denom, Amount(sum));
    if delegation::since(draft, address, gateway, &unused.denom)
        .is_some_and(|since| since <= opened)
    {
        delegation::restore(&mut app, gateway, unused);
    }
    store(draft, address, &app);
}
