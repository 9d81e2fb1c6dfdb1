//! Leaving a call from inside a callback.
//!
//! The market's `Host` cannot fail: on a chain without a border it does not. Here a host can, and a
//! sender's gas can end. Unwinding to the entry says so without a word of it in the market; nothing
//! is printed, and what the market holds is dropped on the way.

use crate::border::{Outcome, code};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Why a call is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Aborted,
    OutOfGas,
    Malformed(String),
    Panicked(String),
}

impl Stop {
    /// Leaves the call. Only [`catch`] ends it.
    pub(crate) fn now(self) -> ! {
        resume_unwind(Box::new(self))
    }

    /// What the call's caller is told, beside words.
    pub(crate) fn outcome(&self, gas: u64) -> Outcome {
        let code = match self {
            Stop::Aborted => code::ABORTED,
            Stop::OutOfGas => code::OUT_OF_GAS,
            Stop::Malformed(_) => code::MALFORMED,
            Stop::Panicked(_) => code::PANICKED,
        };
        Outcome { code, gas }
    }

    /// The words.
    pub(crate) fn words(self) -> String {
        match self {
            Stop::Aborted => "a callback failed".to_owned(),
            Stop::OutOfGas => "the gas limit was passed".to_owned(),
            Stop::Malformed(words) | Stop::Panicked(words) => words,
        }
    }

    fn of(payload: Box<dyn Any + Send>) -> Stop {
        let payload = match payload.downcast::<Stop>() {
            Ok(stop) => return *stop,
            Err(payload) => payload,
        };
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Stop::Panicked(text.unwrap_or_else(|| "a panic without words".to_owned()))
    }
}

/// Does `work`, and catches what leaves it early.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Stop> {
    // What `work` may leave half done belongs to the call and goes with it; the host drops what was
    // set in a call that did not end well.
    catch_unwind(AssertUnwindSafe(work)).map_err(Stop::of)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_a_call_is_told_apart() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| Stop::OutOfGas.now()), Err::<(), _>(Stop::OutOfGas));
        let fault = catch(|| panic!("{} is no number", "x")).map(|(): ()| ());
        assert_eq!(fault, Err(Stop::Panicked("x is no number".into())));
        let overflow = catch(|| std::hint::black_box(u64::MAX) + std::hint::black_box(1));
        assert_eq!(overflow.unwrap_err().outcome(5), Outcome { code: code::PANICKED, gas: 5 });
    }
}
