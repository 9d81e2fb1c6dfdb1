//! Who and what is registered. Changes of services and suppliers take effect at the next session.

pub(crate) mod gateway;
pub(crate) mod owner;
pub(crate) mod service;
pub(crate) mod supplier;

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use crate::refused::Refused;
use proto::keys::RelayKey;
use proto::{Address, Coin, Denom};

/// Stakes are made of one coin.
fn check_stake_coin(coin: &Coin) -> Result<(), Refused> {
    if coin.denom == Denom::stake() {
        Ok(())
    } else {
        Err(Refused::WrongCoin { coin: coin.clone(), expected: Denom::stake() })
    }
}

/// Gives a relay key to `role` of `holder` alone. One key is never used for two.
fn take_key<H: Host>(
    draft: &mut Draft<'_, H>,
    role: u8,
    holder: &Address,
    before: Option<&RelayKey>,
    key: &RelayKey,
) -> Result<(), Refused> {
    let mut owner = vec![role];
    owner.extend_from_slice(&holder.0);
    match draft.get(&keys::relay_key(key)) {
        Some(other) if other != owner => return Err(Refused::KeyInUse),
        Some(_) => {}
        None => draft.set(keys::relay_key(key), owner),
    }
    if let Some(old) = before.filter(|old| *old != key) {
        draft.delete(keys::relay_key(old));
    }
    Ok(())
}

const SUPPLIER: u8 = 1;
const GATEWAY: u8 = 2;
