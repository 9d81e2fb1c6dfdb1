//! What is sent: made from the book, checked by the chain's own rules, written down first.

use crate::book::{Claimed, Record};
use crate::miner::Miner;
use crate::sessions::Live;
use crate::tree::{self, Tree};
use proto::Digest;
use proto::claim::ClaimRoot;
use proto::leaf::Opening;
use proto::wire::Wire;
use std::sync::Arc;

/// Bytes of one transaction at most: nodes refuse much larger ones.
const TX_BYTES_MAX: usize = 256 << 10;

/// Bytes of a claim at most: two digests and three numbers with their tags.
const CLAIM_BYTES: usize = 128;

/// Something to send for one session.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    Claim(Arc<Live>, ClaimRoot),
    Proof(Arc<Live>, Vec<Opening>),
}

impl Prepared {
    pub(super) fn live(&self) -> &Live {
        match self {
            Prepared::Claim(live, _) | Prepared::Proof(live, _) => live,
        }
    }

    pub(super) fn session_id(&self) -> Digest {
        self.live().session().id
    }

    /// What it is counted as.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Prepared::Claim(..) => "claims",
            Prepared::Proof(..) => "proofs",
        }
    }

    /// What it counts against the bounds of a transaction: its roots or its leaves, and its bytes.
    fn size(&self) -> (usize, usize) {
        match self {
            Prepared::Claim(..) => (1, CLAIM_BYTES),
            Prepared::Proof(_, openings) => {
                (openings.len(), openings.iter().map(|opening| opening.encode().len()).sum())
            }
        }
    }
}

/// Puts together what fits one transaction each: `max` roots or leaves.
pub(super) fn batches(prepared: Vec<Prepared>, max: usize) -> Vec<Vec<Prepared>> {
    let mut batches: Vec<Vec<Prepared>> = Vec::new();
    let (mut room, mut bytes) = (0, 0);
    for one in prepared {
        let size = one.size();
        match batches.last_mut() {
            Some(batch) if size.0 <= room && size.1 <= bytes => batch.push(one),
            _ => {
                (room, bytes) = (max, TX_BYTES_MAX);
                batches.push(vec![one]);
            }
        }
        (room, bytes) = (room.saturating_sub(size.0), bytes.saturating_sub(size.1));
    }
    batches
}

impl Miner {
    /// The claim of a session, written down; none if the chain has it already.
    pub(super) async fn prepare_claim(&self, live: &Arc<Live>) -> Result<Option<Prepared>, String> {
        live.flush(&self.writer).await.map_err(|error| error.to_string())?;
        let (upto, last) = live.read(|book| (book.length(), book.claims().last().copied()));
        let path = live.path().to_owned();
        let built = tokio::task::spawn_blocking(move || Tree::build(&path, upto).map(|t| t.root()));
        let built = built.await.map_err(|error| error.to_string())?;
        let root = built.map_err(|error| error.to_string())?;
        if last.is_some_and(|last| last.root == root) {
            // It was to be sent before: perhaps it was.
            let adopted = self.adopt_claim(live).await?;
            let included = live.read(|book| book.included().map(|(root, _)| root));
            if adopted && included == Some(root) {
                return Ok(None);
            }
        } else {
            let record = Record::Claimed(Claimed { root, upto });
            self.note(live, record).await.map_err(|error| error.to_string())?;
        }
        Ok(Some(Prepared::Claim(live.clone(), root)))
    }

    /// The leaves that were drawn from a session's claim; none if the chain has them already, or
    /// would refuse them.
    pub(super) async fn prepare_proof(&self, live: &Arc<Live>) -> Result<Option<Prepared>, String> {
        self.adopt_claim(live).await?;
        let (included, seed, shown, claims) =
            live.read(|book| (book.included(), book.drawn(), book.shown(), book.claims().to_vec()));
        let (Some((root, _)), Some(seed), None) = (included, seed, shown) else { return Ok(None) };
        let claimed = claims.into_iter().rfind(|claimed| claimed.root == root);
        let claimed = claimed.ok_or("the claim on the chain was not made from this book")?;
        let (trees, live) = (self.trees.clone(), live.clone());
        let proof = tokio::task::spawn_blocking(move || {
            let tree = trees.of(&live, claimed).map_err(|error| error.to_string())?;
            let drawn = tree.1.drawn(&seed).map_err(|error| error.to_string())?;
            for (point, opening) in &drawn {
                // What the chain would refuse costs stake, as silence does; but a chain that is
                // not asked can still be asked when the cause is found.
                tree::check(tree.1.book(), &root, opening, *point).map_err(|bad| {
                    tracing::error!(session = %root.session_id, point, %bad, "own proof does not hold");
                    format!("the leaf at {point} would be refused: {bad}")
                })?;
            }
            let openings = drawn.into_iter().map(|(_, opening)| opening).collect();
            Ok::<_, String>(Prepared::Proof(live, openings))
        });
        proof.await.map_err(|error| error.to_string())?.map(Some)
    }
}
