//! Coins in which services may be priced beside the one that stakes are made of.
//!
//! Work is priced, locked, paid and shared out in its service's coin, and nothing of that is ever
//! converted. Stakes are kept in one coin; where a stake must answer for work in another one, that
//! work is weighed by the value which governance set for its coin.

use crate::names::COINS_MAX;
use crate::units::{Amount, Denom};
use serde::{Deserialize, Serialize};

/// What a coin weighs against stake: `stake` smallest units of the coin that stakes are made of,
/// for `units` smallest units of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    pub stake: u64,
    pub units: u64,
}

/// The largest number on either side of a value: their products must stay far from overflow.
pub const VALUE_MAX: u64 = 1 << 40;

impl Value {
    /// That of the coin that stakes are made of.
    pub const PAR: Value = Value { stake: 1, units: 1 };

    /// What `amount` of the coin weighs in stake, rounded up: a penalty is never short of its part.
    pub fn in_stake(self, amount: Amount) -> Amount {
        let (stake, units) = (u128::from(self.stake), u128::from(self.units.max(1)));
        let whole = (amount.0 / units).saturating_mul(stake);
        let rest = (amount.0 % units * stake).div_ceil(units);
        Amount(whole.saturating_add(rest))
    }
}

/// A coin that governance allows, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedCoin {
    pub denom: Denom,
    pub value: Value,
}

/// Why a list of coins is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinsRefused {
    #[error("{count} coins are allowed beside the one of stakes, but at most {COINS_MAX} can be")]
    TooMany { count: usize },
    #[error("{0} is allowed always: it is the coin of stakes, and has no other value than itself")]
    Stake(Denom),
    #[error("{0} is out of order or there twice: coins are sorted by their names")]
    OutOfOrder(Denom),
    #[error("{units} of {denom} weigh {stake} of stake: both must be in 1..={VALUE_MAX}")]
    Worthless { denom: Denom, stake: u64, units: u64 },
}

/// Whether governance can allow these coins.
pub fn check(coins: &[AllowedCoin]) -> Result<(), CoinsRefused> {
    if coins.len() > COINS_MAX {
        return Err(CoinsRefused::TooMany { count: coins.len() });
    }
    for (i, AllowedCoin { denom, value: Value { stake, units } }) in coins.iter().enumerate() {
        if *denom == Denom::stake() {
            return Err(CoinsRefused::Stake(denom.clone()));
        }
        if coins[..i].last().is_some_and(|last| last.denom >= *denom) {
            return Err(CoinsRefused::OutOfOrder(denom.clone()));
        }
        let counts = |number: &u64| (1..=VALUE_MAX).contains(number);
        if !counts(stake) || !counts(units) {
            let (denom, stake, units) = (denom.clone(), *stake, *units);
            return Err(CoinsRefused::Worthless { denom, stake, units });
        }
    }
    Ok(())
}

/// The value of a coin, if it is allowed. That of stakes always is.
pub fn value(coins: &[AllowedCoin], denom: &Denom) -> Option<Value> {
    if *denom == Denom::stake() {
        return Some(Value::PAR);
    }
    coins.iter().find(|coin| coin.denom == *denom).map(|coin| coin.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn coin(denom: &str, stake: u64, units: u64) -> AllowedCoin {
        AllowedCoin { denom: Denom::new(denom).unwrap(), value: Value { stake, units } }
    }

    fn refused(coins: &[AllowedCoin], outcome: &Expect) {
        outcome.assert_eq(&check(coins).unwrap_err().to_string());
    }

    #[test]
    fn coins_are_named_once_and_weigh_something() {
        assert_eq!(check(&[coin("ibc/0A", 3, 2), coin("uusd", 1, VALUE_MAX)]), Ok(()));
        refused(
            &[coin("uusd", 1, 1), coin("uatom", 1, 1)],
            &expect!["uatom is out of order or there twice: coins are sorted by their names"],
        );
        refused(
            &[coin("uusd", 1, 1), coin("uusd", 2, 1)],
            &expect!["uusd is out of order or there twice: coins are sorted by their names"],
        );
        refused(
            &[coin("ulode", 1, 1)],
            &expect![
                "ulode is allowed always: it is the coin of stakes, and has no other value than itself"
            ],
        );
        refused(
            &[coin("uusd", 1, 0)],
            &expect!["0 of uusd weigh 1 of stake: both must be in 1..=1099511627776"],
        );
    }

    #[test]
    fn the_coin_of_stakes_weighs_itself() {
        assert_eq!(value(&[], &Denom::stake()), Some(Value::PAR));
        assert_eq!(value(&[], &Denom::new("uusd").unwrap()), None);
        assert_eq!(Value::PAR.in_stake(Amount(u128::MAX)), Amount(u128::MAX));
    }

    proptest! {
        #[test]
        fn a_weight_is_rounded_up_to_the_unit(
            stake in 1..=VALUE_MAX, units in 1..=VALUE_MAX, amount in 0u128..1 << 80
        ) {
            let exact = (amount * u128::from(stake)).div_ceil(u128::from(units));
            prop_assert_eq!(Value { stake, units }.in_stake(Amount(amount)), Amount(exact));
        }
    }
}
