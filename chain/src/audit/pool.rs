//! What fees are paid from: the audits' share of claims, counted by denomination.

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::{Amount, Coin, Denom};

fn held<H: Host>(draft: &mut Draft<'_, H>, denom: &Denom) -> Amount {
    draft.read::<Coin>(&keys::pool(denom)).map_or(Amount::ZERO, |coin| coin.amount)
}

fn store<H: Host>(draft: &mut Draft<'_, H>, coin: Coin) {
    match coin.amount.is_zero() {
        true => draft.delete(keys::pool(&coin.denom)),
        false => draft.write(keys::pool(&coin.denom), &coin),
    }
}

/// Counts coins that go into the purse.
pub(crate) fn credit<H: Host>(draft: &mut Draft<'_, H>, more: &Coin) {
    if more.amount.is_zero() {
        return;
    }
    let sum = held(draft, &more.denom).0.saturating_add(more.amount.0);
    store(draft, Coin::new(Amount(sum), more.denom.clone()));
}

/// How much of `wanted` is there.
pub(crate) fn available<H: Host>(draft: &mut Draft<'_, H>, wanted: &Coin) -> Amount {
    held(draft, &wanted.denom).min(wanted.amount)
}

/// Counts coins that leave the purse.
pub(crate) fn spend<H: Host>(draft: &mut Draft<'_, H>, spent: &Coin) {
    if spent.amount.is_zero() {
        return;
    }
    let left = held(draft, &spent.denom).saturating_sub(spent.amount);
    store(draft, Coin::new(left, spent.denom.clone()));
}
