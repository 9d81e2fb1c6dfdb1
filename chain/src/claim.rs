//! Claims: what suppliers say they did.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{keys, proof, seeds, session};
use proto::claim::{Claim, ClaimRoot, Event as Turn, Phase};
use proto::message::SubmitClaims;
use proto::names::CLAIMS_PER_TX_MAX;
use proto::session::Session;
use proto::{Address, Cu, Digest, Height};
use std::ops::Range;

/// Why a claim is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefused {
    #[error("at height {at}, but claims are taken in {}..{}", window.start, window.end)]
    OutsideWindow { at: Height, window: Range<Height> },
    #[error("{operator} does not serve in the session {session}")]
    NotSeated { operator: Address, session: Digest },
    #[error(
        "a claim of {sum} compute units by {count} relays cannot be: each relay weighs at least 1"
    )]
    Empty { sum: Cu, count: u64 },
    #[error("the claim is for {sum} compute units, but the budget buys {budget}")]
    OverBudget { sum: Cu, budget: Cu },
    #[error("none of the {count} claims was taken; the first: {first}")]
    NoneTaken { count: usize, first: String },
}

impl ClaimRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            ClaimRefused::OutsideWindow { .. } => 26,
            ClaimRefused::NotSeated { .. } => 28,
            ClaimRefused::Empty { .. } => 29,
            ClaimRefused::OverBudget { .. } => 30,
            ClaimRefused::NoneTaken { .. } => 32,
        }
    }
}

/// Takes the good claims of a batch. One that is not taken is told by an event and costs the others
/// nothing: who sends 256 claims must not lose 255 of them to the one that came too late. A message
/// of which none is taken is refused.
pub(crate) fn submit<H: Host>(draft: &mut Draft<'_, H>, m: &SubmitClaims) -> Result<(), Refused> {
    let count = m.claims.len();
    if !(1..=CLAIMS_PER_TX_MAX).contains(&count) {
        return Err(Refused::Count { count, max: CLAIMS_PER_TX_MAX });
    }
    let mut refusals = Vec::new();
    for root in &m.claims {
        if let Err(refused) = take(draft, &m.operator, root) {
            refusals.push((root.session_id, refused));
        }
    }
    if let Some((_, first)) = refusals.first().filter(|_| refusals.len() == count) {
        return Err(match count {
            1 => first.clone(),
            _ => ClaimRefused::NoneTaken { count, first: first.to_string() }.into(),
        });
    }
    for (id, refused) in refusals {
        let event = Event::new("lode_claim_refused").with("session", id);
        draft.emit(event.with("supplier", m.operator).with("reason", refused));
    }
    Ok(())
}

/// Takes a claim, in the place of an earlier one for the same session.
fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    root: &ClaimRoot,
) -> Result<(), Refused> {
    let session = session::load(draft, &root.session_id)?;
    let (at, window) = (draft.block().height, session.claim_window());
    if !window.contains(&at) {
        return Err(ClaimRefused::OutsideWindow { at, window }.into());
    }
    if session.seat(operator).is_none() {
        return Err(ClaimRefused::NotSeated { operator: *operator, session: session.id }.into());
    }
    if root.count == 0 || root.sum.0 < root.count {
        return Err(ClaimRefused::Empty { sum: root.sum, count: root.count }.into());
    }
    let budget = session.budget_cu();
    if root.sum > budget {
        return Err(ClaimRefused::OverBudget { sum: root.sum, budget }.into());
    }
    let claim = Claim { operator: *operator, root: *root, phase: Phase::Claimed, claimed_at: at };
    draft.write(keys::claim(&session.id, operator), &claim);
    draft.emit(
        Event::new("lode_claim")
            .with("session", session.id)
            .with("supplier", operator)
            .with("root", root.root)
            .with("cu", root.sum)
            .with("relays", root.count),
    );
    Ok(())
}

/// Takes back a final claim that would be paid: its budget returns to the app.
pub(crate) fn convict<H: Host>(draft: &mut Draft<'_, H>, session: &Session, operator: &Address) {
    let key = keys::claim(&session.id, operator);
    let Some(mut claim) = draft.read::<Claim>(&key) else { return };
    let Some(seed) = seeds::at(draft, session.reveal_height()) else { return };
    if let Ok((phase, _)) = proof::revealed(session, &claim, &seed).after(Turn::Convicted) {
        claim.phase = phase;
        draft.write(key, &claim);
    }
}
