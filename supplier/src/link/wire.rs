//! Frames over a connection.

use super::bytes::Malformed;
use super::frame::Frame;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// Bytes that are read at once.
const READ: usize = 64 << 10;

/// Why a connection is given up.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("the other side ended it")]
    Ended,
    #[error("nothing came for {0:?}")]
    Silent(Duration),
    #[error("nothing could be sent for {0:?}")]
    Stuck(Duration),
    #[error("a frame of {length} bytes was announced, but at most {max} are taken")]
    TooLong { length: usize, max: usize },
    #[error("a frame cannot be read: {0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    Unexpected(String),
}

/// The half of a connection that frames come from.
pub struct Receiver {
    from: BufReader<ReadHalf<TlsStream<TcpStream>>>,
    /// Bytes of a frame at most.
    pub max: usize,
    bytes: u64,
}

/// The half of a connection that frames go to.
pub struct Sender {
    to: WriteHalf<TlsStream<TcpStream>>,
    bytes: u64,
}

/// Both halves of a connection.
pub fn split(stream: TlsStream<TcpStream>, max: usize) -> (Receiver, Sender) {
    let (from, to) = tokio::io::split(stream);
    (
        Receiver { from: BufReader::with_capacity(READ, from), max, bytes: 0 },
        Sender { to, bytes: 0 },
    )
}

impl Receiver {
    /// The next frame, which must have come within `limit`.
    pub async fn next(&mut self, limit: Duration) -> Result<Frame, LinkError> {
        tokio::time::timeout(limit, self.frame()).await.map_err(|_| LinkError::Silent(limit))?
    }

    /// The next frame, whenever it comes.
    pub async fn frame(&mut self) -> Result<Frame, LinkError> {
        let length = match self.from.read_u32_le().await {
            Ok(length) => length as usize,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(LinkError::Ended);
            }
            Err(error) => return Err(error.into()),
        };
        if length > self.max {
            return Err(LinkError::TooLong { length, max: self.max });
        }
        // Memory grows with what has come, not with what was announced.
        let mut bytes = Vec::with_capacity(length.min(READ));
        (&mut self.from).take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(LinkError::Ended);
        }
        self.bytes += size_of::<u32>() as u64 + length as u64;
        Ok(Frame::decode(&bytes)?)
    }

    /// Bytes of the frames that came since this was last asked.
    pub fn take_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }
}

impl Sender {
    /// Sends a frame; the other side must have taken it within `limit`.
    pub async fn send(&mut self, frame: &Frame, limit: Duration) -> Result<(), LinkError> {
        let bytes = frame.encode();
        let sent = async {
            self.to.write_all(&bytes).await?;
            self.to.flush().await
        };
        let sent = tokio::time::timeout(limit, sent).await;
        sent.map_err(|_| LinkError::Stuck(limit))?.map_err(LinkError::Io)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bytes of the frames that went since this was last asked.
    pub fn take_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }
}

/// Microseconds since this process first asked: what a ping carries, to be read again by who sent it.
pub(crate) fn now_micros() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_micros() as u64
}
