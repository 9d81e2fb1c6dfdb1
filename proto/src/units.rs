//! Numbers that say what they are.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A block height of the chain. The first block has height 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Height(pub u64);

impl Height {
    /// The height `blocks` later; the last height there is when that does not fit.
    pub const fn plus(self, blocks: u64) -> Height {
        Height(self.0.saturating_add(blocks))
    }

    /// The height `blocks` earlier; height 0, before the first block, when that does not fit.
    pub const fn minus(self, blocks: u64) -> Height {
        Height(self.0.saturating_sub(blocks))
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// Parts of a million: shares, rates, probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ppm(pub u32);

impl Ppm {
    /// The whole.
    pub const ONE: Ppm = Ppm(1_000_000);

    /// This part of `amount`, rounded down. Multiples over one are allowed.
    pub fn of(self, amount: Amount) -> Amount {
        let whole = (amount.0 / 1_000_000).saturating_mul(u128::from(self.0));
        let rest = (amount.0 % 1_000_000) * u128::from(self.0) / 1_000_000;
        Amount(whole.saturating_add(rest))
    }
}

/// A number of the smallest unit of a coin (micro-lode for `ulode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u128);

impl Amount {
    /// No coins.
    pub const ZERO: Amount = Amount(0);

    /// `self + other`, or `None` when the sum does not fit.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// `self - other`, or `None` when less than nothing would be left.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// `self - other`, and nothing when `other` is more.
    pub fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }

    /// Whether there is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    // A string, as Cosmos writes amounts: JSON numbers end at 2^53.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Amount).map_err(serde::de::Error::custom)
    }
}

/// The name of a coin, as the bank knows it: `ulode`, or `ibc/…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Denom(String);

/// The shortest and longest name of a coin that the Cosmos SDK's bank takes.
pub const DENOM_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;

/// A name that is no coin's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a coin's name: it takes a letter and then {min} to {max} of letters, digits and / : . _ -",
    min = DENOM_LENGTH.start() - 1,
    max = DENOM_LENGTH.end() - 1
)]
pub struct BadDenom(pub String);

impl Denom {
    /// The name `text`, if it is one by the bank's rule `[a-zA-Z][a-zA-Z0-9/:._-]{2,127}`.
    pub fn new(text: impl Into<String>) -> Result<Denom, BadDenom> {
        let text = text.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/:._-".contains(c);
        let fits = DENOM_LENGTH.contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(allowed);
        if fits { Ok(Denom(text)) } else { Err(BadDenom(text)) }
    }

    /// The coin that stakes are made of.
    pub fn stake() -> Denom {
        Denom(crate::names::STAKE_DENOM.to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Denom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of one coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    pub amount: Amount,
    pub denom: Denom,
}

impl Coin {
    /// `amount` of `denom`.
    pub fn new(amount: Amount, denom: Denom) -> Coin {
        Coin { amount, denom }
    }

    /// `amount` of the coin that stakes are made of.
    pub fn stake(amount: Amount) -> Coin {
        Coin::new(amount, Denom::stake())
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.denom)
    }
}

/// Compute units: what usage weighs once a service's weights are applied.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cu(pub u64);

impl Cu {
    /// `self + other`, or `None` when the sum does not fit.
    pub fn checked_add(self, other: Cu) -> Option<Cu> {
        self.0.checked_add(other.0).map(Cu)
    }

    /// `self - other`, and nothing when `other` is more.
    pub fn saturating_sub(self, other: Cu) -> Cu {
        Cu(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Cu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many compute units a [`Price`] is for.
pub const PRICE_UNIT: u128 = 1_000_000;

/// Smallest units of the service's coin for a million compute units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(pub u64);

impl Price {
    /// What `cu` costs, rounded down: nobody pays for part of a coin.
    pub fn cost(self, cu: Cu) -> Amount {
        Amount(u128::from(self.0) * u128::from(cu.0) / PRICE_UNIT)
    }

    /// What must be set aside for `cu`, rounded up: a reservation is never short of the cost.
    pub fn reserve(self, cu: Cu) -> Amount {
        Amount((u128::from(self.0) * u128::from(cu.0)).div_ceil(PRICE_UNIT))
    }

    /// How many compute units `budget` buys: the most whose [`Price::cost`] is within it.
    pub fn buys(self, budget: Amount) -> Cu {
        if self.0 == 0 {
            return Cu(u64::MAX);
        }
        let most = budget.0.saturating_add(1).saturating_mul(PRICE_UNIT).saturating_sub(1);
        Cu(u64::try_from(most / u128::from(self.0)).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A 32-byte hash, id or root, written in hex.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// Text that is no 32 bytes of hex.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not 64 hex digits")]
pub struct BadDigest(pub String);

impl Digest {
    /// The hash as bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex digits.
    pub fn parse(text: &str) -> Result<Digest, BadDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| BadDigest(text.to_owned()))?;
        Ok(Digest(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Digest, BadDigest> {
        Digest::parse(text)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_budget_buys_exactly_what_it_can_pay(price in 1u64.., budget in 0u128..1 << 90) {
            let cu = Price(price).buys(Amount(budget));
            prop_assert!(Price(price).cost(cu) <= Amount(budget));
            if let Some(more) = cu.checked_add(Cu(1)) {
                prop_assert!(Price(price).cost(more) > Amount(budget));
            }
        }

        #[test]
        fn a_reservation_covers_the_cost_and_at_most_one_unit_more(price: u64, cu: u64) {
            let (cost, reserve) = (Price(price).cost(Cu(cu)), Price(price).reserve(Cu(cu)));
            prop_assert!(cost <= reserve && reserve.0 <= cost.0 + 1);
        }

        #[test]
        fn a_part_of_an_amount_is_rounded_down(part in 0u32..=1_000_000, amount in 0u128..1 << 100) {
            let exact = amount * u128::from(part) / 1_000_000;
            prop_assert_eq!(Ppm(part).of(Amount(amount)), Amount(exact));
        }
    }

    #[test]
    fn a_coin_has_the_name_that_the_bank_takes() {
        for name in ["ulode", "ibc/27394FB092D2ECCD56123C74F36E4C1F", "a:b.c_d-e"] {
            assert!(Denom::new(name).is_ok(), "{name}");
        }
        for name in ["", "ab", "1abc", "u lode", "ulode\n", &"a".repeat(129)] {
            assert!(Denom::new(name).is_err(), "{name}");
        }
    }
}
