//! How many relays run at once: in all, and of one gateway.

use crate::admit::Refused;
use proto::Address;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts relays that run.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    max: usize,
    max_per_gateway: usize,
    running: Mutex<HashMap<Address, usize>>,
}

/// A relay that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Gate,
    gateway: Address,
}

impl Gate {
    /// Lets `max` relays run at once, and `max_per_gateway` of one gateway.
    pub(crate) fn new(max: usize, max_per_gateway: usize) -> Gate {
        Gate(Arc::new(Parts { max, max_per_gateway, running: Mutex::default() }))
    }

    /// Lets one more in.
    pub(crate) fn enter(&self, gateway: Address) -> Result<Pass, Refused> {
        let mut running = self.lock();
        let all: usize = running.values().sum();
        if all >= self.0.max {
            return Err(Refused::Busy { max: self.0.max });
        }
        let one = running.entry(gateway).or_default();
        if *one >= self.0.max_per_gateway {
            return Err(Refused::Busy { max: self.0.max_per_gateway });
        }
        *one += 1;
        Ok(Pass { gate: self.clone(), gateway })
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Address, usize>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut running = self.gate.lock();
        if let Some(one) = running.get_mut(&self.gateway) {
            *one -= 1;
            if *one == 0 {
                running.remove(&self.gateway);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_gateway_cannot_take_all_room() {
        let gate = Gate::new(3, 2);
        let (a, b) = (Address([1; 20]), Address([2; 20]));
        let first = gate.enter(a).unwrap();
        let _second = gate.enter(a).unwrap();
        assert_eq!(gate.enter(a).unwrap_err(), Refused::Busy { max: 2 });
        let _third = gate.enter(b).unwrap();
        assert_eq!(gate.enter(b).unwrap_err(), Refused::Busy { max: 3 });
        drop(first);
        assert!(gate.enter(b).is_ok());
        assert_eq!(gate.running(), 2);
    }
}
