//! Asking a role to stop.

use std::io::Read;
use tokio_util::sync::CancellationToken;

/// A wish to stop, shared by all parts of a role. Who holds a clone may ask and may be asked.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A wish that nobody has made yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Makes the wish.
    pub fn ask(&self) {
        self.0.cancel();
    }

    /// Whether the wish was made.
    pub fn is_asked(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Ends when the wish is made.
    pub async fn asked(&self) {
        self.0.cancelled().await;
    }

    /// A wish that is made when this one is, and can be made alone.
    pub fn part(&self) -> Stop {
        Stop(self.0.child_token())
    }

    /// Makes the wish when the process gets SIGINT or SIGTERM.
    pub fn on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
                _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
                () = stop.asked() => {}
            }
            stop.ask();
        });
        Ok(())
    }

    /// Makes the wish when standard input ends: so a child goes with its parent, also when that
    /// one is killed and can say nothing any more.
    pub fn on_end_of_input(&self) {
        let stop = self.clone();
        // A thread of its own: a read that waits cannot be given up.
        std::thread::spawn(move || {
            let mut bytes = [0; 64];
            while std::io::stdin().read(&mut bytes).is_ok_and(|read| read > 0) {}
            stop.ask();
        });
    }
}
