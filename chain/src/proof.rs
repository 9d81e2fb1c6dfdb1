//! Proofs: the leaves that a seed asks for.

use crate::draft::{Draft, gas};
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{keys, seeds, session};
use proto::claim::{Claim, Event as Turn, OutOfTurn, Phase, must_prove};
use proto::leaf::{BadLeaf, Opening, drawn_point};
use proto::message::{Proof, SubmitProofs};
use proto::names::PROOFS_PER_TX_MAX;
use proto::session::{Seat, Session};
use proto::signatures::{AtOnce, Batch, Checks};
use proto::{Address, Digest, Height};
use smst::{DecodeRefused, VerifyRefused};
use std::ops::Range;

/// Why a proof is not looked at. It costs no stake: the claim stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    #[error("at height {at}, but proofs are taken in {}..{}", window.start, window.end)]
    OutsideWindow { at: Height, window: Range<Height> },
    #[error(transparent)]
    OutOfTurn(#[from] OutOfTurn),
    #[error("none of the {count} proofs was taken; the first: {first}")]
    NoneTaken { count: usize, first: String },
}

impl ProofRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            ProofRefused::OutsideWindow { .. } => 27,
            ProofRefused::OutOfTurn(_) => 31,
            ProofRefused::NoneTaken { .. } => 35,
        }
    }
}

/// Why what is shown is wrong. It refutes the claim.
#[derive(Clone, Debug, thiserror::Error)]
enum Wrong {
    #[error("{shown} leaves are shown, but {drawn} were drawn")]
    Count { shown: usize, drawn: u32 },
    #[error("draw {0}: the way to the root: {1}")]
    Path(u32, DecodeRefused),
    #[error("draw {0}: {1}")]
    Tree(u32, VerifyRefused),
    #[error("draw {draw}: the leaf lies at {}..{}, but {point} was drawn", lies.start, lies.end)]
    Elsewhere { draw: u32, lies: Range<u64>, point: u64 },
    #[error("draw {0}: {1}")]
    Leaf(u32, BadLeaf),
}

/// Takes the proofs of a batch, right ones and wrong ones. One that cannot be looked at - too late,
/// not asked for, no claim - is told by an event and costs the others nothing; a message of which
/// none is taken is refused.
pub(crate) fn submit<H: Host>(draft: &mut Draft<'_, H>, m: &SubmitProofs) -> Result<(), Refused> {
    let count = m.proofs.len();
    if !(1..=PROOFS_PER_TX_MAX).contains(&count) {
        return Err(Refused::Count { count, max: PROOFS_PER_TX_MAX });
    }
    let mut refusals = Vec::new();
    for proof in &m.proofs {
        if let Err(refused) = take(draft, &m.operator, proof) {
            refusals.push((proof.session_id, refused));
        }
    }
    if let Some((_, first)) = refusals.first().filter(|_| refusals.len() == count) {
        return Err(match count {
            1 => first.clone(),
            _ => ProofRefused::NoneTaken { count, first: first.to_string() }.into(),
        });
    }
    for (id, refused) in refusals {
        let event = Event::new("lode_proof_refused").with("session", id);
        draft.emit(event.with("supplier", m.operator).with("reason", refused));
    }
    Ok(())
}

/// Decides a claim by the leaves that its supplier shows. Only the claim's own supplier can: a
/// stranger's bytes cost it nothing. Wrong leaves are final.
fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    proof: &Proof,
) -> Result<(), Refused> {
    let session = session::load(draft, &proof.session_id)?;
    let (at, window) = (draft.block().height, session.proof_window());
    if !window.contains(&at) {
        return Err(ProofRefused::OutsideWindow { at, window }.into());
    }
    let missing = || Refused::missing(format!("a claim of {operator} in {}", session.id));
    let seat = session.seat(operator).ok_or_else(missing)?;
    let key = keys::claim(&session.id, operator);
    let mut claim: Claim = draft.read(&key).ok_or_else(missing)?;
    let seed = seeds::at(draft, session.reveal_height())
        .ok_or_else(|| Refused::missing(format!("the seed of {}", session.reveal_height())))?;
    claim.phase = revealed(&session, &claim, &seed);
    let turned = |right| claim.phase.after(Turn::Shown { right }).map_err(ProofRefused::from);
    // Asked before any work is done: a second proof is not checked to be thrown away.
    turned(true)?;
    charge(draft, &proof.openings);
    let chain_id = &draft.block().chain_id;
    let outcome = outcome(chain_id, &session, seat, &claim, &seed, &proof.openings);
    (claim.phase, _) = turned(outcome.is_ok())?;
    draft.write(key, &claim);
    let event = Event::new("lode_proof").with("session", session.id).with("supplier", operator);
    draft.emit(match outcome {
        Ok(()) => event.with("right", true),
        Err(wrong) => event.with("right", false).with("reason", wrong),
    });
    Ok(())
}

/// Bytes of a sibling in a proof's path: at least a digest.
const SIBLING_BYTES: usize = 32;

fn charge<H: Host>(draft: &mut Draft<'_, H>, openings: &[Opening]) {
    for opening in openings {
        let tail = opening.leaf.ack.as_ref().map(|ack| ack.tail.len());
        let hashes = opening.path.len() / SIBLING_BYTES + tail.unwrap_or(0);
        let signatures = 2 + u64::from(tail.is_some());
        draft.charge(gas::SIGNATURE * signatures + gas::HASH * hashes as u64);
    }
}

/// The phase of a claim once the seed of its session's reveal height is known.
pub(crate) fn revealed(session: &Session, claim: &Claim, seed: &Digest) -> Phase {
    match claim.phase {
        Phase::Claimed => {
            let drawn = must_prove(session, &claim.root, &claim.operator, seed);
            claim.phase.after(Turn::Revealed { drawn }).map_or(claim.phase, |(phase, _)| phase)
        }
        phase @ (Phase::ProofDue
        | Phase::Proven
        | Phase::Spared
        | Phase::Refuted
        | Phase::Expired
        | Phase::Convicted
        | Phase::Fined) => phase,
    }
}

/// Whether the leaves are the drawn ones, and right. Signatures are checked together; only where
/// something is wrong are they checked one by one, to say what is wrong first.
fn outcome(
    chain_id: &str,
    session: &Session,
    seat: &Seat,
    claim: &Claim,
    seed: &Digest,
    openings: &[Opening],
) -> Result<(), Wrong> {
    let mut batch = Batch::default();
    let together = check(chain_id, session, seat, claim, seed, openings, &mut batch);
    if together.is_ok() && batch.hold() {
        return Ok(());
    }
    check(chain_id, session, seat, claim, seed, openings, &mut AtOnce)
}

fn check(
    chain_id: &str,
    session: &Session,
    seat: &Seat,
    claim: &Claim,
    seed: &Digest,
    openings: &[Opening],
    checks: &mut impl Checks,
) -> Result<(), Wrong> {
    let drawn = session.terms.proving.draws;
    if openings.len() != drawn as usize {
        return Err(Wrong::Count { shown: openings.len(), drawn });
    }
    let root =
        smst::Node { digest: claim.root.root.0, sum: claim.root.sum.0, count: claim.root.count };
    for (draw, opening) in (0..).zip(openings) {
        let leaf = smst::Leaf {
            path: opening.leaf.path().0,
            value_hash: opening.leaf.value_hash().0,
            weight: opening.leaf.weight().0,
        };
        let path = smst::Proof::decode(&opening.path).map_err(|why| Wrong::Path(draw, why))?;
        let lies = path.verify(&root, &leaf).map_err(|why| Wrong::Tree(draw, why))?;
        let point = drawn_point(seed, &session.id, &claim.operator, draw, claim.root.sum);
        if !lies.contains(&point) {
            return Err(Wrong::Elsewhere { draw, lies, point });
        }
        opening
            .leaf
            .check_with(chain_id, session, seat, claim.root.unacked_from, checks)
            .map_err(|why| Wrong::Leaf(draw, why))?;
    }
    Ok(())
}
