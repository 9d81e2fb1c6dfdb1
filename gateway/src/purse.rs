//! What may still be spent, by an API key or in a session: set aside before a request goes out,
//! settled on what came. Taking is one step under one lock, never a check and then an increment.

use proto::{Amount, Cu, Price};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a purse is counted in.
pub trait Unit: Copy + fmt::Debug {
    /// As a number.
    fn raw(self) -> u128;
    /// Of a number that was a sum or difference of such units.
    fn of(raw: u128) -> Self;
}

impl Unit for Cu {
    fn raw(self) -> u128 {
        u128::from(self.0)
    }

    fn of(raw: u128) -> Cu {
        Cu(u64::try_from(raw).unwrap_or(u64::MAX))
    }
}

/// Money before it is rounded: millionths of a coin's smallest unit, so that a thousand small
/// requests cost a key what one large one does. A price times compute units is exactly this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due(pub u128);

impl Due {
    /// What `cu` cost at `price`, exactly.
    pub fn of(price: Price, cu: Cu) -> Due {
        Due(u128::from(price.0) * u128::from(cu.0))
    }

    /// The same value as a whole `amount`.
    pub fn whole(amount: Amount) -> Due {
        Due(amount.0.saturating_mul(proto::units::PRICE_UNIT))
    }

    /// Rounded down: nobody pays for part of a coin.
    pub fn spent(self) -> Amount {
        Amount(self.0 / proto::units::PRICE_UNIT)
    }

    /// Rounded up: what must be there is never too little.
    pub fn needed(self) -> Amount {
        Amount(self.0.div_ceil(proto::units::PRICE_UNIT))
    }
}

impl Unit for Due {
    fn raw(self) -> u128 {
        self.0
    }

    fn of(raw: u128) -> Due {
        Due(raw)
    }
}

/// A bounded sum of which parts are set aside.
#[derive(Debug)]
pub struct Purse<U> {
    state: Mutex<State>,
    unit: std::marker::PhantomData<U>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    limit: Option<u128>,
    spent: u128,
    reserved: u128,
}

/// There is not enough left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short<U> {
    pub needed: U,
    pub left: U,
}

/// A part that is set aside. It goes back when this is dropped.
#[derive(Debug)]
pub struct Reservation<U: Unit> {
    purse: Arc<Purse<U>>,
    amount: u128,
}

impl<U: Unit> Purse<U> {
    /// A purse with a limit, or without one, of which `spent` is gone.
    pub fn new(limit: Option<U>, spent: U) -> Arc<Purse<U>> {
        let state = State { limit: limit.map(U::raw), spent: spent.raw(), reserved: 0 };
        Arc::new(Purse { state: Mutex::new(state), unit: std::marker::PhantomData })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The numbers are whole after each step, so a panic elsewhere leaves them right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets `amount` aside.
    pub fn reserve(self: &Arc<Self>, amount: U) -> Result<Reservation<U>, Short<U>> {
        let mut state = self.lock();
        let left = state.left();
        let amount = amount.raw();
        if left.is_some_and(|left| left < amount) {
            let left = U::of(left.unwrap_or_default());
            return Err(Short { needed: U::of(amount), left });
        }
        state.reserved = state.reserved.saturating_add(amount);
        drop(state);
        Ok(Reservation { purse: self.clone(), amount })
    }

    /// Sets `amount` aside, also beyond the limit: it was promised before.
    pub fn reserve_promised(self: &Arc<Self>, amount: U) -> Reservation<U> {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_add(amount.raw());
        drop(state);
        Reservation { purse: self.clone(), amount: amount.raw() }
    }

    /// What is gone.
    pub fn spent(&self) -> U {
        U::of(self.lock().spent)
    }

    /// What is set aside.
    pub fn reserved(&self) -> U {
        U::of(self.lock().reserved)
    }

    /// What is left; `None` without a limit.
    pub fn left(&self) -> Option<U> {
        self.lock().left().map(U::of)
    }

    /// Sets another limit. What is spent and set aside stays.
    pub fn set_limit(&self, limit: Option<U>) {
        self.lock().limit = limit.map(U::raw);
    }
}

impl State {
    fn left(&self) -> Option<u128> {
        let gone = self.spent.saturating_add(self.reserved);
        self.limit.map(|limit| limit.saturating_sub(gone))
    }
}

impl<U: Unit> Reservation<U> {
    /// What is set aside.
    pub fn amount(&self) -> U {
        U::of(self.amount)
    }

    /// Spends `actual` of it, and no more than was set aside; the rest goes back.
    pub fn settle(mut self, actual: U) {
        let spent = actual.raw().min(self.amount);
        let mut state = self.purse.lock();
        state.spent = state.spent.saturating_add(spent);
        state.reserved = state.reserved.saturating_sub(self.amount);
        drop(state);
        self.amount = 0;
    }
}

impl<U: Unit> Drop for Reservation<U> {
    fn drop(&mut self) {
        let mut state = self.purse.lock();
        state.reserved = state.reserved.saturating_sub(self.amount);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_set_aside_cannot_be_spent_twice() {
        let purse = Purse::new(Some(Cu(100)), Cu(10));
        let first = purse.reserve(Cu(60)).unwrap();
        let short = purse.reserve(Cu(31)).unwrap_err();
        assert_eq!(short, Short { needed: Cu(31), left: Cu(30) });
        first.settle(Cu(5));
        assert_eq!((purse.spent(), purse.reserved(), purse.left()), (Cu(15), Cu(0), Some(Cu(85))));
    }

    #[test]
    fn a_reservation_that_is_dropped_goes_back() {
        let purse = Purse::new(Some(Cu(10)), Cu(0));
        drop(purse.reserve(Cu(10)).unwrap());
        assert!(purse.reserve(Cu(10)).is_ok());
    }

    #[test]
    fn money_is_rounded_once_over_many_requests() {
        let purse = Purse::new(Some(Due::whole(Amount(1))), Due(0));
        for _ in 0..10 {
            let due = Due::of(Price(1_000), Cu(100));
            purse.reserve(due).unwrap().settle(due);
        }
        assert_eq!(purse.spent().spent(), Amount(1));
        assert!(purse.reserve(Due(1)).is_err());
    }

    #[test]
    fn a_hundred_threads_never_overspend() {
        let purse = Purse::new(Some(Cu(1_000)), Cu(0));
        let taken: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|_| {
                    scope.spawn(|| {
                        let got = purse.reserve(Cu(30)).ok()?;
                        got.settle(Cu(30));
                        Some(30)
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((taken, purse.spent()), (990, Cu(990)));
    }

    proptest! {
        #[test]
        fn spent_and_set_aside_never_pass_the_limit(
            limit in 0u64..1_000, asks in prop::collection::vec((0u64..400, 0u64..600, any::<bool>()), 0..40)
        ) {
            let purse = Purse::new(Some(Cu(limit)), Cu(0));
            let mut held = Vec::new();
            for (ask, actual, keep) in asks {
                if let Ok(reservation) = purse.reserve(Cu(ask)) {
                    if keep { held.push(reservation) } else { reservation.settle(Cu(actual)) }
                }
                prop_assert!(purse.spent().0 + purse.reserved().0 <= limit);
            }
            drop(held);
            prop_assert_eq!(purse.reserved(), Cu(0));
        }
    }
}
