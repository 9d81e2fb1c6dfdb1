//! One box of the crew: connects, keeps the connection, connects again.

use super::Seat;
use crate::link::{
    About, Frame, Greeting, Keys, LinkError, PeerKey, Receiver, SecureError, Sender, VERSION, dial,
    now_micros, split,
};
use crate::stage::CREDITS;
use daemon::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Frames that wait to be sent to one box at most: all steps ahead, and what else there is to say.
const WAITING: usize = CREDITS + 16;

/// Frames of one box that wait to be heard at most. It has no reason to say more.
const UNHEARD_MAX: usize = CREDITS + 16;

/// A box that does not answer is called again after this, then after twice as long, up to the most.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// How long to wait for a box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// Between two pings.
    pub(crate) ping: Duration,
    /// A box that says nothing for so long is lost.
    pub(crate) silence: Duration,
}

/// What becomes known of a box. `turn` counts its connections.
pub(crate) enum News {
    Up { who: usize, turn: u64, about: About },
    Lost { who: usize, turn: u64, reason: String },
    Said { who: usize, turn: u64, frame: Frame },
}

/// What a box last said of itself.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Microseconds there and back; 0: not known.
    round_trip: AtomicU64,
    /// Microseconds from it to the box after and back, as it says; 0: not known.
    onward: AtomicU64,
    epoch: AtomicU64,
    done: AtomicU64,
    unheard: AtomicUsize,
}

impl Pulse {
    pub(crate) fn round_trip(&self) -> Duration {
        Duration::from_micros(self.round_trip.load(Ordering::Relaxed))
    }

    /// From it to the box after and back, if it said so.
    pub(crate) fn onward(&self) -> Option<Duration> {
        let micros = self.onward.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// The last step that it passed on in `epoch`.
    pub(crate) fn done(&self, epoch: u64) -> u64 {
        let same = self.epoch.load(Ordering::Relaxed) == epoch;
        if same { self.done.load(Ordering::Relaxed) } else { 0 }
    }

    /// Something that it said was heard.
    pub(crate) fn heard(&self) {
        self.unheard.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Command {
    Say(Frame),
    Leave(String),
}

/// The head's handle of one box.
pub(crate) struct Member {
    pub(crate) address: String,
    pub(crate) key: PeerKey,
    pub(crate) pulse: Arc<Pulse>,
    commands: mpsc::Sender<(u64, Command)>,
}

impl Member {
    /// Begins to call a box, until `stop`.
    pub(crate) fn call(
        who: usize,
        (key, address): (PeerKey, String),
        (caller, seat): (Caller, Seat),
        tell: impl Fn(News) + Send + Sync + 'static,
        stop: Stop,
    ) -> Member {
        let (commands, received) = mpsc::channel(WAITING);
        let pulse = Arc::new(Pulse::default());
        let (told, at) = (pulse.clone(), address.clone());
        let line = Line { who, key, address: at, caller, pulse: told, seat, tell };
        tokio::spawn(async move {
            tokio::select! { () = line.keep(received) => {}, () = stop.asked() => {} }
        });
        Member { address, key, pulse, commands }
    }

    /// Sends a frame over the connection of this turn; false when that cannot be.
    pub(crate) fn say(&self, turn: u64, frame: Frame) -> bool {
        self.commands.try_send((turn, Command::Say(frame))).is_ok()
    }

    /// Gives up the connection of this turn; a new one will be made.
    pub(crate) fn leave(&self, turn: u64, reason: String) {
        // When no command is taken the connection is stuck, and ends by itself.
        let _full = self.commands.try_send((turn, Command::Leave(reason)));
    }
}

/// Who calls, and how patiently.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) keys: Keys,
    pub(crate) wait: Wait,
    /// Bytes of a frame at most.
    pub(crate) frame_max: usize,
}

/// A box, and how it is called.
struct Line<T> {
    who: usize,
    key: PeerKey,
    address: String,
    caller: Caller,
    pulse: Arc<Pulse>,
    seat: Seat,
    tell: T,
}

/// Why a box is lost.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Secure(#[from] SecureError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("given up: {0}")]
    Left(String),
}

impl<T: Fn(News) + Send + Sync> Line<T> {
    async fn keep(&self, mut commands: mpsc::Receiver<(u64, Command)>) {
        let (mut turn, mut pause) = (0, AGAIN);
        loop {
            turn += 1;
            let began = Instant::now();
            let Err(error) = self.connected(turn, &mut commands).await else { return };
            (self.tell)(News::Lost { who: self.who, turn, reason: error.to_string() });
            if began.elapsed() > AGAIN_MAX {
                pause = AGAIN;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(AGAIN_MAX);
        }
    }

    /// One connection, from its beginning to its end. `Ok`: nobody wants one any more.
    async fn connected(
        &self,
        turn: u64,
        commands: &mut mpsc::Receiver<(u64, Command)>,
    ) -> Result<(), Lost> {
        let stream = dial(&self.caller.keys, self.key, &self.address).await?;
        let (mut from, mut to) = split(stream, crate::link::CONTROL_MAX);
        let greeting = Frame::Greeting { version: VERSION, greeting: Greeting::Head };
        let silence = self.caller.wait.silence;
        to.send(&greeting, silence).await?;
        let about = match from.next(silence).await? {
            Frame::About(about) if about.version == VERSION => about,
            other => return Err(LinkError::Unexpected(format!("it said {}", other.name())).into()),
        };
        from.max = self.caller.frame_max;
        self.pulse.unheard.store(0, Ordering::Relaxed);
        (self.tell)(News::Up { who: self.who, turn, about });
        tokio::select! {
            ended = self.hear(&mut from, turn) => ended,
            ended = self.speak(&mut to, turn, commands) => ended,
        }
    }

    async fn hear(&self, from: &mut Receiver, turn: u64) -> Result<(), Lost> {
        loop {
            let frame = from.next(self.caller.wait.silence).await?;
            self.seat.received.inc_by(from.take_bytes());
            match frame {
                Frame::Pong { nonce, epoch, done, onward } => {
                    let took = now_micros().saturating_sub(nonce).max(1);
                    self.pulse.round_trip.store(took, Ordering::Relaxed);
                    self.pulse.onward.store(onward, Ordering::Relaxed);
                    self.seat.round_trip.set(took as f64 / 1e6);
                    self.seat.onward.set(onward as f64 / 1e6);
                    self.pulse.done.store(done, Ordering::Relaxed);
                    self.pulse.epoch.store(epoch, Ordering::Relaxed);
                }
                frame => {
                    if self.pulse.unheard.fetch_add(1, Ordering::Relaxed) >= UNHEARD_MAX {
                        let said = format!("it said more than {UNHEARD_MAX} things unasked");
                        return Err(LinkError::Unexpected(said).into());
                    }
                    (self.tell)(News::Said { who: self.who, turn, frame });
                }
            }
        }
    }

    async fn speak(
        &self,
        to: &mut Sender,
        turn: u64,
        commands: &mut mpsc::Receiver<(u64, Command)>,
    ) -> Result<(), Lost> {
        let mut ping = tokio::time::interval(self.caller.wait.ping);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let silence = self.caller.wait.silence;
        loop {
            let frame = tokio::select! {
                command = commands.recv() => match command {
                    None => return Ok(()),
                    // Meant for a connection that has ended.
                    Some((of, _)) if of != turn => continue,
                    Some((_, Command::Leave(reason))) => return Err(Lost::Left(reason)),
                    Some((_, Command::Say(frame))) => frame,
                },
                _ = ping.tick() => Frame::Ping { nonce: now_micros(), padding: 0 },
            };
            to.send(&frame, silence).await?;
            self.seat.sent.inc_by(to.take_bytes());
        }
    }
}
