//! Coins: balances, the supply, and what was burned. Their sum is that of the genesis for ever.

use crate::account::Account;
use crate::refused::TxRefused;
use crate::state::{Overlay, Read, key};
use proto::{Address, Amount, Coin, Denom};

/// The account that fees go to, by the name that it has in the Cosmos SDK.
pub(crate) const FEE_COLLECTOR: &str = "fee_collector";

/// Kinds of coin in one list at most: a transaction's fee or payment names a few.
pub(crate) const DENOMS_MAX: usize = 16;

/// Reads a list of coins as the SDK's `Coins` is: each denom once, in order, no amount zero.
pub(crate) fn read_coins(
    coins: &[cosmrs::proto::cosmos::base::v1beta1::Coin],
) -> Result<Vec<Coin>, TxRefused> {
    let bad = |reason: String| TxRefused::InvalidCoins(reason);
    if coins.len() > DENOMS_MAX {
        return Err(bad(format!("{} kinds of coin, at most {DENOMS_MAX} are taken", coins.len())));
    }
    let mut read: Vec<Coin> = Vec::with_capacity(coins.len());
    for coin in coins {
        let denom = Denom::new(&coin.denom).map_err(|error| bad(error.to_string()))?;
        let digits = coin.amount.bytes().all(|b| b.is_ascii_digit());
        let plain = digits && (coin.amount == "0" || !coin.amount.starts_with('0'));
        let amount: u128 = if plain { coin.amount.parse().unwrap_or(0) } else { 0 };
        if amount == 0 {
            return Err(bad(format!("{}{} is not a positive amount", coin.amount, coin.denom)));
        }
        if read.last().is_some_and(|last| last.denom >= denom) {
            return Err(bad(format!("{denom} is out of order: coins are sorted by their names")));
        }
        read.push(Coin::new(Amount(amount), denom));
    }
    Ok(read)
}

/// Coins as one text: `12ulode,3uusd`.
pub(crate) fn text(coins: &[Coin]) -> String {
    coins.iter().map(Coin::to_string).collect::<Vec<_>>().join(",")
}

/// What `address` has of `denom`.
pub(crate) fn balance(state: &dyn Read, address: &Address, denom: &Denom) -> Amount {
    amount(state.get(&key::balance(address, denom.as_str())))
}

/// All that `address` has, in the order of denoms, at most `limit` kinds.
pub(crate) fn balances(state: &dyn Read, address: &Address, limit: usize) -> Vec<Coin> {
    let (from, to) = key::balances(address);
    let pairs = state.range(&from, &to, limit);
    pairs
        .into_iter()
        .filter_map(|(key, value)| {
            let denom = Denom::new(key::denom_of_balance(&key)?).ok()?;
            Some(Coin::new(amount(Some(value)), denom))
        })
        .collect()
}

/// How much of `denom` there is in all balances together.
pub(crate) fn supply(state: &dyn Read, denom: &Denom) -> Amount {
    amount(state.get(&key::supply(denom.as_str())))
}

/// The supply of all coins, in the order of denoms, at most `limit` kinds.
pub(crate) fn supplies(state: &dyn Read, limit: usize) -> Vec<Coin> {
    let (from, to) = key::supplies();
    let pairs = state.range(&from, &to, limit);
    pairs
        .into_iter()
        .filter_map(|(key, value)| {
            let denom = Denom::new(std::str::from_utf8(key.get(1..)?).ok()?).ok()?;
            Some(Coin::new(amount(Some(value)), denom))
        })
        .collect()
}

/// Makes `coin` out of nothing for `to`: the genesis does. `None` when the supply would not fit.
pub(crate) fn mint(state: &mut Overlay<'_>, to: &Address, coin: &Coin) -> Option<()> {
    let total = supply(state, &coin.denom).checked_add(coin.amount)?;
    put(state, key::supply(coin.denom.as_str()), total);
    give(state, to, coin);
    Some(())
}

/// Moves `coin`, all of it or nothing. `false` when `from` has less.
pub(crate) fn transfer(state: &mut Overlay<'_>, from: &Address, to: &Address, coin: &Coin) -> bool {
    let taken = take(state, from, coin);
    if taken {
        give(state, to, coin);
    }
    taken
}

/// Destroys `coin`. `false` when `from` has less.
pub(crate) fn burn(state: &mut Overlay<'_>, from: &Address, coin: &Coin) -> bool {
    let taken = take(state, from, coin);
    if taken {
        let denom = coin.denom.as_str();
        let left = supply(state, &coin.denom).saturating_sub(coin.amount);
        let burned = amount(state.get(&key::burned(denom)));
        put(state, key::supply(denom), left);
        // It fits: what was burned was part of a supply that did.
        put(state, key::burned(denom), Amount(burned.0.saturating_add(coin.amount.0)));
    }
    taken
}

fn take(state: &mut Overlay<'_>, from: &Address, coin: &Coin) -> bool {
    match balance(state, from, &coin.denom).checked_sub(coin.amount) {
        Some(left) => {
            put(state, key::balance(from, coin.denom.as_str()), left);
            true
        }
        None => false,
    }
}

fn give(state: &mut Overlay<'_>, to: &Address, coin: &Coin) {
    if coin.amount.is_zero() {
        return;
    }
    Account::ensure(state, to);
    let had = balance(state, to, &coin.denom);
    // It fits: no balance is more than the supply, and that does.
    let has = Amount(had.0.saturating_add(coin.amount.0));
    put(state, key::balance(to, coin.denom.as_str()), has);
}

fn put(state: &mut Overlay<'_>, key: Vec<u8>, amount: Amount) {
    if amount.is_zero() {
        state.delete(&key);
    } else {
        state.set(&key, &amount.0.to_be_bytes());
    }
}

fn amount(bytes: Option<Vec<u8>>) -> Amount {
    let bytes: Option<[u8; 16]> = bytes.and_then(|bytes| bytes.try_into().ok());
    Amount(bytes.map_or(0, u128::from_be_bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use cosmrs::proto::cosmos::base::v1beta1::Coin as Wire;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn who(byte: u8) -> Address {
        Address([byte; 20])
    }

    proptest! {
        #[test]
        fn the_sum_of_coins_changes_by_burning_only(
            moves in proptest::collection::vec((0u8..4, 0u8..5, 0u128..1_500), 1..40),
        ) {
            let base = BTreeMap::new();
            let mut state = Overlay::over(&base);
            for account in 0..4 {
                mint(&mut state, &who(account), &Coin::stake(Amount(1_000))).unwrap();
            }
            for (from, to, amount) in moves {
                let coin = Coin::stake(Amount(amount));
                let before = balance(&state, &who(from), &coin.denom);
                let done = match to {
                    4 => burn(&mut state, &who(from), &coin),
                    to => transfer(&mut state, &who(from), &who(to), &coin),
                };
                prop_assert_eq!(done, before >= coin.amount);
            }
            let sum: u128 = (0..4).map(|a| balance(&state, &who(a), &Denom::stake()).0).sum();
            let burned = amount(state.get(&key::burned("ulode"))).0;
            prop_assert_eq!(sum, supply(&state, &Denom::stake()).0);
            prop_assert_eq!(sum + burned, 4_000);
        }
    }

    #[test]
    fn a_supply_that_does_not_fit_is_not_made() {
        let base = BTreeMap::new();
        let mut state = Overlay::over(&base);
        assert!(mint(&mut state, &who(1), &Coin::stake(Amount(u128::MAX))).is_some());
        assert!(mint(&mut state, &who(2), &Coin::stake(Amount(1))).is_none());
    }

    #[test]
    fn coins_have_one_form() {
        let coin = |amount: &str, denom: &str| Wire { denom: denom.into(), amount: amount.into() };
        assert!(read_coins(&[coin("1", "uaaa"), coin("2", "ulode")]).is_ok());
        for bad in [
            vec![coin("0", "ulode")],
            vec![coin("-1", "ulode")],
            vec![coin("+1", "ulode")],
            vec![coin("01", "ulode")],
            vec![coin("", "ulode")],
            vec![coin("1", "u")],
            vec![coin("340282366920938463463374607431768211456", "ulode")],
            vec![coin("1", "ulode"), coin("1", "uaaa")],
            vec![coin("1", "ulode"), coin("1", "ulode")],
            vec![coin("1", "ulode"); 17],
        ] {
            assert_eq!(read_coins(&bad).unwrap_err().code(), 10, "{bad:?}");
        }
    }
}
