//! What is kept of a relay for auditors.

use super::Run;
use super::tally::Why;
use crate::miner::Miner;
use crate::receipt::{self, Outcome};
use crate::vault::RECORD_MAX;
use bytes::Bytes;
use proto::dossier::{Dossier, FORM};
use proto::evidence::{self, Evidence};
use proto::relay::{Receipt, Signed, Status};
use proto::wire::Wire;
use proto::{Digest, Height};

/// What was asked and delivered.
pub(super) struct Seen {
    path: &'static str,
    body: Bytes,
    /// None when it is too long to keep.
    answer: Option<Vec<u8>>,
    /// Whether the supplier shows evidence.
    pub(super) evidence: bool,
}

impl Seen {
    pub(super) fn of(path: &'static str, body: Bytes) -> Seen {
        Seen { path, body, answer: Some(Vec::new()), evidence: false }
    }

    /// Takes a piece that was delivered.
    pub(super) fn take(&mut self, data: &[u8]) {
        if let Some(answer) = &mut self.answer {
            answer.extend_from_slice(data);
        }
        self.answer.take_if(|answer| answer.len() > RECORD_MAX);
    }
}

impl Run<'_> {
    /// Fetches the evidence, keeps what an auditor may ask for, and signs.
    pub(super) async fn conclude(&mut self, why: &Why) -> Signed<Receipt> {
        let status = self.tally.status(why);
        let outcome = self.tally.outcome(status, self.miner.clock().now());
        // A failed relay is not billed, and nobody audits it.
        if status == Status::Failed {
            return self.signed(&outcome);
        }
        let shown = self.evidence().await;
        let evidence_root = shown.as_deref().map_or(Digest::default(), evidence::root);
        let receipt = self.signed(&Outcome { evidence_root, ..outcome });
        match self.keep(&receipt, shown.unwrap_or_default()).await {
            Ok(()) => receipt,
            Err(reason) => {
                tracing::warn!(relay = %self.request.relay_id, reason, "relay is not kept for audits");
                self.signed(&outcome)
            }
        }
    }

    async fn evidence(&mut self) -> Option<Vec<u8>> {
        if !self.seen.evidence {
            return None;
        }
        let relay = self.request.relay_id;
        let bytes = match self.miner.upstream().evidence(&relay.to_string()).await {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%relay, %error, "no evidence");
                return None;
            }
        };
        match Evidence::decode(&bytes) {
            Ok(_) => Some(bytes),
            Err(error) => {
                tracing::warn!(%relay, %error, "the supplier's evidence is refused");
                None
            }
        }
    }

    async fn keep(&mut self, receipt: &Signed<Receipt>, evidence: Vec<u8>) -> Result<(), String> {
        let answer = self.seen.answer.take().ok_or("the answer is too long")?;
        let identity = &self.miner.identity;
        let dossier = Dossier {
            form: FORM.to_owned(),
            chain_id: identity.chain_id.clone(),
            service: self.live.session().service.clone(),
            supplier: identity.operator,
            relay_key: identity.relay_key,
            path: self.seen.path.to_owned(),
            body: self.seen.body.to_vec(),
            answer,
            evidence,
            receipt: receipt.encode(),
        };
        let (session, relay) = (self.request.session_id, self.request.relay_id);
        let kept = self.miner.vault.keep(session, relay, &dossier).await;
        kept.map_err(|error| error.to_string())
    }

    fn signed(&self, outcome: &Outcome) -> Signed<Receipt> {
        let weights = self.live.session().terms.cu_weights;
        receipt::sign(self.miner.secret(), &self.request, weights, outcome)
    }
}

impl Miner {
    /// Removes what nobody may ask for any more: audits of a session end when it is settled.
    pub(crate) async fn forget_evidence(&self, at: Height) {
        let open = |id: &Digest| {
            self.sessions.get(id).is_some_and(|live| at < live.session().settle_height())
        };
        self.vault.sweep(open).await;
    }
}
