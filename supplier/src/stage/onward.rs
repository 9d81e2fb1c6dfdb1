//! The connection to the box after.

use super::figures::{Figures, Side};
use super::{SEND, SILENCE};
use crate::link::{
    CONTROL_MAX, Frame, Greeting, Keys, LinkError, Order, Receiver, SecureError, Sender, VERSION,
    dial, now_micros, split,
};
use std::time::Duration;
use tokio::sync::mpsc;

/// The box after may not have its order yet: it is called again after this.
const AGAIN: Duration = Duration::from_millis(50);

/// How long the box after may take until it knows of us. It answers calls while it loads.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two pings to the box after.
const PING: Duration = Duration::from_secs(1);

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
    from: Receiver,
    to: Sender,
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
    /// Sends what comes until nothing comes any more or the connection breaks, and measures the way.
    pub(super) async fn carry(
        self,
        frames: &mut mpsc::Receiver<Frame>,
        figures: &Figures,
    ) -> OnwardError {
        let Onward { from, to } = self;
        tokio::select! {
            error = hear(from, figures) => error,
            error = speak(to, frames, figures) => error,
        }
    }
}

/// The box after says nothing but pongs: whatever else comes from it is the end.
async fn hear(mut from: Receiver, figures: &Figures) -> OnwardError {
    loop {
        let frame = match from.next(SILENCE).await {
            Ok(frame) => frame,
            Err(error) => return error.into(),
        };
        figures.received(Side::After, from.take_bytes());
        match frame {
            Frame::Pong { nonce, .. } => {
                let micros = now_micros().saturating_sub(nonce).max(1);
                figures.after(Duration::from_micros(micros));
            }
            other => return LinkError::Unexpected(format!("it said {}", other.name())).into(),
        }
    }
}

async fn speak(
    mut to: Sender,
    frames: &mut mpsc::Receiver<Frame>,
    figures: &Figures,
) -> OnwardError {
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let frame = tokio::select! {
            frame = frames.recv() => frame,
            _ = ping.tick() => Some(Frame::Ping { nonce: now_micros(), padding: 0 }),
        };
        let Some(frame) = frame else { return LinkError::Ended.into() };
        if let Err(error) = to.send(&frame, SEND).await {
            return error.into();
        }
        figures.sent(Side::After, to.take_bytes());
    }
}
