//! Suppliers: staked operators of hardware.

use super::{SUPPLIER, check_stake_coin, owner, service, take_key};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::refused::Refused;
use crate::{boundary, keys, roster};
use proto::message::{StakeSupplier, UnjailSupplier, UnstakeSupplier, UpdateSupplier};
use proto::supplier::{
    Offer, Standing, Supplier, check_endpoint, check_offers, check_payouts, check_relay_key,
};
use proto::{Address, Amount, Coin, Height};

pub(crate) fn load<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
) -> Result<Supplier, Refused> {
    let supplier = draft.read(&keys::supplier(operator));
    supplier.ok_or_else(|| Refused::missing(format!("the supplier {operator}")))
}

/// Stores a supplier and remembers that it takes effect at the next session.
pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, supplier: &Supplier) {
    draft.write(keys::supplier(&supplier.operator), supplier);
    draft.set(keys::changed(&supplier.operator), Vec::new());
}

pub(crate) fn stake<H: Host>(draft: &mut Draft<'_, H>, m: &StakeSupplier) -> Result<(), Refused> {
    check_stake_coin(&m.add)?;
    check_payouts(&m.payouts)?;
    check_serving(draft, &m.relay_key, &m.endpoint, &m.offers)?;
    let before: Option<Supplier> = draft.read(&keys::supplier(&m.operator));
    let staked = match &before {
        Some(before) if before.owner != m.owner => {
            return Err(Refused::NotYours { who: m.owner, owner: before.owner });
        }
        Some(before) => {
            must_stand(before, &[Standing::Bonded, Standing::Jailed])?;
            before.stake
        }
        None => {
            owner::add(draft, &m.owner, &m.operator)?;
            Amount::ZERO
        }
    };
    let stake = staked.checked_add(m.add.amount).unwrap_or(Amount(u128::MAX));
    let min = boundary::params(draft).supplier_stake_min;
    if stake < min {
        return Err(Refused::StakeTooSmall { stake, min });
    }
    let old_key = before.as_ref().map(|before| before.relay_key);
    take_key(draft, SUPPLIER, &m.operator, old_key.as_ref(), &m.relay_key)?;
    let (standing, until) = before.map_or((Standing::Bonded, Height(0)), |b| (b.standing, b.until));
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
    store(draft, &supplier);
    draft.pay(Party::Account(m.owner), Party::Purse(Purse::Stake), &m.add);
    let event = Event::new("lode_supplier_staked").with("operator", m.operator);
    draft.emit(event.with("owner", m.owner).with("stake", Coin::stake(stake)));
    Ok(())
}

fn check_serving<H: Host>(
    draft: &mut Draft<'_, H>,
    relay_key: &proto::keys::RelayKey,
    endpoint: &str,
    offers: &[Offer],
) -> Result<(), Refused> {
    check_relay_key(relay_key)?;
    check_endpoint(endpoint)?;
    check_offers(offers)?;
    for offer in offers {
        if service::known(draft, &offer.service).is_none() {
            return Err(Refused::missing(format!("the service {}", offer.service)));
        }
    }
    Ok(())
}

fn must_stand(supplier: &Supplier, allowed: &[Standing]) -> Result<(), Refused> {
    if allowed.contains(&supplier.standing) {
        Ok(())
    } else {
        Err(Refused::Standing { standing: supplier.standing, until: supplier.until })
    }
}

pub(crate) fn update<H: Host>(draft: &mut Draft<'_, H>, m: &UpdateSupplier) -> Result<(), Refused> {
    check_serving(draft, &m.relay_key, &m.endpoint, &m.offers)?;
    let mut supplier = load(draft, &m.operator)?;
    must_stand(&supplier, &[Standing::Bonded, Standing::Jailed])?;
    take_key(draft, SUPPLIER, &m.operator, Some(&supplier.relay_key), &m.relay_key)?;
    supplier.relay_key = m.relay_key;
    supplier.endpoint.clone_from(&m.endpoint);
    supplier.offers.clone_from(&m.offers);
    store(draft, &supplier);
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
    must_stand(&supplier, &[Standing::Bonded, Standing::Jailed])?;
    supplier.standing = Standing::Unbonding;
    supplier.until = draft.block().height.plus(boundary::unbonding(draft));
    store(draft, &supplier);
    draft.set(keys::to_return(supplier.until, &m.operator), vec![SUPPLIER]);
    let event = Event::new("lode_supplier_unstaked").with("operator", m.operator);
    draft.emit(event.with("until", supplier.until));
    Ok(())
}

pub(crate) fn unjail<H: Host>(draft: &mut Draft<'_, H>, m: &UnjailSupplier) -> Result<(), Refused> {
    let mut supplier = load(draft, &m.operator)?;
    must_stand(&supplier, &[Standing::Jailed])?;
    if draft.block().height < supplier.until {
        return Err(Refused::Standing { standing: supplier.standing, until: supplier.until });
    }
    let min = boundary::params(draft).supplier_stake_min;
    if supplier.stake < min {
        return Err(Refused::StakeTooSmall { stake: supplier.stake, min });
    }
    (supplier.standing, supplier.until) = (Standing::Bonded, Height(0));
    store(draft, &supplier);
    draft.emit(Event::new("lode_supplier_unjailed").with("operator", m.operator));
    Ok(())
}

/// Takes up to `penalty` of the stake, burns it and jails the supplier. Gives what was taken.
pub(crate) fn slash<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    penalty: Amount,
) -> Amount {
    let Ok(mut supplier) = load(draft, operator) else { return Amount::ZERO };
    let taken = penalty.min(supplier.stake);
    supplier.stake = supplier.stake.saturating_sub(taken);
    if supplier.standing == Standing::Bonded {
        let jail = boundary::params(draft).jail;
        (supplier.standing, supplier.until) = (Standing::Jailed, draft.block().height.plus(jail));
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
    let stake = Coin::stake(supplier.stake);
    draft.pay(Party::Purse(Purse::Stake), Party::Account(supplier.owner), &stake);
    draft.delete(keys::relay_key(&supplier.relay_key));
    draft.delete(keys::supplier(operator));
    draft.set(keys::changed(operator), Vec::new());
    owner::remove(draft, &supplier.owner, operator);
    let event = Event::new("lode_stake_returned").with("to", supplier.owner);
    draft.emit(event.with("amount", stake));
}

/// Suppliers that may change in one session: each change costs its sender a transaction.
const CHANGES_MAX: usize = 1 << 20;

/// Lets the changes of the last session take effect in the rosters.
pub(crate) fn take_effect<H: Host>(draft: &mut Draft<'_, H>) {
    for (key, _) in draft.stored(&keys::all(keys::CHANGED), CHANGES_MAX) {
        if let Some(operator) = key.get(1..).and_then(|bytes| bytes.try_into().ok()).map(Address) {
            let owner = freeze(draft, &operator);
            // The owner's other operators weigh more or less by it.
            if let Some(owner) = owner {
                for other in owner::operators(draft, &owner) {
                    if other != operator {
                        freeze(draft, &other);
                    }
                }
            }
        }
        draft.delete(key);
    }
}

/// Makes the registered form of a supplier the one of the session, in all rosters. Gives its owner.
pub(crate) fn freeze<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) -> Option<Address> {
    let before: Option<Supplier> = draft.read(&keys::frozen(operator));
    let now: Option<Supplier> = draft.read(&keys::supplier(operator));
    for offer in before.iter().flat_map(|supplier| &supplier.offers) {
        roster::remove(draft, &offer.service, offer.ask, operator);
    }
    let owner = now.as_ref().or(before.as_ref()).map(|supplier| supplier.owner);
    match now.filter(|supplier| supplier.standing == Standing::Bonded) {
        Some(supplier) => {
            let cap = boundary::params(draft).owner_cap;
            let total = owner::total(draft, &supplier.owner);
            let weight = proto::draw::weight(supplier.stake, total, cap);
            for offer in &supplier.offers {
                roster::insert(draft, offer, operator, weight);
            }
            draft.write(keys::frozen(operator), &supplier);
        }
        None => draft.delete(keys::frozen(operator)),
    }
    owner
}
