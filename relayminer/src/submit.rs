//! Does what is due: claims, proofs, and what they came to.
//!
//! Three loops follow the chain's height, so that a slow claim keeps no proof waiting. Each asks anew
//! what is due; what failed is due again, a little later, until its window closes.

mod prepare;
#[cfg(test)]
mod tests;

use crate::book::{Book, Record};
use crate::duties::{Duty, duty};
use crate::market::NotSent;
use crate::miner::Miner;
use crate::sessions::{BookError, Live};
use daemon::Stop;
use prepare::Prepared;
use proto::claim::Phase;
use proto::message::{Message, Proof, SubmitClaims, SubmitProofs};
use proto::names::{CLAIMS_PER_TX_MAX, PROOFS_PER_TX_MAX};
use proto::{Digest, Height};
use std::sync::Arc;
use std::time::Duration;

/// The pause after something failed: doubled each time, up to the most. Blocks end it early.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// What one loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Claims,
    Proofs,
    Ends,
}

/// Something did not work out, and is due again.
#[derive(Debug, PartialEq, Eq)]
struct Again;

/// Does what is due of one kind, at every block, until `stop`.
pub(crate) async fn follow(miner: Arc<Miner>, part: Part, stop: Stop) {
    let mut heights = miner.pulse.heights();
    let mut pause = PAUSE_MIN;
    loop {
        let at = *heights.borrow_and_update();
        let done = miner.round(part, at).await;
        let again = async {
            match done {
                Ok(()) => std::future::pending().await,
                Err(Again) => tokio::time::sleep(pause).await,
            }
        };
        tokio::select! {
            () = stop.asked() => return,
            () = again => pause = (pause * 2).min(PAUSE_MAX),
            grown = heights.changed() => match grown {
                Ok(()) => pause = PAUSE_MIN,
                Err(_) => return stop.asked().await,
            },
        }
    }
}

impl Part {
    fn has(self, duty: &Duty) -> bool {
        match duty {
            Duty::Claim(_) | Duty::FindClaim(_) => self == Part::Claims,
            Duty::Reveal(..) | Duty::Prove(_) => self == Part::Proofs,
            Duty::FindSettled(_) | Duty::Close(_) | Duty::Forget(_) => self == Part::Ends,
        }
    }
}

impl Miner {
    /// Does once what is due of one kind when the last block is at `at`.
    async fn round(&self, part: Part, at: Height) -> Result<(), Again> {
        let (mut claims, mut proofs, mut result) = (Vec::new(), Vec::new(), Ok(()));
        for live in self.sessions.all() {
            let due = live.read(|book| duty(book, at, self.keep_settled));
            let Some(due) = due.filter(|due| part.has(due)) else { continue };
            let id = due.session_id();
            let done = match due {
                Duty::Claim(_) => self.prepare_claim(&live).await.map(|claim| claims.extend(claim)),
                Duty::FindClaim(_) => self.find_claim(&live, at).await,
                Duty::Reveal(_, height) => match self.reveal(&live, height).await {
                    // What is drawn may be shown in the very next block.
                    Ok(()) if live.read(|book| self.is_drawn(book, at)) => {
                        self.prepare_proof(&live).await.map(|proof| proofs.extend(proof))
                    }
                    revealed => revealed,
                },
                Duty::Prove(_) => self.prepare_proof(&live).await.map(|proof| proofs.extend(proof)),
                Duty::FindSettled(_) => self.find_settled(&live, at).await,
                Duty::Close(_) => self.close(&live, at).await,
                Duty::Forget(_) => self.forget(&live),
            };
            if let Err(reason) = done {
                tracing::warn!(session = %id, ?due, reason, "duty is tried again");
                result = Err(Again);
            }
        }
        let claimed = self.send_all(claims, CLAIMS_PER_TX_MAX).await;
        let proven = self.send_all(proofs, PROOFS_PER_TX_MAX).await;
        result.and(claimed).and(proven)
    }

    fn is_drawn(&self, book: &Book, at: Height) -> bool {
        matches!(duty(book, at, self.keep_settled), Some(Duty::Prove(_)))
    }

    /// Sends what was prepared in as few transactions as it fits. One that is refused is split, so
    /// that what is wrong with one session keeps no other from its pay.
    async fn send_all(&self, prepared: Vec<Prepared>, max: usize) -> Result<(), Again> {
        let mut batches = prepare::batches(prepared, max);
        let mut result = Ok(());
        while let Some(batch) = batches.pop() {
            let message = self.message(&batch);
            match self.market.send(vec![message]).await {
                Ok(height) => result = result.and(self.note_sent(&batch, height).await),
                Err(NotSent::Refused(reason)) if batch.len() > 1 => {
                    tracing::warn!(
                        sessions = batch.len(),
                        reason,
                        "refused together: sent in parts"
                    );
                    let (one, other) = batch.split_at(batch.len() / 2);
                    batches.extend([other.to_vec(), one.to_vec()]);
                }
                Err(error) => {
                    for one in &batch {
                        tracing::warn!(session = %one.session_id(), %error, "not sent");
                    }
                    self.metrics.sent("failed", batch.len());
                    result = Err(Again);
                }
            }
        }
        result
    }

    fn message(&self, batch: &[Prepared]) -> Message {
        let operator = self.identity.operator;
        let (mut claims, mut proofs) = (Vec::new(), Vec::new());
        for prepared in batch {
            match prepared {
                Prepared::Claim(_, root) => claims.push(*root),
                Prepared::Proof(live, openings) => {
                    let session_id = live.session().id;
                    proofs.push(Proof { session_id, openings: openings.clone() });
                }
            }
        }
        if proofs.is_empty() {
            Message::SubmitClaims(SubmitClaims { operator, claims })
        } else {
            Message::SubmitProofs(SubmitProofs { operator, proofs })
        }
    }

    /// Notes what the chain made of what was sent: a batch may be taken in part.
    async fn note_sent(&self, batch: &[Prepared], height: Height) -> Result<(), Again> {
        let mut result = Ok(());
        for prepared in batch {
            let (id, live) = (prepared.session_id(), prepared.live());
            let adopted = self.adopt_claim(live).await;
            let taken = match prepared {
                Prepared::Claim(_, root) => {
                    live.read(|book| book.included().map(|i| i.0) == Some(*root))
                }
                Prepared::Proof(..) => live.read(|book| book.shown().is_some()),
            };
            if taken {
                tracing::info!(session = %id, kind = prepared.kind(), %height, "taken by the chain");
                self.metrics.sent(prepared.kind(), 1);
            } else {
                tracing::warn!(session = %id, kind = prepared.kind(), ?adopted, "not taken by the chain");
                self.metrics.sent("failed", 1);
                result = Err(Again);
            }
        }
        result
    }

    /// Asks whether a claim that was sent is on the chain.
    async fn find_claim(&self, live: &Live, at: Height) -> Result<(), String> {
        if self.adopt_claim(live).await? {
            return Ok(());
        }
        if at >= live.session().settle_height() {
            return self.find_settled(live, at).await;
        }
        Ok(())
    }

    /// Notes the claim that the chain has, if it is one that was sent from here.
    async fn adopt_claim(&self, live: &Live) -> Result<bool, String> {
        let id = live.session().id;
        let claim = self.market.claim(id, self.identity.operator).await;
        let Some(claim) = claim.map_err(|error| error.to_string())? else { return Ok(false) };
        let known = |book: &Book| book.claims().iter().any(|sent| sent.root == claim.root);
        if !live.read(known) {
            let root = claim.root;
            tracing::error!(session = %id, ?root, "the chain has a claim that was not sent from here");
            return Ok(false);
        }
        let noted = |book: &Book| book.included().is_some_and(|(root, _)| root == claim.root);
        if !live.read(noted) {
            let record = Record::Included { root: claim.root, height: claim.claimed_at };
            self.note(live, record).await.map_err(|error| error.to_string())?;
        }
        let right = match claim.phase {
            Phase::Proven => true,
            Phase::Refuted => false,
            Phase::Claimed
            | Phase::ProofDue
            | Phase::Spared
            | Phase::Expired
            | Phase::Convicted
            | Phase::Fined => return Ok(true),
        };
        if live.read(|book| book.shown().is_none()) {
            if !right {
                tracing::error!(session = %id, "the chain found a leaf wrong");
            }
            let record = Record::Shown { height: self.pulse.last(), right };
            self.note(live, record).await.map_err(|error| error.to_string())?;
        }
        Ok(true)
    }

    /// Asks for the seed that says whether, and by which leaves, a claim must be proven.
    async fn reveal(&self, live: &Live, height: Height) -> Result<(), String> {
        // A claim that was replaced may be on the chain in either form.
        self.adopt_claim(live).await?;
        let seed = self.market.seed(height).await.map_err(|error| error.to_string())?;
        self.note(live, Record::Drawn { seed }).await.map_err(|error| error.to_string())
    }

    /// Asks what became of a claim.
    async fn find_settled(&self, live: &Live, at: Height) -> Result<(), String> {
        let (id, operator) = (live.session().id, self.identity.operator);
        let settled = self.market.settled(id, operator).await.map_err(|error| error.to_string())?;
        if let Some(settled) = settled {
            tracing::info!(session = %id, cost = %settled.cost, paid = %settled.split.supplier, reason = settled.reason, "settled");
            let record = Record::Settled(Box::new(settled));
            return self.note(live, record).await.map_err(|error| error.to_string());
        }
        let open = self.market.claim(id, operator).await.map_err(|error| error.to_string())?;
        if open.is_some() {
            // Blocks are full: it comes.
            return Ok(());
        }
        tracing::error!(session = %id, "the chain has no claim of this session, and nothing settled");
        self.note(live, Record::Unclaimed { height: at }).await.map_err(|error| error.to_string())
    }

    /// Notes that nothing was claimed.
    async fn close(&self, live: &Live, at: Height) -> Result<(), String> {
        let (id, relays) = (live.session().id, live.read(|book| book.relays().len()));
        if relays == 0 && !live.read(|book| book.acks().known().count > 0) {
            self.sessions.forget(&id);
            return Ok(());
        }
        let booked = live.read(Book::booked);
        tracing::warn!(session = %id, relays, cu = booked.0, "session ended without a claim");
        self.note(live, Record::Unclaimed { height: at }).await.map_err(|error| error.to_string())
    }

    /// Removes a book that nobody needs any more.
    fn forget(&self, live: &Live) -> Result<(), String> {
        let id: Digest = live.session().id;
        crate::book::remove(live.path()).map_err(|error| error.to_string())?;
        self.sessions.forget(&id);
        tracing::debug!(session = %id, "book removed");
        Ok(())
    }

    async fn note(&self, live: &Live, record: Record) -> Result<(), BookError> {
        let pending = live.write(&self.writer, |_| Ok::<_, BookError>(record)).await?;
        Ok(pending.durable().await?)
    }
}
