//! Gateways: staked sellers of the endpoint. A stake in the coin of stakes makes one; what it stakes of
//! other coins beside backs its sessions in those.

use super::{RegistryRefused, Role, stakes, take_key};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::refused::Refused;
use crate::{keys, params};
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

pub(crate) fn must_be_bonded(gateway: &Gateway) -> Result<(), RegistryRefused> {
    match gateway.standing {
        Standing::Bonded => Ok(()),
        standing @ (Standing::Jailed | Standing::Unbonding) => {
            let (who, until) = (gateway.address, gateway.until);
            Err(RegistryRefused::Standing { who, standing, until })
        }
    }
}

pub(crate) fn stake<H: Host>(draft: &mut Draft<'_, H>, m: &StakeGateway) -> Result<(), Refused> {
    params::value(draft, &m.add.denom)?;
    check_relay_key(&m.relay_key).map_err(RegistryRefused::from)?;
    let before: Option<Gateway> = draft.read(&keys::gateway(&m.gateway));
    if let Some(before) = &before {
        must_be_bonded(before)?;
    }
    let old_key = before.as_ref().map(|before| before.relay_key);
    take_key(draft, Role::Gateway, &m.gateway, old_key.as_ref(), &m.relay_key)?;
    let mut gateway = before.unwrap_or_else(|| empty(m));
    gateway.relay_key = m.relay_key;
    let mut backing = gateway.backing(&m.add.denom);
    // Nobody has so many coins that this saturates: the payment fails then.
    backing.amount = Amount(backing.amount.0.saturating_add(m.add.amount.0));
    let staked = Coin::new(backing.amount, m.add.denom.clone());
    gateway.set_backing(backing);
    stakes::enough(gateway.stake, params::load(draft).gateway_stake_min)?;
    store(draft, &gateway);
    draft.pay(Party::Account(m.gateway), Party::Purse(Purse::Stake), &m.add);
    let event = Event::new("lode_gateway_staked").with("gateway", m.gateway);
    draft.emit(event.with("stake", staked));
    Ok(())
}

/// A gateway that has nothing at stake yet.
fn empty(m: &StakeGateway) -> Gateway {
    Gateway {
        address: m.gateway,
        stake: Amount::ZERO,
        relay_key: m.relay_key,
        exposure: Amount::ZERO,
        standing: Standing::Bonded,
        until: Height(0),
        backings: Vec::new(),
    }
}

/// The gateway opens no session any more; those that are open go on, and its stake covers them.
pub(crate) fn unstake<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &UnstakeGateway,
) -> Result<(), Refused> {
    let mut gateway = load(draft, &m.gateway)?;
    must_be_bonded(&gateway)?;
    gateway.standing = Standing::Unbonding;
    gateway.until = draft.block().height.plus(params::unbonding(draft));
    store(draft, &gateway);
    stakes::queue(draft, gateway.until, Role::Gateway, &m.gateway);
    let event = Event::new("lode_gateway_unstaked").with("gateway", m.gateway);
    draft.emit(event.with("until", gateway.until));
    Ok(())
}

/// Returns everything staked by a gateway whose unbonding is over and which no session can cost anything.
pub(crate) fn give_back<H: Host>(draft: &mut Draft<'_, H>, address: &Address) {
    let Ok(gateway) = load(draft, address) else { return };
    if gateway.standing != Standing::Unbonding {
        return;
    }
    if gateway.is_exposed() {
        let later = draft.block().height.plus(params::longest_liable(draft) + 1);
        return stakes::queue(draft, later, Role::Gateway, address);
    }
    draft.delete(keys::relay_key(&gateway.relay_key));
    draft.delete(keys::gateway(address));
    gateway.staked().for_each(|stake| stakes::give_back(draft, address, &stake));
}
