//! Relays that a crash interrupted: each ends in a receipt before others are let in.

use crate::book::{Reader, Record, Relay, WriteFailed, Writer};
use crate::clock::Clock;
use crate::receipt::{self, Outcome, Times};
use crate::sessions::{BookError, Live, Sessions};
use proto::keys::RelaySecret;
use proto::relay::Status;
use proto::transcript::Commitment;
use proto::{Digest, Usage};

/// Why a relay that was interrupted has no receipt.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    #[error("relay {relay_id} was interrupted, and its book cannot be read: {source}")]
    Disk { relay_id: Digest, source: std::io::Error },
    #[error("relay {relay_id} was interrupted, and the record at byte {at} is of another kind")]
    OtherRecord { relay_id: Digest, at: u64 },
    #[error(transparent)]
    Write(#[from] WriteFailed),
    #[error(transparent)]
    Book(#[from] BookError),
}

/// Ends each relay that has no receipt: by its last checkpoint, or as failed where there is none.
pub(crate) async fn finish(
    sessions: &Sessions,
    writer: &Writer,
    secret: &RelaySecret,
    clock: &Clock,
) -> Result<(), Interrupted> {
    for live in sessions.all() {
        let open: Vec<Relay> = live.read(|book| {
            book.relays().iter().filter(|relay| relay.outcome.is_none()).copied().collect()
        });
        for relay in open {
            let record = record_of(&live, &relay, secret, clock)?;
            let pending = live.write(writer, |_| Ok::<_, BookError>(record)).await?;
            pending.durable().await?;
            let session = live.session().id;
            tracing::info!(%session, relay = %relay.id, "interrupted relay ended");
        }
    }
    Ok(())
}

fn record_of(
    live: &Live,
    relay: &Relay,
    secret: &RelaySecret,
    clock: &Clock,
) -> Result<Record, Interrupted> {
    let relay_id = relay.id;
    let disk = |source| Interrupted::Disk { relay_id, source };
    let reader = Reader::open(live.path()).map_err(disk)?;
    let place = relay.checkpoint.unwrap_or(relay.accepted);
    match reader.read(place).map_err(disk)? {
        Record::Checkpoint(receipt) => Ok(Record::Receipt(receipt)),
        Record::Accepted(accepted) => {
            let times =
                Times { started_at: accepted.at, finished_at: clock.now(), ..Times::default() };
            let outcome = Outcome {
                status: Status::Failed,
                usage: Usage::default(),
                answer: Commitment::default(),
                evidence_root: Digest::default(),
                times,
            };
            let weights = live.session().terms.cu_weights;
            let request = &accepted.envelope.request.body;
            Ok(Record::Receipt(Box::new(receipt::sign(secret, request, weights, &outcome))))
        }
        _ => Err(Interrupted::OtherRecord { relay_id, at: place.at }),
    }
}
