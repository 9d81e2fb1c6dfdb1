//! Commitments and verdicts on their way to the chain.

use super::Hall;
use crate::duties::Watched;
use crate::journal::Entry;
use chain_client::SendError;
use proto::audit::Round;
use proto::message::{CommitVerdicts, Commitment, Message, RevealVerdicts, Revealed};
use proto::vrf::VrfProof;
use proto::{Digest, Height};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What became of a transaction.
pub(super) struct Sent {
    pub(super) start: Height,
    round: Round,
    audits: Vec<Digest>,
    kind: Kind,
    pub(super) taken: bool,
    /// Whether the chain refused it: sending the same again is of no use.
    refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Commit,
    Reveal,
}

impl Sent {
    /// Marks as not done what did not get to the chain.
    pub(super) fn undo(&self, watched: &mut Watched) {
        let keys: BTreeSet<_> = self.audits.iter().map(|audit| (*audit, self.round)).collect();
        match self.kind {
            Kind::Commit => watched.committed.retain(|key| !keys.contains(key)),
            Kind::Reveal => {
                watched.shown.remove(&self.round);
                // A verdict whose commitment did not arrive must not hold back the others, nor the
                // ticket: one by one, each is refused for itself.
                if self.refused && self.audits.len() <= 1 {
                    return;
                }
                if self.refused {
                    watched.at_once = 1;
                }
                watched.revealed.retain(|key| !keys.contains(key));
            }
        }
    }
}

impl Hall {
    /// Commits to what was found.
    pub(super) async fn commit(
        self: Arc<Hall>,
        start: Height,
        round: Round,
        entries: Vec<Entry>,
    ) -> Sent {
        let auditor = self.address();
        let commitment = |entry: &Entry| Commitment {
            audit_id: entry.audit.id,
            digest: entry.verdict.commitment(&entry.salt, &auditor, &entry.audit.id),
        };
        let commitments = entries.iter().map(commitment).collect();
        let message = CommitVerdicts { auditor, round, commitments };
        self.send(message.into(), (start, round), &entries, Kind::Commit).await
    }

    /// Shows the ticket, and what was committed to.
    pub(super) async fn reveal(
        self: Arc<Hall>,
        start: Height,
        round: Round,
        ticket: VrfProof,
        entries: Vec<Entry>,
    ) -> Sent {
        let revealed = |entry: &Entry| Revealed {
            audit_id: entry.audit.id,
            salt: entry.salt,
            verdict: entry.verdict,
        };
        let verdicts = entries.iter().map(revealed).collect();
        let message = RevealVerdicts { auditor: self.address(), start, ticket, verdicts };
        self.send(message.into(), (start, round), &entries, Kind::Reveal).await
    }

    async fn send(
        &self,
        message: Message,
        (start, round): (Height, Round),
        entries: &[Entry],
        kind: Kind,
    ) -> Sent {
        let audits: Vec<Digest> = entries.iter().map(|entry| entry.audit.id).collect();
        let sent = self.sender().send(vec![message]).await;
        let (name, count) = (kind.name(), audits.len());
        self.metrics().sent(name, sent.is_ok(), count.max(1));
        let refused = match &sent {
            Ok(included) => {
                tracing::info!(%start, ?round, count, height = %included.height, "{name} is in a block");
                false
            }
            Err(error) => {
                tracing::warn!(%start, ?round, count, %error, "{name} is not in a block");
                matches!(error, SendError::Refused { .. })
            }
        };
        Sent { start, round, audits, kind, taken: sent.is_ok(), refused }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Reveal => "reveal",
        }
    }
}
