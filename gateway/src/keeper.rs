//! Keeps a session open for each service that is sold.
//!
//! ```text
//! each block:  is the running session open? --yes--> nothing to do
//!                | no                                   (the old one serves on within its grace)
//!              does the chain have it? --yes--> take it up
//!                | no
//!              send MsgOpenSession with what can be spent; at the next block again
//! ```

use crate::chain::ChainError;
use crate::config::Budget;
use crate::gateway::Gateway;
use crate::pool::{Closed, Dead, Desk, Open};
use crate::purse::Purse;
use crate::recover;
use futures::future::join_all;
use proto::message::OpenSession;
use proto::query::Clock;
use proto::session::Session;
use proto::{Amount, Height, Price};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// How long is waited before the chain is asked again that could not be.
const RETRY: Duration = Duration::from_millis(500);

/// What there is to spend of a service's coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funds {
    /// The app's escrow that no session holds.
    pub free: Amount,
    /// What the app lets the gateway lock; none: all of it.
    pub delegated: Option<Amount>,
    /// What the gateway staked of that coin and no session's over-commitment needs.
    pub stake_left: Amount,
    /// Suppliers of a session at most.
    pub suppliers: u32,
}

/// What to lock in a session.
///
/// Never more than is free and delegated, nor than the stake covers if every supplier served the
/// whole budget (see [`proto::session::exposure`]). By share, a part of each: earlier sessions hold
/// theirs until they are settled.
pub fn budget(config: &Budget, funds: &Funds) -> Amount {
    let others = u128::from(funds.suppliers.saturating_sub(1)).max(1);
    let covered = match funds.suppliers {
        0 | 1 => funds.free,
        _ => Amount(funds.stake_left.0 / others),
    };
    let free = funds.delegated.map_or(funds.free, |limit| limit.min(funds.free));
    match config.amount {
        Some(amount) => amount.min(free).min(covered),
        None => config.share.of(free).min(config.share.of(covered)).min(free).min(covered),
    }
}

/// Follows the chain until the gateway stops.
pub(crate) async fn run(gateway: Gateway) {
    let mut heights = gateway.chain.heights();
    let mut listed = None;
    loop {
        let height = *heights.borrow_and_update();
        let wait = match tend(&gateway, height, &mut listed).await {
            Ok(()) => None,
            Err(error) => {
                warn!(%height, %error, "sessions not tended");
                Some(RETRY)
            }
        };
        tokio::select! {
            changed = heights.changed() => if changed.is_err() { return },
            () = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            } => {}
            () = gateway.hurry.cancelled() => return,
        }
    }
}

/// Brings everything up to the chain's height. `listed` is the session for which services and
/// prices were read.
pub(crate) async fn tend(
    gateway: &Gateway,
    height: Height,
    listed: &mut Option<Height>,
) -> Result<(), ChainError> {
    gateway.metrics.height.set(i64::try_from(height.0).unwrap_or(i64::MAX));
    let clock = gateway.chain.clock().await?;
    if *listed != Some(clock.start) {
        list(gateway).await?;
        *listed = Some(clock.start);
    }
    let desks = gateway.market.desks();
    for desk in &desks {
        desk.retire(height);
    }
    let tended = join_all(desks.iter().map(|desk| tend_desk(gateway, desk, &clock))).await;
    for (desk, tended) in desks.iter().zip(tended) {
        if let Some(current) = desk.current(height)
            && let Some(left) = current.budget.left()
        {
            let gauge = gateway.metrics.budget_left.with_label_values(&[desk.service.id.as_str()]);
            gauge.set(i64::try_from(left.0).unwrap_or(i64::MAX));
        }
        tended?;
    }
    Ok(())
}

/// Reads which services there are, and their prices.
async fn list(gateway: &Gateway) -> Result<(), ChainError> {
    for service in gateway.chain.services().await? {
        let wanted = &gateway.settings.services;
        let key = (service.tokenizer_hash, service.template_hash);
        if let Some(counter) = gateway.counters.get(&key)
            && (wanted.is_empty() || wanted.contains(&service.id))
        {
            let price = gateway.chain.price(&service.id).await?;
            let price = price.map_or(service.price_start, |state| state.price);
            gateway.market.list(service, counter.clone(), price);
        }
    }
    Ok(())
}

async fn tend_desk(gateway: &Gateway, desk: &Desk, clock: &Clock) -> Result<(), ChainError> {
    if clock.start == Height(0) || desk.has(clock.start) {
        return Ok(());
    }
    let service = &desk.service.id;
    let (app, account) = (gateway.app(), gateway.chain.account());
    let id = Session::id_of(gateway.chain.chain_id(), service, &app, &account, clock.start);
    if let Some(session) = gateway.chain.session(id).await? {
        // Somebody opened it before: perhaps this gateway, before it was stopped.
        return adopt(gateway, desk, session, true).await;
    }
    let funds = match funds(gateway, desk).await? {
        Ok(funds) => funds,
        Err(reason) => {
            desk.set_closed(Closed::NoFunds(reason));
            return Ok(());
        }
    };
    let denom = &desk.service.denom;
    let budget = budget(&gateway.settings.budget, &funds);
    if budget.is_zero() {
        desk.set_closed(Closed::NoFunds(format!(
            "no session can be opened: {}{denom} of the app's escrow are free, {}{denom} of the gateway's stake; deposit or stake more of that coin, or wait until earlier sessions are settled",
            funds.free, funds.stake_left
        )));
        return Ok(());
    }
    let open =
        OpenSession { gateway: account, app, service: service.clone(), start: clock.start, budget };
    if let Err(error) = gateway.chain.open_session(open).await {
        warn!(%service, start = %clock.start, %budget, %error, "session not opened");
        desk.set_closed(Closed::Other(format!("no session could be opened: {error}")));
        return Ok(());
    }
    match gateway.chain.session(id).await? {
        Some(session) => adopt(gateway, desk, session, false).await,
        None => {
            desk.set_closed(Closed::Other("the session that was opened is not there".to_owned()));
            Ok(())
        }
    }
}

/// What there is to spend on a service, or why nothing can be.
async fn funds(gateway: &Gateway, desk: &Desk) -> Result<Result<Funds, String>, ChainError> {
    let (app, account) = (gateway.app(), gateway.chain.account());
    let denom = &desk.service.denom;
    let chain = &*gateway.chain;
    let Some(staked) = chain.staked().await? else {
        return Ok(Err(format!("{account} is no gateway: `lode tx stake-gateway` makes it one")));
    };
    let has = chain.app(app).await?.unwrap_or_default();
    let free = has.escrow.iter().find(|escrow| escrow.denom == *denom);
    let delegated = if app == account {
        None
    } else {
        let height = gateway.height();
        let delegation = has.delegations.iter().find(|delegation| {
            delegation.gateway == account
                && delegation.denom == *denom
                && height < delegation.expires
        });
        let Some(delegation) = delegation else {
            return Ok(Err(format!(
                "{app} does not delegate {denom} to {account}: `lode tx delegate` does"
            )));
        };
        Some(delegation.limit)
    };
    let (params, backing) = (chain.params().await?, staked.backing(denom));
    Ok(Ok(Funds {
        free: free.map_or(Amount::ZERO, |escrow| escrow.amount),
        delegated,
        stake_left: backing.amount.saturating_sub(backing.exposure),
        suppliers: params.suppliers_per_session,
    }))
}

/// Takes an open session up; `used` when relays may have gone through it before.
async fn adopt(
    gateway: &Gateway,
    desk: &Desk,
    session: Session,
    used: bool,
) -> Result<(), ChainError> {
    let booked = match gateway.books.open_session(session.clone()).await {
        Ok(ended) => ended.on_disk().await,
        Err(error) => Err(error),
    };
    let open = match booked {
        Ok(()) => open(gateway, session, used).await,
        Err(error) => Err(error),
    };
    match open {
        Ok(open) => {
            info!(session = %open.session.id, service = %open.session.service, start = %open.session.start,
                budget = %open.session.budget, suppliers = open.places.len(), "session open");
            desk.open(open);
            Ok(())
        }
        Err(error) => {
            desk.set_closed(Closed::Other(error.to_string()));
            Err(ChainError::Unreachable(error.to_string()))
        }
    }
}

/// A session with what is spent of it by the books.
async fn open(
    gateway: &Gateway,
    session: Session,
    used: bool,
) -> Result<Arc<Open>, crate::books::BooksError> {
    let billed = gateway.books.billed(&session.id).await?;
    let budget = Purse::new(Some(session.budget_cu()), billed);
    let places = gateway.market.places(&session, used);
    let open = Arc::new(Open { session, budget, places });
    if used {
        for place in &open.places {
            recover::resume(gateway, &open, place);
        }
    }
    Ok(open)
}

/// Takes up the sessions that were open when the gateway was stopped, and sets aside again what its
/// running relays may cost.
pub(crate) async fn resume(gateway: &Gateway) -> Result<(), crate::gateway::NotStarted> {
    list(gateway).await?;
    let height = gateway.chain.clock().await?.height;
    let mut running = gateway.books.running().await?;
    for session in gateway.books.open_sessions().await? {
        if height >= session.claim_window().end {
            continue;
        }
        let Some(desk) = gateway.market.desk(&session.service) else {
            continue;
        };
        let billed = gateway.books.billed(&session.id).await?;
        let budget = Purse::new(Some(session.budget_cu()), billed);
        let places = gateway.market.places(&session, true);
        let open = Arc::new(Open { session, budget, places });
        for relay in running.extract_if(.., |relay| relay.session_id == open.session.id) {
            hold(gateway, &open, relay);
        }
        for place in &open.places {
            recover::resume(gateway, &open, place);
        }
        desk.open(open);
    }
    for relay in running {
        // Its session's claims are closed: nobody can be paid for it any more.
        gateway.books.forget(relay.relay_id).await?;
    }
    Ok(())
}

fn hold(gateway: &Gateway, open: &Arc<Open>, running: crate::books::Running) {
    let Some(place) = open.places.iter().find(|place| place.seat.operator == running.supplier)
    else {
        return;
    };
    let price: Price = open.session.terms.price;
    let due = crate::purse::Due::of(price, running.max_cu);
    let account = gateway.roll.by_id(&running.key_id);
    let key_hold = account.map(|account| account.purse.reserve_promised(due));
    let budget_hold = open.budget.reserve_promised(running.max_cu);
    let dead = Dead { running, key_hold, budget_hold };
    place.dead.lock().unwrap_or_else(PoisonError::into_inner).push(dead);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Ppm;

    fn check(
        amount: Option<u128>,
        free: u128,
        delegated: Option<u128>,
        stake: u128,
        expected: u128,
    ) {
        let config = Budget { amount: amount.map(Amount), share: Ppm(100_000) };
        let funds = Funds {
            free: Amount(free),
            delegated: delegated.map(Amount),
            stake_left: Amount(stake),
            suppliers: 5,
        };
        assert_eq!(budget(&config, &funds), Amount(expected), "{config:?} {funds:?}");
    }

    #[test]
    fn a_budget_is_covered_by_escrow_delegation_and_stake() {
        check(Some(100), 1_000, None, 10_000, 100);
        check(Some(100), 60, None, 10_000, 60);
        check(Some(100), 1_000, Some(40), 10_000, 40);
        check(Some(100), 1_000, None, 200, 50);
        check(None, 1_000, None, 10_000, 100);
        check(None, 1_000, None, 400, 10);
        check(None, 0, None, 400, 0);
    }

    #[test]
    fn a_single_supplier_cannot_be_over_committed() {
        let config = Budget { amount: Some(Amount(100)), share: Ppm(0) };
        let funds =
            Funds { free: Amount(80), delegated: None, stake_left: Amount(0), suppliers: 1 };
        assert_eq!(budget(&config, &funds), Amount(80));
    }
}
