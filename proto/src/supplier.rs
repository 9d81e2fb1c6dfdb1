//! Who is registered: suppliers, gateways, apps.

use crate::keys::{Address, RelayKey};
use crate::names::{ENDPOINT_MAX, OFFERS_MAX, PAYOUT_SHARES_MAX};
use crate::service::ServiceId;
use crate::units::{Amount, Coin, Denom, Height, Ppm, Price};
use serde::{Deserialize, Serialize};

/// What a supplier offers for one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub service: ServiceId,
    /// The least price at which it serves.
    pub ask: Price,
    /// Compute units that it can do in one session.
    pub capacity: u64,
}

/// One account's part of a supplier's share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutShare {
    pub to: Address,
    pub share: Ppm,
}

/// Where a stake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It serves.
    Bonded,
    /// It was slashed and gets no sessions until it asks to be let back.
    Jailed,
    /// It left; the stake returns when unbonding is over.
    Unbonding,
}

/// A staked operator of hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    /// The hot account that claims and proves.
    pub operator: Address,
    /// The cold account that staked and gets the stake back.
    pub owner: Address,
    pub stake: Amount,
    pub relay_key: RelayKey,
    /// Where its relay miner listens: `https://host[:port][/path]`, or `http://…`.
    pub endpoint: String,
    pub offers: Vec<Offer>,
    /// Among whom its share is split. They add up to one million; none: all to the owner.
    pub payouts: Vec<PayoutShare>,
    pub standing: Standing,
    /// When the stake returns, while unbonding; when it may be lifted, while jailed.
    pub until: Height,
}

/// A staked seller of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    pub address: Address,
    pub stake: Amount,
    pub relay_key: RelayKey,
    /// What its open sessions in the coin of stakes may cost its stake at most.
    pub exposure: Amount,
    pub standing: Standing,
    /// When the stake returns, while unbonding.
    pub until: Height,
    /// What it staked of other coins to back sessions in them, sorted by their names; none is empty.
    pub backings: Vec<Backing>,
}

/// What a gateway staked of one coin, and what its open sessions in that coin may cost of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backing {
    pub denom: Denom,
    pub amount: Amount,
    pub exposure: Amount,
}

impl Gateway {
    /// What backs its sessions in a coin: its stake those in the coin of stakes.
    pub fn backing(&self, denom: &Denom) -> Backing {
        let none = Backing { denom: denom.clone(), amount: Amount::ZERO, exposure: Amount::ZERO };
        if *denom == Denom::stake() {
            return Backing { amount: self.stake, exposure: self.exposure, ..none };
        }
        self.backings.iter().find(|kept| kept.denom == *denom).cloned().unwrap_or(none)
    }

    /// Puts what backs its sessions in one coin in the place of what did.
    pub fn set_backing(&mut self, backing: Backing) {
        if backing.denom == Denom::stake() {
            (self.stake, self.exposure) = (backing.amount, backing.exposure);
            return;
        }
        self.backings.retain(|kept| kept.denom != backing.denom);
        if !backing.amount.is_zero() || !backing.exposure.is_zero() {
            self.backings.push(backing);
            self.backings.sort_by(|a, b| a.denom.cmp(&b.denom));
        }
    }

    /// Everything that it staked, coin by coin.
    pub fn staked(&self) -> impl Iterator<Item = Coin> + '_ {
        let others = self.backings.iter().map(|kept| Coin::new(kept.amount, kept.denom.clone()));
        std::iter::once(Coin::stake(self.stake)).chain(others)
    }

    /// Whether an open session can cost it anything.
    pub fn is_exposed(&self) -> bool {
        !self.exposure.is_zero() || self.backings.iter().any(|kept| !kept.exposure.is_zero())
    }
}

/// An app's free escrow of one coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escrow {
    pub app: Address,
    pub denom: Denom,
    pub amount: Amount,
}

/// What a gateway may lock of an app's escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub app: Address,
    pub gateway: Address,
    pub denom: Denom,
    /// What it may still lock.
    pub limit: Amount,
    /// The first height at which it may not any more.
    pub expires: Height,
}

/// Why an endpoint, offers or payouts are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplierRefused {
    #[error(
        "{0:?} is no endpoint: it must be http:// or https://, a host, and at most {ENDPOINT_MAX} printable ASCII characters without spaces, quotes, ? or #"
    )]
    Endpoint(String),
    #[error("{count} offers, but a supplier makes 1 to {OFFERS_MAX}")]
    OfferCount { count: usize },
    #[error("{0} is offered twice")]
    OfferedTwice(ServiceId),
    #[error(
        "the offer for {service} has ask {ask} and capacity {capacity}: both must be at least 1"
    )]
    EmptyOffer { service: ServiceId, ask: Price, capacity: u64 },
    #[error("{count} payouts, but the share is split among {PAYOUT_SHARES_MAX} at most")]
    PayoutCount { count: usize },
    #[error("the payouts add up to {sum} ppm, but must to 1,000,000")]
    PayoutSum { sum: u64 },
    #[error("the relay key is no ed25519 key that can sign")]
    RelayKey,
}

/// Whether a supplier can be reached there.
pub fn check_endpoint(endpoint: &str) -> Result<(), SupplierRefused> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    let printable = endpoint.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>?#\\@".contains(&b));
    let fits = endpoint.len() <= ENDPOINT_MAX && host.is_some_and(|host| !host.is_empty());
    if fits && printable { Ok(()) } else { Err(SupplierRefused::Endpoint(endpoint.to_owned())) }
}

/// Whether a supplier can make these offers.
pub fn check_offers(offers: &[Offer]) -> Result<(), SupplierRefused> {
    if !(1..=OFFERS_MAX).contains(&offers.len()) {
        return Err(SupplierRefused::OfferCount { count: offers.len() });
    }
    for (i, offer) in offers.iter().enumerate() {
        if offers[..i].iter().any(|earlier| earlier.service == offer.service) {
            return Err(SupplierRefused::OfferedTwice(offer.service.clone()));
        }
        if offer.ask.0 == 0 || offer.capacity == 0 {
            let Offer { service, ask, capacity } = offer.clone();
            return Err(SupplierRefused::EmptyOffer { service, ask, capacity });
        }
    }
    Ok(())
}

/// Whether a share can be split so.
pub fn check_payouts(payouts: &[PayoutShare]) -> Result<(), SupplierRefused> {
    if payouts.len() > PAYOUT_SHARES_MAX {
        return Err(SupplierRefused::PayoutCount { count: payouts.len() });
    }
    let sum = payouts.iter().map(|payout| u64::from(payout.share.0)).sum();
    if !payouts.is_empty() && sum != u64::from(Ppm::ONE.0) {
        return Err(SupplierRefused::PayoutSum { sum });
    }
    Ok(())
}

/// Whether a relay key can sign.
pub fn check_relay_key(key: &RelayKey) -> Result<(), SupplierRefused> {
    if key.is_valid() { Ok(()) } else { Err(SupplierRefused::RelayKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_http_url_without_tricks() {
        for good in ["http://127.0.0.1:9000", "https://box.example/lode", "http://[::1]:80"] {
            assert_eq!(check_endpoint(good), Ok(()), "{good}");
        }
        let long = format!("http://{}", "a".repeat(ENDPOINT_MAX));
        for bad in
            ["", "ftp://a", "http://", "http:///x", "http://a b", "http://u@h", "http://a?b", &long]
        {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
