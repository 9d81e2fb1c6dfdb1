//! Suppliers: staked operators of hardware.

use super::{RegistryRefused, Role, frozen, owner, service, stakes, take_key};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::refused::{Refused, check_stake};
use crate::{keys, params};
use proto::keys::RelayKey;
use proto::message::{StakeSupplier, UnjailSupplier, UnstakeSupplier, UpdateSupplier};
use proto::supplier::{
    Offer, Standing, Supplier, check_endpoint, check_offers, check_payouts, check_relay_key,
};
use proto::{Address, Amount, Coin, Height, Ppm};

pub(crate) fn load<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
) -> Result<Supplier, Refused> {
    let supplier = draft.read(&keys::supplier(operator));
    supplier.ok_or_else(|| Refused::missing(format!("the supplier {operator}")))
}

/// Stores a supplier as registered. It is in force from the next session on.
pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, supplier: &Supplier) {
    draft.write(keys::supplier(&supplier.operator), supplier);
    frozen::queue(draft, &supplier.operator);
}

pub(crate) fn stake<H: Host>(draft: &mut Draft<'_, H>, m: &StakeSupplier) -> Result<(), Refused> {
    check_stake(&m.add)?;
    check_payouts(&m.payouts).map_err(RegistryRefused::from)?;
    check_serving(draft, &m.relay_key, &m.endpoint, &m.offers)?;
    let before: Option<Supplier> = draft.read(&keys::supplier(&m.operator));
    let staked = match &before {
        Some(before) if before.owner != m.owner => {
            return Err(Refused::NotYours { who: m.owner, owner: before.owner });
        }
        Some(before) => {
            must_not_leave(before)?;
            before.stake
        }
        None => Amount::ZERO,
    };
    let stake = stakes::sum(staked, m.add.amount, params::load(draft).supplier_stake_min)?;
    let (standing, until) =
        before.as_ref().map_or((Standing::Bonded, Height(0)), |b| (b.standing, b.until));
    let supplier = Supplier {
        operator: m.operator,
        owner: m.owner,
        stake,
        relay_key: m.relay_key,
        endpoint: m.endpoint.clone(),
        offers: m.offers.clone(),
        payouts: m.payouts.clone(),
        standing,
        until,
    };
    register(draft, before.as_ref(), &supplier)?;
    draft.pay(Party::Account(m.owner), Party::Purse(Purse::Stake), &m.add);
    let event = Event::new("lode_supplier_staked").with("operator", m.operator);
    draft.emit(event.with("owner", m.owner).with("stake", Coin::stake(stake)));
    Ok(())
}

/// Stores a supplier whose relay key and place among its owner's operators are its own.
pub(crate) fn register<H: Host>(
    draft: &mut Draft<'_, H>,
    before: Option<&Supplier>,
    supplier: &Supplier,
) -> Result<(), RegistryRefused> {
    owner::add(draft, &supplier.owner, &supplier.operator)?;
    let old_key = before.map(|before| &before.relay_key);
    take_key(draft, Role::Supplier, &supplier.operator, old_key, &supplier.relay_key)?;
    store(draft, supplier);
    Ok(())
}

/// Whether a supplier can be reached and offers what there is.
pub(crate) fn check_serving<H: Host>(
    draft: &mut Draft<'_, H>,
    relay_key: &RelayKey,
    endpoint: &str,
    offers: &[Offer],
) -> Result<(), Refused> {
    check_relay_key(relay_key).map_err(RegistryRefused::from)?;
    check_endpoint(endpoint).map_err(RegistryRefused::from)?;
    check_offers(offers).map_err(RegistryRefused::from)?;
    for offer in offers {
        if service::known(draft, &offer.service).is_none() {
            return Err(Refused::missing(format!("the service {}", offer.service)));
        }
    }
    Ok(())
}

fn in_its_standing(supplier: &Supplier) -> RegistryRefused {
    let Supplier { operator, standing, until, .. } = *supplier;
    RegistryRefused::Standing { who: operator, standing, until }
}

fn must_not_leave(supplier: &Supplier) -> Result<(), RegistryRefused> {
    match supplier.standing {
        Standing::Bonded | Standing::Jailed => Ok(()),
        Standing::Unbonding => Err(in_its_standing(supplier)),
    }
}

pub(crate) fn update<H: Host>(draft: &mut Draft<'_, H>, m: &UpdateSupplier) -> Result<(), Refused> {
    check_serving(draft, &m.relay_key, &m.endpoint, &m.offers)?;
    let before = load(draft, &m.operator)?;
    must_not_leave(&before)?;
    let supplier = Supplier {
        relay_key: m.relay_key,
        endpoint: m.endpoint.clone(),
        offers: m.offers.clone(),
        ..before.clone()
    };
    register(draft, Some(&before), &supplier)?;
    draft.emit(Event::new("lode_supplier_updated").with("operator", m.operator));
    Ok(())
}

pub(crate) fn unstake<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &UnstakeSupplier,
) -> Result<(), Refused> {
    let mut supplier = load(draft, &m.operator)?;
    if supplier.owner != m.owner {
        return Err(Refused::NotYours { who: m.owner, owner: supplier.owner });
    }
    must_not_leave(&supplier)?;
    supplier.standing = Standing::Unbonding;
    supplier.until = draft.block().height.plus(params::unbonding(draft));
    store(draft, &supplier);
    stakes::queue(draft, supplier.until, Role::Supplier, &m.operator);
    let event = Event::new("lode_supplier_unstaked").with("operator", m.operator);
    draft.emit(event.with("until", supplier.until));
    Ok(())
}

pub(crate) fn unjail<H: Host>(draft: &mut Draft<'_, H>, m: &UnjailSupplier) -> Result<(), Refused> {
    let mut supplier = load(draft, &m.operator)?;
    let waits = draft.block().height < supplier.until;
    if supplier.standing != Standing::Jailed || waits {
        return Err(in_its_standing(&supplier).into());
    }
    stakes::sum(supplier.stake, Amount::ZERO, params::load(draft).supplier_stake_min)?;
    (supplier.standing, supplier.until) = (Standing::Bonded, Height(0));
    store(draft, &supplier);
    draft.emit(Event::new("lode_supplier_unjailed").with("operator", m.operator));
    Ok(())
}

/// Takes the part `rate` of the stake of a supplier that an audit convicted, and jails it. Gives
/// what was taken.
pub(crate) fn convict<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    rate: Ppm,
    least: Amount,
) -> Amount {
    let Ok(before) = load(draft, operator) else { return Amount::ZERO };
    let taken = slash(draft, operator, rate.of(before.stake).max(least));
    if let Ok(mut supplier) = load(draft, operator)
        && supplier.standing == Standing::Bonded
    {
        let jail = params::load(draft).jail;
        put_in_jail(draft, &mut supplier, jail);
        store(draft, &supplier);
    }
    taken
}

fn put_in_jail<H: Host>(draft: &mut Draft<'_, H>, supplier: &mut Supplier, blocks: u64) {
    supplier.standing = Standing::Jailed;
    supplier.until = draft.block().height.plus(blocks);
    let event = Event::new("lode_supplier_jailed").with("operator", supplier.operator);
    draft.emit(event.with("until", supplier.until));
}

/// Takes up to `penalty` of the stake and burns it, while unbonding too. Who has less than the
/// least stake then is jailed. Gives what was taken.
pub(crate) fn slash<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    penalty: Amount,
) -> Amount {
    let Ok(mut supplier) = load(draft, operator) else { return Amount::ZERO };
    let taken = penalty.min(supplier.stake);
    supplier.stake = supplier.stake.saturating_sub(taken);
    let params = params::load(draft);
    if supplier.standing == Standing::Bonded && supplier.stake < params.supplier_stake_min {
        put_in_jail(draft, &mut supplier, params.jail);
    }
    store(draft, &supplier);
    draft.burn(Purse::Stake, &Coin::stake(taken));
    taken
}

/// Returns the stake of a supplier whose unbonding is over.
pub(crate) fn give_back<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) {
    let Ok(supplier) = load(draft, operator) else { return };
    if supplier.standing != Standing::Unbonding {
        return;
    }
    draft.delete(keys::relay_key(&supplier.relay_key));
    draft.delete(keys::supplier(operator));
    frozen::queue(draft, operator);
    owner::remove(draft, &supplier.owner, operator);
    stakes::give_back(draft, &supplier.owner, &Coin::stake(supplier.stake));
}
