//! Proofs: the leaves that a seed asks for.

use crate::draft::{Draft, gas};
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{boundary, keys, session};
use proto::claim::{Claim, Event as Turn, Phase, must_prove};
use proto::leaf::{BadLeaf, Opening, drawn_point};
use proto::message::{Proof, SubmitProofs};
use proto::names::PROOFS_PER_TX_MAX;
use proto::session::{Seat, Session};
use proto::{Address, Digest};
use smst::{DecodeRefused, VerifyRefused};

/// Why a shown leaf is wrong.
#[derive(Clone, Debug, thiserror::Error)]
enum Wrong {
    #[error("{shown} leaves are shown, but {drawn} were drawn")]
    Count { shown: usize, drawn: u32 },
    #[error("draw {0}: the way to the root: {1}")]
    Path(u32, DecodeRefused),
    #[error("draw {0}: {1}")]
    Tree(u32, VerifyRefused),
    #[error("draw {draw}: the leaf lies at {}..{}, but {point} was drawn", lies.start, lies.end)]
    Elsewhere { draw: u32, lies: std::ops::Range<u64>, point: u64 },
    #[error("draw {0}: {1}")]
    Leaf(u32, BadLeaf),
}

pub(crate) fn submit<H: Host>(draft: &mut Draft<'_, H>, m: &SubmitProofs) -> Result<(), Refused> {
    let count = m.proofs.len();
    if !(1..=PROOFS_PER_TX_MAX).contains(&count) {
        return Err(Refused::Count { count, max: PROOFS_PER_TX_MAX });
    }
    for proof in &m.proofs {
        take(draft, &m.operator, proof)?;
    }
    Ok(())
}

/// Decides a claim by the leaves that its supplier shows. Wrong leaves are final.
fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    proof: &Proof,
) -> Result<(), Refused> {
    let session = session::load(draft, &proof.session_id)?;
    let (at, window) = (draft.block().height, session.proof_window());
    if !window.contains(&at) {
        return Err(Refused::NotProofTime { at, window });
    }
    let Some(seat) = session.seat(operator) else {
        return Err(Refused::NotSeated { operator: *operator, session: session.id });
    };
    let key = keys::claim(&session.id, operator);
    let mut claim: Claim = draft
        .read(&key)
        .ok_or_else(|| Refused::missing(format!("a claim of {operator} in {}", session.id)))?;
    let seed = boundary::seed(draft, session.reveal_height()).unwrap_or_default();
    claim.phase = revealed(&session, &claim, &seed);
    let signatures: u64 = proof.openings.iter().map(|o| 2 + u64::from(o.leaf.ack.is_some())).sum();
    let steps: u64 = proof.openings.iter().map(|o| o.path.len() as u64 / 32).sum();
    draft.charge(gas::SIGNATURE * signatures + gas::HASH * steps);
    let chain_id = draft.block().chain_id;
    let outcome = check(&chain_id, &session, seat, &claim, &seed, &proof.openings);
    (claim.phase, _) = claim.phase.after(Turn::Shown { right: outcome.is_ok() })?;
    draft.write(key, &claim);
    let event = Event::new("lode_proof").with("session", session.id).with("supplier", operator);
    draft.emit(match outcome {
        Ok(()) => event.with("right", true),
        Err(wrong) => event.with("right", false).with("reason", wrong),
    });
    Ok(())
}

/// The phase of a claim once the seed of its session's reveal height is known.
pub(crate) fn revealed(session: &Session, claim: &Claim, seed: &Digest) -> Phase {
    let drawn = must_prove(session, &claim.root, &claim.operator, seed);
    claim.phase.after(Turn::Revealed { drawn }).map_or(claim.phase, |(phase, _)| phase)
}

fn check(
    chain_id: &str,
    session: &Session,
    seat: &Seat,
    claim: &Claim,
    seed: &Digest,
    openings: &[Opening],
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
            .check(chain_id, session, seat, claim.root.unacked_from)
            .map_err(|why| Wrong::Leaf(draw, why))?;
    }
    Ok(())
}
