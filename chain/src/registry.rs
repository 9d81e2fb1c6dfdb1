//! Who and what is registered. Changes of services and suppliers take effect at the next session:
//! what is registered and what is in force are two records, and a queue leads from one to the
//! other.

pub(crate) mod frozen;
pub(crate) mod gateway;
pub(crate) mod owner;
pub(crate) mod service;
pub(crate) mod stakes;
pub(crate) mod supplier;

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::keys::RelayKey;
use proto::service::{ServiceId, ServiceRefused};
use proto::supplier::{Standing, SupplierRefused};
use proto::{Address, Amount, Denom, Height};

/// Why a service, supplier or gateway cannot be registered so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryRefused {
    #[error("{0}")]
    Service(String),
    #[error("{0}")]
    Supplier(String),
    #[error("the stake would be {stake}, but at least {min} is needed: add {} more", min.0.saturating_sub(stake.0))]
    StakeTooSmall { stake: Amount, min: Amount },
    #[error("{who} is {} until height {until}, so it cannot do that", name(*standing))]
    Standing { who: Address, standing: Standing, until: Height },
    #[error("{owner} has {count} operators already, and an owner has no more than that")]
    TooManyOperators { owner: Address, count: usize },
    #[error("the relay key is in use by another role: one key is never used for two")]
    KeyInUse,
    #[error(
        "{id} is priced in {denom}, and so are its suppliers' asks: list it in another coin under another id"
    )]
    CoinChanges { id: ServiceId, denom: Denom },
}

fn name(standing: Standing) -> &'static str {
    match standing {
        Standing::Bonded => "bonded",
        Standing::Jailed => "jailed",
        Standing::Unbonding => "unbonding",
    }
}

impl RegistryRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            RegistryRefused::Service(_) => 9,
            RegistryRefused::Supplier(_) => 10,
            RegistryRefused::StakeTooSmall { .. } => 12,
            RegistryRefused::Standing { .. } => 13,
            RegistryRefused::TooManyOperators { .. } => 14,
            RegistryRefused::KeyInUse => 15,
            RegistryRefused::CoinChanges { .. } => 40,
        }
    }
}

impl From<ServiceRefused> for RegistryRefused {
    fn from(refused: ServiceRefused) -> RegistryRefused {
        RegistryRefused::Service(refused.to_string())
    }
}

impl From<SupplierRefused> for RegistryRefused {
    fn from(refused: SupplierRefused) -> RegistryRefused {
        RegistryRefused::Supplier(refused.to_string())
    }
}

/// Who staked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    Supplier = 1,
    Gateway = 2,
    Auditor = 3,
}

/// Gives a relay key to `role` of `holder` alone, in the place of the one `before`. One key is
/// never used for two.
pub(crate) fn take_key<H: Host>(
    draft: &mut Draft<'_, H>,
    role: Role,
    holder: &Address,
    before: Option<&RelayKey>,
    key: &RelayKey,
) -> Result<(), RegistryRefused> {
    let mut owner = vec![role as u8];
    owner.extend_from_slice(&holder.0);
    match draft.get(&keys::relay_key(key)) {
        Some(other) if other != owner => return Err(RegistryRefused::KeyInUse),
        Some(_) => {}
        None => draft.set(keys::relay_key(key), owner),
    }
    if let Some(old) = before.filter(|old| *old != key) {
        draft.delete(keys::relay_key(old));
    }
    Ok(())
}
