//! What a call costs its sender. All of this is consensus: a change forks the chain.
//!
//! A message that was executed costs what the market counted ([`chain::gas`]): the same on every
//! host. The market does not say what a refused one cost, so the border counts what crosses it by
//! the same prices, and ends a call that passes its limit.

use crate::stop::Stop;
use std::cell::Cell;

/// The prices of what crosses the border.
pub mod gas {
    /// Every call that is metered.
    pub const CALL: u64 = chain::gas::MESSAGE;
    /// Reading a record, or that there is none; also one of a range.
    pub const READ: u64 = chain::gas::READ;
    /// Reading a byte of it.
    pub const READ_BYTE: u64 = chain::gas::READ_BYTE;
    /// Writing or removing a record.
    pub const WRITE: u64 = chain::gas::WRITE;
    /// Writing a byte of it.
    pub const WRITE_BYTE: u64 = chain::gas::WRITE_BYTE;
}

/// Gas that was used, of a limit.
pub(crate) struct Meter {
    used: Cell<u64>,
    limit: u64,
}

impl Meter {
    pub(crate) fn new(limit: u64) -> Meter {
        Meter { used: Cell::new(0), limit }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.get()
    }

    /// Counts a call.
    pub(crate) fn call(&self) {
        self.charge(gas::CALL);
    }

    /// Counts a record of `bytes` that was read.
    pub(crate) fn read(&self, bytes: usize) {
        self.charge(gas::READ.saturating_add(gas::READ_BYTE.saturating_mul(bytes as u64)));
    }

    /// Counts a record of `bytes` that is to be written; none when it is removed.
    pub(crate) fn write(&self, bytes: usize) {
        self.charge(gas::WRITE.saturating_add(gas::WRITE_BYTE.saturating_mul(bytes as u64)));
    }

    fn charge(&self, gas: u64) {
        self.used.set(self.used.get().saturating_add(gas));
        if self.used.get() > self.limit {
            Stop::OutOfGas.now();
        }
    }
}
