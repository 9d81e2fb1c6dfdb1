//! Bills that cannot be: shown by anybody, decided by the chain alone.

use crate::draft::{Draft, gas};
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::registry::supplier;
use crate::{claim, keys, params, proof, seeds, session};
use proto::claim::{Claim, Phase, reason};
use proto::message::ProveOvercount;
use proto::overcount::{Evidence, NotShown, overcount};
use proto::{Amount, Coin, Height};
use std::ops::Range;

/// Why an accusation is not taken. It costs the accused nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OvercountRefused {
    #[error("at height {at}, but this is taken in {}..{}, while claims are final and not settled", window.start, window.end)]
    OutsideWindow { at: Height, window: Range<Height> },
    #[error("the claim is {0:?}: only one that would be paid can be taken back")]
    NotPaid(Phase),
    #[error(transparent)]
    NotShown(#[from] NotShown),
}

impl OvercountRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            OvercountRefused::OutsideWindow { .. } => 70,
            OvercountRefused::NotPaid(_) => 71,
            OvercountRefused::NotShown(_) => 72,
        }
    }
}

/// Bytes of a sibling in a path: at least a digest.
const SIBLING_BYTES: usize = 32;

/// Takes back a claim whose supplier signed what cannot be. Who shows it gets nothing but what the
/// claim would have cost it.
pub(crate) fn prove<H: Host>(draft: &mut Draft<'_, H>, m: &ProveOvercount) -> Result<(), Refused> {
    let session = session::load(draft, &m.session_id)?;
    let (at, window) = (draft.block().height, session.audit_window());
    if !window.contains(&at) {
        return Err(OvercountRefused::OutsideWindow { at, window }.into());
    }
    let missing = || Refused::missing(format!("a claim of {} in {}", m.operator, session.id));
    let seat = session.seat(&m.operator).ok_or_else(missing)?;
    let kept: Option<Claim> = draft.read(&keys::claim(&session.id, &m.operator));
    let kept = kept.ok_or_else(missing)?;
    let seed = seeds::at(draft, session.reveal_height())
        .ok_or_else(|| Refused::missing(format!("the seed of {}", session.reveal_height())))?;
    let phase = proof::revealed(&session, &kept, &seed);
    if !matches!(phase, Phase::Proven | Phase::Spared) {
        return Err(OvercountRefused::NotPaid(phase).into());
    }
    charge(draft, m);
    let chain_id = draft.block().chain_id.clone();
    let shown = Evidence { receipt: m.receipt.as_ref(), opening: m.opening.as_ref() };
    let guilt =
        overcount(&chain_id, &session, seat, &kept.root, shown).map_err(OvercountRefused::from)?;
    claim::convict(draft, &session, &m.operator);
    let rate = params::load(draft).audits.overcount_rate;
    let slashed = supplier::convict(draft, &m.operator, rate, Amount::ZERO);
    draft.emit(
        Event::new("lode_overcounted")
            .with("session", session.id)
            .with("supplier", m.operator)
            .with("accuser", m.accuser)
            .with("why", guilt),
    );
    draft.emit(
        Event::new("lode_slashed")
            .with("session", session.id)
            .with("supplier", m.operator)
            .with("amount", Coin::stake(slashed))
            .with("reason", reason::OVERCOUNTED),
    );
    Ok(())
}

fn charge<H: Host>(draft: &mut Draft<'_, H>, m: &ProveOvercount) {
    let receipt = u64::from(m.receipt.is_some());
    let (mut signatures, mut hashes) = (receipt, 0);
    if let Some(opening) = &m.opening {
        let tail = opening.leaf.ack.as_ref().map(|ack| ack.tail.len());
        signatures += 2 + u64::from(tail.is_some());
        hashes = opening.path.len() / SIBLING_BYTES + tail.unwrap_or(0);
    }
    draft.charge(gas::SIGNATURE * signatures + gas::HASH * hashes as u64);
}
