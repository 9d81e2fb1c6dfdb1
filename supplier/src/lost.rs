//! What computed and does so no more: a device that failed, or a thread that broke.

use daemon::Stop;
use engine::{DeviceFault, StepError};
use std::sync::{Arc, OnceLock};

/// Why a supplier cannot compute any more.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Loss {
    #[error(transparent)]
    Device(#[from] DeviceFault),
    #[error(
        "the computing thread broke, by a fault of this program that it told of above: start it again, and report what it told"
    )]
    Thread,
}

/// What was wrong, if something was. What was held is gone, and all later steps would fail too: the supplier
/// ends, so that whoever started it starts it again.
#[derive(Clone)]
pub(crate) struct Lost {
    fault: Arc<OnceLock<Loss>>,
    stop: Stop,
}

/// Tells of a thread that ends by a panic.
pub(crate) struct Witness(Lost);

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set(Loss::Thread);
        }
    }
}

impl Lost {
    /// Nothing is lost; `stop` is asked when something is.
    pub(crate) fn none_yet(stop: Stop) -> Lost {
        Lost { fault: Arc::default(), stop }
    }

    /// Takes notice of why a step failed.
    pub(crate) fn hear(&self, error: &StepError) {
        if let StepError::Device(fault) = error {
            self.set(fault.clone().into());
        }
    }

    /// What must live on a thread that computes as long as that does.
    pub(crate) fn witness(&self) -> Witness {
        Witness(self.clone())
    }

    fn set(&self, loss: Loss) {
        // The first fault is the cause of those that follow.
        let _later = self.fault.set(loss);
        self.stop.ask();
    }

    /// Why the supplier ended, if that was why.
    pub(crate) fn check(&self) -> Result<(), Loss> {
        self.fault.get().cloned().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_ends_the_supplier_and_a_bad_step_does_not() {
        let stop = Stop::new();
        let lost = Lost::none_yet(stop.clone());
        lost.hear(&StepError::Empty);
        assert!(!stop.is_asked() && lost.check().is_ok());
        let (device, reason) = ("cuda:0".to_owned(), "an illegal address".to_owned());
        lost.hear(&StepError::Device(DeviceFault::Failed { device, reason }));
        lost.hear(&StepError::Device(DeviceFault::Elsewhere));
        assert!(stop.is_asked());
        assert_eq!(lost.check().unwrap_err().to_string(), "cuda:0 failed: an illegal address");
    }

    #[test]
    fn a_thread_that_panics_ends_the_supplier_and_one_that_returns_does_not() {
        let stop = Stop::new();
        let lost = Lost::none_yet(stop.clone());
        let witness = lost.witness();
        std::thread::spawn(move || drop(witness)).join().unwrap();
        assert!(!stop.is_asked() && lost.check().is_ok());
        let witness = lost.witness();
        let broke = move || {
            let _witness = witness;
            panic!("a fault");
        };
        assert!(std::thread::spawn(broke).join().is_err());
        assert!(stop.is_asked() && matches!(lost.check(), Err(Loss::Thread)));
    }
}
