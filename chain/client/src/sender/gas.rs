//! What a transaction may use and what that costs.

use proto::units::PRICE_UNIT;
use proto::{Amount, Coin, Denom, Ppm};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Digits after the point of a gas price: prices are for a million units of gas.
const DECIMALS: usize = 6;

/// What one unit of gas costs, written as nodes write their least price: `0.025ulode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasPrice {
    /// Smallest units of the coin for a million units of gas.
    pub per_million: u64,
    pub denom: Denom,
}

/// Text that is no gas price.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a gas price: it should look like 0.025ulode, with up to {DECIMALS} decimals")]
pub struct BadGasPrice(pub String);

impl GasPrice {
    /// Nothing, for networks without fees.
    pub fn free() -> GasPrice {
        GasPrice { per_million: 0, denom: Denom::stake() }
    }

    /// What `gas` costs, rounded up: a fee is never short of the least one.
    pub fn fee(&self, gas: u64) -> Coin {
        let fee = (u128::from(gas) * u128::from(self.per_million)).div_ceil(PRICE_UNIT);
        Coin::new(Amount(fee), self.denom.clone())
    }
}

impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.per_million / 1_000_000, self.per_million % 1_000_000);
        let part = format!("{part:06}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}{}", self.denom),
            part => write!(f, "{whole}.{part}{}", self.denom),
        }
    }
}

impl FromStr for GasPrice {
    type Err = BadGasPrice;

    fn from_str(text: &str) -> Result<GasPrice, BadGasPrice> {
        let bad = || BadGasPrice(text.to_owned());
        let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, denom) = text.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || part.is_empty() || part.len() > DECIMALS {
            return Err(bad());
        }
        let digits = format!("{whole}{part:0<DECIMALS$}");
        Ok(GasPrice {
            per_million: digits.parse().map_err(|_| bad())?,
            denom: Denom::new(denom).map_err(|_| bad())?,
        })
    }
}

impl Serialize for GasPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GasPrice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How transactions are paid for, and how long they are good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GasPolicy {
    pub price: GasPrice,
    /// What a transaction may use, in parts of a million of what it used when it was tried out.
    pub margin: Ppm,
    /// Blocks in which a transaction may be included. After them it is known to be lost.
    pub lifetime: u64,
}

impl Default for GasPolicy {
    /// No fees, 60 % more gas than tried, 30 blocks. A try has no fee in it, so a Cosmos SDK node does
    /// not count what taking one costs.
    fn default() -> GasPolicy {
        GasPolicy { price: GasPrice::free(), margin: Ppm(1_600_000), lifetime: 30 }
    }
}

impl GasPolicy {
    /// The defaults at another price.
    pub fn at(price: GasPrice) -> GasPolicy {
        GasPolicy { price, ..GasPolicy::default() }
    }

    /// The gas that a transaction may use which used `tried`.
    pub(crate) fn limit(&self, tried: u64) -> u64 {
        u64::try_from(self.margin.of(Amount(tried.into())).0).unwrap_or(u64::MAX).max(tried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gas_price_reads_back_as_it_was_written() {
        for text in ["0.025ulode", "0ulode", "1ulode", "12.000001ibc/27394FB0"] {
            assert_eq!(text.parse::<GasPrice>().unwrap().to_string(), text);
        }
        for text in ["", "ulode", "0.025", ".5ulode", "1.ulode", "0.0000001ulode", "1.2.3ulode"] {
            assert!(text.parse::<GasPrice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fee_is_rounded_up() {
        let price: GasPrice = "0.025ulode".parse().unwrap();
        assert_eq!(price.fee(100_000).to_string(), "2500ulode");
        assert_eq!(price.fee(100_001).to_string(), "2501ulode");
        assert_eq!(price.fee(0).to_string(), "0ulode");
    }

    #[test]
    fn a_limit_is_never_less_than_what_was_tried() {
        let policy = |margin| GasPolicy { margin: Ppm(margin), ..GasPolicy::default() };
        assert_eq!(policy(1_300_000).limit(100_000), 130_000);
        assert_eq!(policy(500_000).limit(100_000), 100_000);
    }
}
