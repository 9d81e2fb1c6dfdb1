//! What a node wants for gas.

use proto::{Amount, Coin, Denom};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Digits after the point of a price at most.
const DECIMALS: usize = 9;

/// One whole coin's smallest unit in the price's own.
const SCALE: u128 = 1_000_000_000;

/// A price of one unit of gas, such as `0.001ulode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GasPrice {
    /// In 10^-9 of the coin's smallest unit.
    scaled: u64,
    denom: Denom,
}

/// Text that is no price of gas.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a price of gas: write a number with at most {DECIMALS} decimals and a coin, such as 0.001ulode"
)]
pub struct BadGasPrice(pub String);

impl GasPrice {
    /// What `gas` costs, rounded up: no gas is free that has a price.
    pub fn fee(&self, gas: u64) -> Coin {
        let exact = u128::from(self.scaled) * u128::from(gas);
        Coin::new(Amount(exact.div_ceil(SCALE)), self.denom.clone())
    }
}

impl FromStr for GasPrice {
    type Err = BadGasPrice;

    fn from_str(text: &str) -> Result<GasPrice, BadGasPrice> {
        let bad = || BadGasPrice(text.to_owned());
        let end = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
        let (number, denom) = text.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > DECIMALS || !digits(whole) || !digits(part) {
            return Err(bad());
        }
        let scaled = format!("{whole}{part:0<DECIMALS$}").parse().map_err(|_| bad())?;
        Ok(GasPrice { scaled, denom: Denom::new(denom).map_err(|_| bad())? })
    }
}

impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (u128::from(self.scaled) / SCALE, u128::from(self.scaled) % SCALE);
        let part = format!("{part:0DECIMALS$}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}{}", self.denom),
            part => write!(f, "{whole}.{part}{}", self.denom),
        }
    }
}

impl TryFrom<String> for GasPrice {
    type Error = BadGasPrice;

    fn try_from(text: String) -> Result<GasPrice, BadGasPrice> {
        text.parse()
    }
}

impl From<GasPrice> for String {
    fn from(price: GasPrice) -> String {
        price.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_price_reads_back_as_it_was_written() {
        for text in ["0ulode", "0.001ulode", "12ulode", "0.000000001ulode"] {
            assert_eq!(text.parse::<GasPrice>().unwrap().to_string(), text);
        }
        for text in ["", "1", "ulode", ".1ulode", "-1ulode", "0.0000000001ulode", "1 ulode"] {
            assert!(text.parse::<GasPrice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fee_is_rounded_up() {
        let price: GasPrice = "0.001ulode".parse().unwrap();
        assert_eq!(price.fee(1).to_string(), "1ulode");
        assert_eq!(price.fee(200_000).to_string(), "200ulode");
        assert_eq!(price.fee(200_001).to_string(), "201ulode");
    }
}
