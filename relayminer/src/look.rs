//! What a gateway can look up: how its acknowledgements stand, and its receipts with their proofs.

use crate::admit::Refused;
use crate::answer::text_of;
use crate::book::{Claimed, Place, Reader, Record, Relay};
use crate::miner::Miner;
use crate::sessions::Live;
use crate::tree::{Tree, TreeError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::Digest;
use proto::claim::ClaimRoot;
use proto::leaf::AckHead;
use proto::wire::Wire;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// Trees that are kept for the next question at most: one is as large as its session.
const TREES_MAX: usize = 4;

/// How a session stands between a gateway and this supplier.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SessionAnswer {
    /// What the gateway signed last; a gateway checks that itself.
    pub(crate) acked: Option<AckHead>,
    pub(crate) next_seq: u64,
    pub(crate) unacked: Vec<UnackedRelay>,
}

/// A relay that is not acknowledged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UnackedRelay {
    pub(crate) relay_id: Digest,
    pub(crate) seq: u64,
    /// Base64 of the signed receipt; none while the relay runs.
    pub(crate) receipt: Option<String>,
}

/// A receipt and the way by which it is paid.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReceiptAnswer {
    /// Base64 of the signed receipt; none while the relay runs.
    pub(crate) receipt: Option<String>,
    /// None before the claim, and where the relay is not in it.
    pub(crate) claim: Option<ClaimRoot>,
    /// Base64 of the opening of `claim`.
    pub(crate) opening: Option<String>,
}

/// The trees that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    kept: Mutex<Vec<Arc<(Claimed, Tree)>>>,
    /// One is built at a time: anybody may ask, and each takes as long as its session is large.
    building: Mutex<()>,
}

impl Miner {
    /// How a session stands.
    pub(crate) async fn standing(&self, session_id: &Digest) -> Result<SessionAnswer, Refused> {
        let live = self.sessions.find(session_id, self.pulse.last()).await?;
        let written = live.flush(&self.writer).await.map_err(failed)?;
        let (last, next_seq, unacked) = live.read(|book| {
            let owed = |relay: &&Relay| book.acks().of(&relay.id).is_none();
            let unacked: Vec<Relay> = book.relays().iter().filter(owed).copied().collect();
            (book.acks().last(), book.next_seq(), unacked)
        });
        if !written {
            return Ok(SessionAnswer { acked: None, next_seq, unacked: Vec::new() });
        }
        aside(move || {
            let reader = Reader::open(live.path()).map_err(failed)?;
            let acked = last.map(|place| read_head(&reader, place)).transpose()?;
            let unacked = unacked.iter().map(|relay| read_unacked(&reader, relay));
            Ok(SessionAnswer { acked, next_seq, unacked: unacked.collect::<Result<_, _>>()? })
        })
        .await
    }

    /// A relay's receipt, and once it is claimed the proof that it is in the claim; none where the relay
    /// is not known.
    pub(crate) async fn receipt(
        &self,
        session_id: &Digest,
        relay_id: Digest,
    ) -> Result<Option<ReceiptAnswer>, Refused> {
        let Some(live) = self.sessions.get(session_id) else { return Ok(None) };
        if !live.flush(&self.writer).await.map_err(failed)? {
            return Ok(None);
        }
        let (relay, claimed) = live.read(|book| {
            let root = book.included().map(|(root, _)| root);
            let claimed = book.claims().iter().rfind(|claimed| Some(claimed.root) == root);
            (book.relay(&relay_id).copied(), claimed.copied())
        });
        let Some(relay) = relay else { return Ok(None) };
        let trees = self.trees.clone();
        let answer = aside(move || {
            let reader = Reader::open(live.path()).map_err(failed)?;
            let receipt = read_receipt(&reader, &relay)?;
            let opened = claimed.map(|claimed| open(&trees, &live, claimed, &relay_id));
            let opened = opened.transpose()?.flatten();
            let (claim, opening) = opened.unzip();
            Ok(ReceiptAnswer { receipt, claim, opening })
        });
        answer.await.map(Some)
    }
}

impl Trees {
    /// The tree of a claim, built if it is not at hand.
    pub(crate) fn of(
        &self,
        live: &Live,
        claimed: Claimed,
    ) -> Result<Arc<(Claimed, Tree)>, TreeError> {
        let _one_at_a_time = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = self.lock().iter().find(|kept| kept.0 == claimed) {
            return Ok(kept.clone());
        }
        let built = Arc::new((claimed, Tree::rebuild(live.path(), &claimed)?));
        let mut trees = self.lock();
        if trees.len() >= TREES_MAX {
            trees.remove(0);
        }
        trees.push(built.clone());
        Ok(built)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<(Claimed, Tree)>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(
    trees: &Trees,
    live: &Live,
    claimed: Claimed,
    relay_id: &Digest,
) -> Result<Option<(ClaimRoot, String)>, Refused> {
    let tree = trees.of(live, claimed).map_err(failed)?;
    let opening = tree.1.open(relay_id).map_err(failed)?;
    Ok(opening.map(|opening| (claimed.root, STANDARD.encode(opening.encode()))))
}

fn read_head(reader: &Reader, place: Place) -> Result<AckHead, Refused> {
    match reader.read(place).map_err(failed)? {
        Record::Accepted(accepted) => Ok(AckHead::Request(accepted.envelope.request)),
        Record::Acked(update) => Ok(AckHead::Ack(update.ack)),
        _ => Err(failed(format!("the record at byte {} acknowledges nothing", place.at))),
    }
}

fn read_unacked(reader: &Reader, relay: &Relay) -> Result<UnackedRelay, Refused> {
    let receipt = read_receipt(reader, relay)?;
    Ok(UnackedRelay { relay_id: relay.id, seq: relay.seq, receipt })
}

fn read_receipt(reader: &Reader, relay: &Relay) -> Result<Option<String>, Refused> {
    let Some(outcome) = relay.outcome else { return Ok(None) };
    match reader.read(outcome.receipt).map_err(failed)? {
        Record::Receipt(receipt) => Ok(Some(text_of(&receipt))),
        _ => Err(failed(format!("the record at byte {} is no receipt", outcome.receipt.at))),
    }
}

fn failed(error: impl ToString) -> Refused {
    Refused::Failed(error.to_string())
}

/// Runs what reads much on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}
