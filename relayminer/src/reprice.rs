//! What the operator asks for its work, changed while it works: read from the configuration again, and
//! made so by a transaction of the operator's key. Sessions that are open keep the price they have.

use crate::market::{Market, NoAnswer, NotSent};
use proto::message::{Message, UpdateSupplier};
use proto::query::Clock;
use proto::service::ServiceId;
use proto::supplier::{Offer, Supplier};
use proto::{Address, Height, Price};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The least price of each service that the configuration names, for 1,000,000 cu.
pub type Asks = BTreeMap<ServiceId, Price>;

/// Reads the configuration again; says what is wrong with it otherwise.
pub type Reload = Arc<dyn Fn() -> Result<Asks, String> + Send + Sync>;

/// What a reload came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// None: the chain has these asks already.
    pub changed: Vec<Change>,
    /// The block that has the transaction, if one was needed.
    pub height: Option<Height>,
    /// The first height of the sessions for which the new asks count.
    pub counts_from: Option<Height>,
}

/// A service whose ask is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub service: ServiceId,
    pub before: Price,
    pub ask: Price,
}

/// Why asks stay as they are.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotRepriced {
    #[error("the asks stay as they are: {0}")]
    Config(String),
    #[error("nothing says where the asks are: start the relay miner with its configuration")]
    NoConfig,
    #[error("another reload is under way: ask for its outcome at /status")]
    Busy,
    #[error("{0} is not staked as a supplier: stake it first, by lode tx stake-supplier")]
    NotStaked(Address),
    #[error(
        "[asks] names {service}, but {operator} does not offer it: offer it first, by lode tx update-supplier"
    )]
    NotOffered { service: ServiceId, operator: Address },
    #[error("the asks stay as they are: {0}")]
    NoAnswer(#[from] NoAnswer),
    #[error("the chain refuses the new asks, so the old ones hold: {0}")]
    Refused(String),
    #[error(
        "it is not known yet whether the new asks hold: {0}; look at /status, then reload again"
    )]
    Unknown(String),
}

/// Where asks are changed, one change at a time.
pub(crate) struct Repricer {
    reload: Option<Reload>,
    busy: tokio::sync::Mutex<()>,
    last: Mutex<Option<Result<Outcome, NotRepriced>>>,
}

impl Repricer {
    pub(crate) fn new(reload: Option<Reload>) -> Repricer {
        Repricer { reload, busy: tokio::sync::Mutex::default(), last: Mutex::default() }
    }

    /// What the last reload came to.
    pub(crate) fn last(&self) -> Option<Result<Outcome, NotRepriced>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration and makes the chain have its asks.
    pub(crate) async fn reload(
        &self,
        market: &dyn Market,
        operator: Address,
    ) -> Result<Outcome, NotRepriced> {
        let _alone = self.busy.try_lock().map_err(|_| NotRepriced::Busy)?;
        let outcome = self.set(market, operator).await;
        match &outcome {
            Ok(done) => {
                tracing::info!(changed = ?done.changed, height = ?done.height, counts_from = ?done.counts_from, "asks are set")
            }
            Err(error) => tracing::error!(%error, "asks were not set"),
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
        outcome
    }

    async fn set(&self, market: &dyn Market, operator: Address) -> Result<Outcome, NotRepriced> {
        let reload = self.reload.as_ref().ok_or(NotRepriced::NoConfig)?;
        let asks = reload().map_err(NotRepriced::Config)?;
        let supplier = market.supplier(operator).await?;
        let supplier = supplier.ok_or(NotRepriced::NotStaked(operator))?;
        let (offers, changed) = apply(&supplier, &asks)?;
        if changed.is_empty() {
            return Ok(Outcome { changed, height: None, counts_from: None });
        }
        let Supplier { relay_key, endpoint, .. } = supplier;
        let message = UpdateSupplier { operator, relay_key, endpoint, offers };
        let sent = market.send(vec![Message::UpdateSupplier(message)]).await;
        let height = sent.map_err(|error| match error {
            NotSent::Refused(reason) => NotRepriced::Refused(reason),
            NotSent::Later(reason) => NotRepriced::Unknown(reason),
        })?;
        // The asks hold; only the height from which they count is not known without the clock.
        let clock = market.clock().await.ok();
        let counts_from = clock.and_then(|clock| next_start(&clock, height));
        Ok(Outcome { changed, height: Some(height), counts_from })
    }
}

/// The offers with new asks, and what is another one in them.
fn apply(supplier: &Supplier, asks: &Asks) -> Result<(Vec<Offer>, Vec<Change>), NotRepriced> {
    let (mut offers, mut changed) = (supplier.offers.clone(), Vec::new());
    for (service, ask) in asks {
        let Some(offer) = offers.iter_mut().find(|offer| offer.service == *service) else {
            let (service, operator) = (service.clone(), supplier.operator);
            return Err(NotRepriced::NotOffered { service, operator });
        };
        if offer.ask != *ask {
            changed.push(Change { service: service.clone(), before: offer.ask, ask: *ask });
            offer.ask = *ask;
        }
    }
    Ok((offers, changed))
}

/// The first session that begins after `height`.
fn next_start(clock: &Clock, height: Height) -> Option<Height> {
    let length = clock.next_start.0.checked_sub(clock.start.0).filter(|length| *length > 0)?;
    let later = |starts: u64| Some(Height(clock.start.0.checked_add(starts.checked_mul(length)?)?));
    match height.0.checked_sub(clock.start.0) {
        Some(into) => later(into / length + 1),
        // Sessions have begun since: the first of them that did so after it.
        None => {
            let back = (clock.start.0 - height.0 - 1) / length;
            Some(Height(clock.start.0 - back * length))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rig::{OPERATOR, Town, service};

    fn desk(asks: &[(&str, u64)]) -> Repricer {
        let one = |(name, ask): &(&str, u64)| (ServiceId::new(*name).unwrap(), Price(*ask));
        let asks: Asks = asks.iter().map(one).collect();
        Repricer::new(Some(Arc::new(move || Ok(asks.clone()))))
    }

    async fn refusal(desk: &Repricer, operator: Address) -> String {
        let (town, _) = Town::with_session();
        desk.reload(&*town, operator).await.unwrap_err().to_string()
    }

    #[test]
    fn the_next_session_begins_after_the_block_of_the_change() {
        let clock = Clock { height: Height(27), start: Height(21), next_start: Height(31) };
        let starts = [11, 20, 21, 30, 31, 40].map(|at| next_start(&clock, Height(at)).unwrap().0);
        assert_eq!(starts, [21, 21, 31, 31, 41, 41]);
        assert_eq!(next_start(&Clock::default(), Height(3)), None, "no session is known");
    }

    #[tokio::test]
    async fn a_new_ask_is_on_the_chain_and_counts_from_the_next_session_on() {
        let (town, _) = Town::with_session();
        let name = service().id.to_string();
        let desk = desk(&[(&name, 700_000)]);
        let done = desk.reload(&*town, OPERATOR).await.unwrap();
        let (height, counts) = (done.height.unwrap(), done.counts_from.unwrap());
        assert_eq!((done.changed[0].before, done.changed[0].ask), (Price(500_000), Price(700_000)));
        assert!(counts > height, "{done:?}");
        let supplier = town.supplier(OPERATOR).await.unwrap().unwrap();
        assert_eq!(supplier.offers[0].ask, Price(700_000));
        assert_eq!(supplier.offers[0].capacity, 1_000_000, "nothing else changes");
        let again = desk.reload(&*town, OPERATOR).await.unwrap();
        assert_eq!(again, Outcome { changed: vec![], height: None, counts_from: None });
        assert_eq!(desk.last().unwrap().unwrap(), again);
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_said_and_changes_nothing() {
        let not_offered = refusal(&desk(&[("other", 1)]), OPERATOR).await;
        assert!(not_offered.contains("[asks] names other"), "{not_offered}");
        let stranger = refusal(&desk(&[("other", 1)]), Address([77; 20])).await;
        assert!(stranger.contains("is not staked"), "{stranger}");
        let broken = Repricer::new(Some(Arc::new(|| Err("line 3 is wrong".to_owned()))));
        assert!(refusal(&broken, OPERATOR).await.contains("line 3 is wrong"));
        assert!(refusal(&Repricer::new(None), OPERATOR).await.contains("its configuration"));
    }

    #[tokio::test]
    async fn a_change_that_is_lost_is_not_said_to_hold() {
        let (town, _) = Town::with_session();
        *town.lose.lock().unwrap() = 1;
        let desk = desk(&[(service().id.as_str(), 700_000)]);
        let lost = desk.reload(&*town, OPERATOR).await.unwrap_err();
        assert!(matches!(lost, NotRepriced::Unknown(_)), "{lost}");
        assert!(desk.reload(&*town, OPERATOR).await.unwrap().height.is_some());
    }
}
