//! Gateways: staked sellers of the endpoint.

use super::{GATEWAY, check_stake_coin, take_key};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::refused::Refused;
use crate::{boundary, keys};
use proto::message::{StakeGateway, UnstakeGateway};
use proto::supplier::{Gateway, Standing, check_relay_key};
use proto::{Address, Amount, Coin, Height};

pub(crate) fn load<H: Host>(
    draft: &mut Draft<'_, H>,
    address: &Address,
) -> Result<Gateway, Refused> {
    let gateway = draft.read(&keys::gateway(address));
    gateway.ok_or_else(|| Refused::missing(format!("the gateway {address}")))
}

pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, gateway: &Gateway) {
    draft.write(keys::gateway(&gateway.address), gateway);
}

pub(crate) fn stake<H: Host>(draft: &mut Draft<'_, H>, m: &StakeGateway) -> Result<(), Refused> {
    check_stake_coin(&m.add)?;
    check_relay_key(&m.relay_key)?;
    let before: Option<Gateway> = draft.read(&keys::gateway(&m.gateway));
    if let Some(before) = before.as_ref().filter(|before| before.standing != Standing::Bonded) {
        return Err(Refused::Standing { standing: before.standing, until: before.until });
    }
    let staked = before.as_ref().map_or(Amount::ZERO, |before| before.stake);
    let stake = staked.checked_add(m.add.amount).unwrap_or(Amount(u128::MAX));
    let min = boundary::params(draft).gateway_stake_min;
    if stake < min {
        return Err(Refused::StakeTooSmall { stake, min });
    }
    let old_key = before.as_ref().map(|before| before.relay_key);
    take_key(draft, GATEWAY, &m.gateway, old_key.as_ref(), &m.relay_key)?;
    let exposure = before.map_or(Amount::ZERO, |before| before.exposure);
    let gateway = Gateway {
        address: m.gateway,
        stake,
        relay_key: m.relay_key,
        exposure,
        standing: Standing::Bonded,
        until: Height(0),
    };
    store(draft, &gateway);
    draft.pay(Party::Account(m.gateway), Party::Purse(Purse::Stake), &m.add);
    let event = Event::new("lode_gateway_staked").with("gateway", m.gateway);
    draft.emit(event.with("stake", Coin::stake(stake)));
    Ok(())
}

pub(crate) fn unstake<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &UnstakeGateway,
) -> Result<(), Refused> {
    let mut gateway = load(draft, &m.gateway)?;
    if gateway.standing != Standing::Bonded {
        return Err(Refused::Standing { standing: gateway.standing, until: gateway.until });
    }
    if !gateway.exposure.is_zero() {
        return Err(Refused::Exposed { exposure: gateway.exposure });
    }
    gateway.standing = Standing::Unbonding;
    gateway.until = draft.block().height.plus(boundary::unbonding(draft));
    store(draft, &gateway);
    draft.set(keys::to_return(gateway.until, &m.gateway), vec![GATEWAY]);
    let event = Event::new("lode_gateway_unstaked").with("gateway", m.gateway);
    draft.emit(event.with("until", gateway.until));
    Ok(())
}

/// Returns the stake of a gateway whose unbonding is over.
pub(crate) fn give_back<H: Host>(draft: &mut Draft<'_, H>, address: &Address) {
    let Ok(gateway) = load(draft, address) else { return };
    if gateway.standing != Standing::Unbonding {
        return;
    }
    let stake = Coin::stake(gateway.stake);
    draft.pay(Party::Purse(Purse::Stake), Party::Account(*address), &stake);
    draft.delete(keys::relay_key(&gateway.relay_key));
    draft.delete(keys::gateway(address));
    let event = Event::new("lode_stake_returned").with("to", address);
    draft.emit(event.with("amount", stake));
}

/// Stakes that are due to return at one height at most.
const RETURNS_MAX: usize = 1_000;

/// Returns all stakes whose time has come, at most [`RETURNS_MAX`] in one block.
pub(crate) fn give_back_due<H: Host>(draft: &mut Draft<'_, H>) {
    let until = keys::until(keys::TO_RETURN, draft.block().height);
    for (key, role) in draft.stored(&until, RETURNS_MAX) {
        if let Some(who) = key.get(9..).and_then(|bytes| bytes.try_into().ok()).map(Address) {
            match role[..] {
                [GATEWAY] => give_back(draft, &who),
                _ => super::supplier::give_back(draft, &who),
            }
        }
        draft.delete(key);
    }
}
