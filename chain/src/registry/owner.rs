//! Owners: who staked for which operators. The cap on weight is the owner's, not the address's.

use super::RegistryRefused;
use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::names::OPERATORS_PER_OWNER_MAX;
use proto::supplier::{Standing, Supplier};
use proto::{Address, Amount};

/// The operators of an owner, in the order of their addresses.
pub(crate) fn operators<H: Host>(draft: &mut Draft<'_, H>, owner: &Address) -> Vec<Address> {
    let bytes = draft.get(&keys::owner(owner)).unwrap_or_default();
    let address = |chunk: &[u8]| chunk.try_into().ok().map(Address);
    bytes.chunks_exact(20).filter_map(address).collect()
}

fn store<H: Host>(draft: &mut Draft<'_, H>, owner: &Address, operators: &[Address]) {
    if operators.is_empty() {
        draft.delete(keys::owner(owner));
    } else {
        let bytes = operators.iter().flat_map(|operator| operator.0).collect();
        draft.set(keys::owner(owner), bytes);
    }
}

pub(crate) fn add<H: Host>(
    draft: &mut Draft<'_, H>,
    owner: &Address,
    operator: &Address,
) -> Result<(), RegistryRefused> {
    let mut all = operators(draft, owner);
    let Err(place) = all.binary_search(operator) else { return Ok(()) };
    if all.len() >= OPERATORS_PER_OWNER_MAX {
        return Err(RegistryRefused::TooManyOperators { owner: *owner, count: all.len() });
    }
    all.insert(place, *operator);
    store(draft, owner, &all);
    Ok(())
}

pub(crate) fn remove<H: Host>(draft: &mut Draft<'_, H>, owner: &Address, operator: &Address) {
    let mut all = operators(draft, owner);
    all.retain(|other| other != operator);
    store(draft, owner, &all);
}

/// What the owner's operators that can be drawn stake together, as registered.
pub(crate) fn bonded<H: Host>(draft: &mut Draft<'_, H>, owner: &Address) -> Amount {
    let mut sum = 0u128;
    for operator in operators(draft, owner) {
        let supplier: Option<Supplier> = draft.read(&keys::supplier(&operator));
        let bonded = supplier.filter(|supplier| supplier.standing == Standing::Bonded);
        sum = sum.saturating_add(bonded.map_or(0, |supplier| supplier.stake.0));
    }
    Amount(sum)
}
