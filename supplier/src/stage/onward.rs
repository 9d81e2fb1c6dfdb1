//! The connection to the box after.

use super::SEND;
use crate::link::{
    CONTROL_MAX, Frame, Greeting, Keys, LinkError, Order, SecureError, VERSION, dial, split,
};
use std::time::Duration;
use tokio::sync::mpsc;

/// The box after may not have its order yet: it is called again after this.
const AGAIN: Duration = Duration::from_millis(50);

/// How long the box after may take until it knows of us. It answers calls while it loads.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why rows do not get to the box after.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnwardError {
    #[error("the box after does not take the call: {0}")]
    Secure(#[from] SecureError),
    #[error("the box after: {0}")]
    Link(#[from] LinkError),
}

/// A connection to the box after, which has agreed.
pub(super) struct Onward {
    from: crate::link::Receiver,
    to: crate::link::Sender,
}

/// Connects to the box after that `order` names; `None`: rows go back to the head.
pub(super) async fn connect(keys: &Keys, order: &Order) -> Result<Option<Onward>, OnwardError> {
    let Some((peer, address)) = &order.after else { return Ok(None) };
    let since = tokio::time::Instant::now();
    loop {
        let tried = async {
            let (mut from, mut to) = split(dial(keys, *peer, address).await?, CONTROL_MAX);
            let greeting = Greeting::Before { epoch: order.epoch };
            to.send(&Frame::Greeting { version: VERSION, greeting }, SEND).await?;
            match from.next(SEND).await? {
                Frame::Ready { epoch } if epoch == order.epoch => Ok(Onward { from, to }),
                other => Err(OnwardError::Link(LinkError::Unexpected(format!(
                    "it said {}",
                    other.name()
                )))),
            }
        };
        match tried.await {
            Ok(onward) => return Ok(Some(onward)),
            Err(error) if since.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

impl Onward {
    /// Sends what comes until nothing comes any more or the connection breaks.
    pub(super) async fn carry(mut self, frames: &mut mpsc::Receiver<Frame>) -> OnwardError {
        loop {
            // The box after says nothing: whatever comes from it is the end.
            let frame = tokio::select! {
                said = self.from.frame() => {
                    let said = said.map(|frame| format!("it said {}", frame.name()));
                    return said.map_or_else(OnwardError::Link, |said| LinkError::Unexpected(said).into());
                }
                frame = frames.recv() => frame,
            };
            let Some(frame) = frame else { return LinkError::Ended.into() };
            if let Err(error) = self.to.send(&frame, SEND).await {
                return error.into();
            }
        }
    }
}
