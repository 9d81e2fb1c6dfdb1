//! Frames over a connection.

use super::bytes::Malformed;
use super::frame::Frame;
use std::time::Duration;
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
}

/// The half of a connection that frames go to.
pub struct Sender {
    to: WriteHalf<TlsStream<TcpStream>>,
}

/// Both halves of a connection.
pub fn split(stream: TlsStream<TcpStream>, max: usize) -> (Receiver, Sender) {
    let (from, to) = tokio::io::split(stream);
    (Receiver { from: BufReader::with_capacity(READ, from), max }, Sender { to })
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
        Ok(Frame::decode(&bytes)?)
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
        sent.map_err(|_| LinkError::Stuck(limit))?.map_err(LinkError::Io)
    }
}
