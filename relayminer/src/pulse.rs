//! How high the chain is, and whether it is heard of at all.

use crate::admit::Refused;
use proto::Height;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The chain's height, with when it last grew.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    heights: watch::Receiver<Height>,
    heard: watch::Receiver<Instant>,
    silence_max: Duration,
}

impl Pulse {
    /// Follows `heights`; the future must run for as long as the pulse is asked.
    pub(crate) fn follow(
        heights: watch::Receiver<Height>,
        silence_max: Duration,
    ) -> (Pulse, impl Future<Output = ()> + Send) {
        let (hear, heard) = watch::channel(Instant::now());
        let mut grown = heights.clone();
        let follow = async move {
            while grown.changed().await.is_ok() {
                hear.send_replace(Instant::now());
            }
        };
        (Pulse { heights, heard, silence_max }, follow)
    }

    /// The height, unless nothing was heard for so long that it says nothing any more.
    pub(crate) fn at(&self) -> Result<Height, Refused> {
        let silence = self.heard.borrow().elapsed();
        if silence > self.silence_max {
            return Err(Refused::ChainSilent { seconds: silence.as_secs() });
        }
        Ok(self.last())
    }

    /// The last height that was heard of, however long ago.
    pub(crate) fn last(&self) -> Height {
        *self.heights.borrow()
    }

    /// The height as it grows.
    pub(crate) fn heights(&self) -> watch::Receiver<Height> {
        self.heights.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chain_that_is_silent_for_long_has_no_height() {
        let (grow, heights) = watch::channel(Height(5));
        let (patient, follow) = Pulse::follow(heights, Duration::from_secs(3600));
        let following = tokio::spawn(follow);
        assert_eq!(patient.at(), Ok(Height(5)));
        let impatient = Pulse { silence_max: Duration::ZERO, ..patient.clone() };
        assert_eq!(impatient.at(), Err(Refused::ChainSilent { seconds: 0 }));
        assert_eq!(impatient.last(), Height(5));
        let (mut heard, before) = (patient.heard.clone(), *patient.heard.borrow());
        grow.send_replace(Height(6));
        heard.changed().await.unwrap();
        assert!(*patient.heard.borrow() > before);
        assert_eq!(patient.at(), Ok(Height(6)));
        drop(grow);
        following.await.unwrap();
    }
}
