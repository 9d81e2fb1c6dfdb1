//! Connections of a stage: the head's, and that of the box before.

use super::compute::Compute;
use super::figures::{Figures, Side};
use super::onward;
use super::{SEND, SILENCE};
use crate::link::{
    About, Frame, Greeting, Keys, LinkError, Order, PeerKey, Receiver, Sender, VERSION, frame_max,
    split,
};
use daemon::Stop;
use engine::Outline;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsStream;

/// Frames that wait until the head or the box after takes them.
const WAITING: usize = 32;

/// What all connections of a stage share.
pub(super) struct Desk {
    keys: Keys,
    heads: Vec<PeerKey>,
    outline: Outline,
    about: About,
    compute: Compute,
    figures: Figures,
    now: Mutex<Now>,
}

/// Who gives orders, and which one counts.
#[derive(Default)]
struct Now {
    head: Option<Session>,
    order: Option<Current>,
}

/// A head's connection.
#[derive(Clone)]
struct Session {
    peer: PeerKey,
    to: mpsc::Sender<Frame>,
    stop: Stop,
}

/// The order that counts.
struct Current {
    epoch: u64,
    before: Option<PeerKey>,
    stop: Stop,
}

impl Desk {
    pub(super) fn new(
        keys: Keys,
        heads: Vec<PeerKey>,
        outline: Outline,
        about: About,
        (compute, figures): (Compute, Figures),
    ) -> Desk {
        Desk { keys, heads, outline, about, compute, figures, now: Mutex::default() }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection until it ends.
    pub(super) async fn attend(self: Arc<Desk>, stream: TlsStream<TcpStream>, peer: PeerKey) {
        let max = frame_max(self.outline.hidden, self.outline.context);
        let (mut from, to) = split(stream, max);
        let ended = match from.next(SILENCE).await {
            Ok(Frame::Greeting { version: VERSION, greeting: Greeting::Head })
                if self.heads.contains(&peer) =>
            {
                self.head(from, to, peer).await
            }
            Ok(Frame::Greeting { version: VERSION, greeting: Greeting::Before { epoch } }) => {
                self.before(from, to, peer, epoch).await
            }
            Ok(other) => Err(LinkError::Unexpected(format!(
                "it began with {}, but this box speaks version {VERSION} with heads that it knows",
                other.name()
            ))),
            Err(error) => Err(error),
        };
        match ended {
            Ok(()) | Err(LinkError::Ended) => tracing::info!(%peer, "a connection ended"),
            Err(error) => tracing::warn!(%peer, %error, "a connection was given up"),
        }
    }

    /// Obeys a head until its connection ends.
    async fn head(
        self: Arc<Desk>,
        mut from: Receiver,
        mut to: Sender,
        peer: PeerKey,
    ) -> Result<(), LinkError> {
        let (sender, mut frames) = mpsc::channel(WAITING);
        let session = Session { peer, to: sender, stop: Stop::new() };
        if !self.seat(&session) {
            let reason = "another head gives orders here".to_owned();
            return to.send(&Frame::Refused { epoch: 0, reason }, SEND).await;
        }
        tracing::info!(head = %peer, "a head has come");
        let write = async {
            to.send(&Frame::About(self.about.clone()), SEND).await?;
            while let Some(frame) = frames.recv().await {
                to.send(&frame, SEND).await?;
                self.figures.sent(Side::Head, to.take_bytes());
            }
            Ok(())
        };
        let read = async {
            loop {
                let frame = from.next(SILENCE).await?;
                self.figures.received(Side::Head, from.take_bytes());
                self.hear(frame, &session)?;
            }
        };
        let ended = tokio::select! {
            ended = write => ended,
            ended = read => ended,
            () = session.stop.asked() => Ok(()),
        };
        session.stop.ask();
        self.unseat(&session);
        ended
    }

    /// Whether the head may give orders: there is no other, or it is the same one that comes anew.
    fn seat(&self, session: &Session) -> bool {
        let mut now = self.now();
        match &now.head {
            Some(other) if other.peer != session.peer => return false,
            Some(same) => same.stop.ask(),
            None => {}
        }
        now.head = Some(session.clone());
        true
    }

    fn unseat(&self, session: &Session) {
        let mut now = self.now();
        if now.head.as_ref().is_some_and(|head| head.to.same_channel(&session.to)) {
            *now = Now::default();
            self.compute.begin(0);
            self.keys.expect(self.heads.iter().copied());
        }
    }

    fn hear(self: &Arc<Desk>, frame: Frame, session: &Session) -> Result<(), LinkError> {
        match frame {
            Frame::Ping { nonce, .. } => {
                let (epoch, done) = self.compute.progress();
                let onward = self.figures.onward_micros();
                // When so many frames wait that it finds no room, the head sees that as silence.
                let _full = session.to.try_send(Frame::Pong { nonce, epoch, done, onward });
                Ok(())
            }
            Frame::Order(order) => {
                self.clone().begin(order, session);
                Ok(())
            }
            Frame::Rows(rows) => self.compute.take(rows).map_err(LinkError::Unexpected),
            other => Err(LinkError::Unexpected(format!("a head does not say {}", other.name()))),
        }
    }

    /// Ends what an earlier order began, and begins to carry out this one.
    fn begin(self: Arc<Desk>, order: Order, session: &Session) {
        let stop = session.stop.part();
        {
            let mut now = self.now();
            if let Some(earlier) = now.order.take() {
                earlier.stop.ask();
            }
            let (epoch, before) = (order.epoch, order.before);
            self.compute.begin(epoch);
            self.keys.expect(self.heads.iter().copied().chain(before));
            now.order = Some(Current { epoch, before, stop: stop.clone() });
        }
        let to = session.to.clone();
        tokio::spawn(async move {
            tokio::select! { () = self.carry_out(order, to) => {}, () = stop.asked() => {} }
        });
    }

    async fn carry_out(&self, order: Order, to: mpsc::Sender<Frame>) {
        let epoch = order.epoch;
        let answer = match self.check(&order) {
            Err(reason) => Frame::Refused { epoch, reason },
            Ok(()) => {
                let (sender, mut frames) = mpsc::channel(WAITING);
                let onward = if order.after.is_some() { sender } else { to.clone() };
                let load = self.compute.load(order.clone(), onward);
                match tokio::join!(load, onward::connect(&self.keys, &order)) {
                    (Err(reason), _) => Frame::Refused { epoch, reason },
                    (Ok(()), Err(error)) => Frame::Broken { epoch, reason: error.to_string() },
                    (Ok(()), Ok(link)) => {
                        if to.send(Frame::Ready { epoch }).await.is_err() {
                            return;
                        }
                        let Some(link) = link else { return };
                        let error = link.carry(&mut frames, &self.figures).await;
                        Frame::Broken { epoch, reason: error.to_string() }
                    }
                }
            }
        };
        tracing::warn!(?answer, "an order cannot be carried out");
        // A head that has gone needs no answer.
        let _gone = to.send(answer).await;
    }

    fn check(&self, order: &Order) -> Result<(), String> {
        let (layers, all) = (&order.layers, self.about.layers);
        if order.fingerprint != self.about.fingerprint {
            return Err("the model here is another one than the head's".to_owned());
        }
        if layers.end > all {
            return Err(format!("layers {layers:?} were ordered, but the model has {all}"));
        }
        match &self.about.fixed {
            Some(fixed) if fixed != layers => {
                Err(format!("layers {layers:?} were ordered, but this box runs {fixed:?} only"))
            }
            _ => Ok(()),
        }
    }

    /// Takes rows from the box before, while the order that named it counts.
    async fn before(
        &self,
        mut from: Receiver,
        mut to: Sender,
        peer: PeerKey,
        epoch: u64,
    ) -> Result<(), LinkError> {
        let (stop, head) = {
            let now = self.now();
            let current = now.order.as_ref();
            let fits = |c: &&Current| c.epoch == epoch && c.before == Some(peer);
            let Some(current) = current.filter(fits) else {
                return Err(LinkError::Unexpected(format!("no order of epoch {epoch} names it")));
            };
            (current.stop.clone(), now.head.as_ref().map(|head| head.to.clone()))
        };
        to.send(&Frame::Ready { epoch }, SEND).await?;
        let read = async {
            loop {
                let frame = from.frame().await?;
                self.figures.received(Side::Before, from.take_bytes());
                match frame {
                    Frame::Rows(rows) => self.compute.take(rows).map_err(LinkError::Unexpected)?,
                    Frame::Ping { nonce, .. } => {
                        let (epoch, done) = self.compute.progress();
                        to.send(&Frame::Pong { nonce, epoch, done, onward: 0 }, SEND).await?;
                        self.figures.sent(Side::Before, to.take_bytes());
                    }
                    other => {
                        let said = format!("the box before does not say {}", other.name());
                        return Err::<(), _>(LinkError::Unexpected(said));
                    }
                }
            }
        };
        tokio::select! {
            ended = read => {
                if let (Some(head), Err(error)) = (head, &ended) {
                    let reason = format!("the box before: {error}");
                    // A head that is not reached sees for itself that nothing comes.
                    let _full = head.try_send(Frame::Broken { epoch, reason });
                }
                ended
            }
            () = stop.asked() => Ok(()),
        }
    }
}
