//! What a gateway reads: the supplier's bytes as they come, and the receipt as trailer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame};
use proto::names::RECEIPT_TRAILER;
use proto::relay::{Receipt, Signed};
use proto::wire::Wire;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Pieces that wait for a slow reader at most. What waits counts as delivered: keep it small.
const WAITING_MAX: usize = 1;

/// The name of the trailer.
pub(crate) const TRAILER: HeaderName = HeaderName::from_static(RECEIPT_TRAILER);

/// An answer ended without its receipt: the connection is broken off, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the relay's receipt could not be booked")]
pub(crate) struct NoReceipt;

enum Piece {
    Data(Bytes),
    Receipt(HeaderMap),
}

/// The end into which an answer goes.
#[derive(Debug)]
pub(crate) struct Giver(mpsc::Sender<Piece>);

/// The end at which the HTTP server takes it.
#[derive(Debug)]
pub(crate) struct Answer {
    pieces: mpsc::Receiver<Piece>,
    ended: bool,
}

/// The reader is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// An answer's two ends.
pub(crate) fn pipe() -> (Giver, Answer) {
    let (giver, pieces) = mpsc::channel(WAITING_MAX);
    (Giver(giver), Answer { pieces, ended: false })
}

/// The receipt as a trailer holds it.
pub(crate) fn text_of(receipt: &Signed<Receipt>) -> String {
    STANDARD.encode(receipt.encode())
}

impl Giver {
    /// Waits until the reader takes the next piece, and gives it.
    pub(crate) async fn give(&self, data: Bytes) -> Result<(), Gone> {
        self.0.send(Piece::Data(data)).await.map_err(|_| Gone)
    }

    /// Ends the answer.
    pub(crate) async fn end(self, receipt: &Signed<Receipt>) -> Result<(), Gone> {
        let value = HeaderValue::try_from(text_of(receipt)).expect("base64 fits a header");
        let trailers = HeaderMap::from_iter([(TRAILER, value)]);
        self.0.send(Piece::Receipt(trailers)).await.map_err(|_| Gone)
    }

    /// Ends when the reader is gone.
    pub(crate) async fn gone(&self) {
        self.0.closed().await;
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = NoReceipt;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, NoReceipt>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(Piece::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Piece::Receipt(trailers)) => {
                self.ended = true;
                Some(Ok(Frame::trailers(trailers)))
            }
            None => {
                self.ended = true;
                Some(Err(NoReceipt))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
