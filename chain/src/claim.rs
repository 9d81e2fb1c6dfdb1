//! Claims: what suppliers say they did.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{keys, session};
use proto::Address;
use proto::claim::{Claim, ClaimRoot, Phase};
use proto::message::SubmitClaims;
use proto::names::CLAIMS_PER_TX_MAX;

/// Takes the good claims of a batch. One that is not taken is told by an event and costs the others
/// nothing; a message of which none is taken is refused.
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
    if refusals.len() == count {
        let first = refusals.first().map(|(_, refused)| refused.to_string()).unwrap_or_default();
        return Err(Refused::NoClaimTaken { count, first });
    }
    for (id, refused) in refusals {
        let event = Event::new("lode_claim_refused").with("session", id);
        draft.emit(event.with("supplier", m.operator).with("reason", refused));
    }
    Ok(())
}

fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    root: &ClaimRoot,
) -> Result<(), Refused> {
    let session = session::load(draft, &root.session_id)?;
    let (at, window) = (draft.block().height, session.claim_window());
    if !window.contains(&at) {
        return Err(Refused::NotClaimTime { at, window });
    }
    if session.seat(operator).is_none() {
        return Err(Refused::NotSeated { operator: *operator, session: session.id });
    }
    if root.count == 0 || root.sum.0 < root.count {
        return Err(Refused::EmptyClaim { sum: root.sum, count: root.count });
    }
    let budget = session.budget_cu();
    if root.sum > budget {
        return Err(Refused::OverBudget { sum: root.sum, budget });
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
