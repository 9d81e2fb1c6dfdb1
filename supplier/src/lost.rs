//! A device that failed while answers were made on it.

use daemon::Stop;
use engine::{DeviceFault, StepError};
use std::sync::{Arc, OnceLock};

/// What was wrong with it, if it failed. What it held is gone, and all later steps would fail too: the supplier
/// ends, so that whoever started it starts it again.
#[derive(Clone)]
pub(crate) struct Lost {
    fault: Arc<OnceLock<DeviceFault>>,
    stop: Stop,
}

impl Lost {
    /// Nothing is lost; `stop` is asked when something is.
    pub(crate) fn none_yet(stop: Stop) -> Lost {
        Lost { fault: Arc::default(), stop }
    }

    /// Takes notice of why a step failed.
    pub(crate) fn hear(&self, error: &StepError) {
        if let StepError::Device(fault) = error {
            // The first fault is the cause of those that follow.
            let _later = self.fault.set(fault.clone());
            self.stop.ask();
        }
    }

    /// Why the supplier ended, if that was why.
    pub(crate) fn check(&self) -> Result<(), DeviceFault> {
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
}
